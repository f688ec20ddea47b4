"""Reading and checking the data manifest."""

from __future__ import annotations

import difflib
from pathlib import Path

import yaml
from pydantic import Field, ValidationError, model_validator

from mer_lib.errors import ManifestError, ParameterError, fault_list
from mer_lib.manifest.entries import Entry
from mer_lib.manifest.labels import LabelSet
from mer_lib.manifest.text import PartName, Strict
from mer_lib.settings import manifest_path

# Both build plain values only; the one in C reads this file ten times faster.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Manifest(Strict):
    """All data sets, the preferred ones first."""

    datasets: tuple[Entry, ...] = Field(min_length=1)
    label_sets: dict[PartName, LabelSet] = Field(default_factory=dict, description="how emotions become classes")

    @model_validator(mode="after")
    def _references_exist(self) -> Manifest:
        for entry in self.datasets:
            if entry.label_set and entry.label_set not in self.label_sets:
                raise ValueError(f"{entry.name}: there is no label set {entry.label_set!r}")
            lost = [name for name in entry.of if name not in self.names]
            if lost:
                raise ValueError(f"{entry.name}: made of data sets that do not exist: {', '.join(lost)}")
        return self

    @model_validator(mode="after")
    def _names_unique(self) -> Manifest:
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"each name once, but these occur twice: {', '.join(twice)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all data sets, in the order of the file."""
        return tuple(entry.name for entry in self.datasets)

    def entry(self, name: str) -> Entry:
        """The data set called `name`.

        Raises:
            ParameterError: no data set has that name; the message lists those that exist.
        """
        for entry in self.datasets:
            if entry.name == name:
                return entry
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"Unknown data set {name!r}: expected one of {', '.join(self.names)}.{hint}")


def load_manifest(path: Path | None = None) -> Manifest:
    """Read and check the data manifest.

    Args:
        path: the YAML file; :func:`mer_lib.settings.manifest_path` where none is given.

    Raises:
        ManifestError: the file is missing, is not YAML, or breaks its schema (all faults at once).
    """
    path = manifest_path() if path is None else path
    content = _read_yaml(path)
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise ManifestError(f"{path} does not follow the manifest's schema:\n{_faults(error)}") from None


def _read_yaml(path: Path) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except OSError as error:
        raise ManifestError(
            f"Expected the data manifest at {path}, got: {error.strerror or error}. "
            "Run inside the repository or set MER_MANIFEST to the file."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not readable YAML: {error}") from None


def _faults(error: ValidationError) -> str:
    def sentence(location: tuple[int | str, ...], message: str, value: object) -> str:
        place = ".".join(str(step) for step in location) or "file"
        shown = "" if isinstance(value, dict | list | tuple) else f" (got {value!r})"
        return f"{place}: {message}{shown}"

    return fault_list(sentence(item["loc"], item["msg"], item["input"]) for item in error.errors())
