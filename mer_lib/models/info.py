"""What the registry knows about a network, and the check of a network's parameters."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from torch import nn

from mer_lib.errors import ParameterError, fault_list


@dataclass(frozen=True)
class ModelInfo:
    """One network of the registry.

    Attributes:
        name: the name that experiments use.
        title: the name that people use.
        factory: class or function whose keyword arguments are the network's parameters; what it
            returns has an attribute `input_shape`: (channels, rows, columns), with frames before them for sequences.
        paper: who, where and when.
        url: DOI or arXiv address of the paper.
        recipe: the features that the paper feeds it, as a recipe of `mer_lib.features`.
        small: parameters of a network that is small enough for a test or a lesson.
        silent: patterns of names of parameters that no gradient ever reaches, each with the reason.
        group: "system" for what one of the five papers proposes, "network" for what stands beside it.
    """

    name: str
    title: str
    factory: Callable[..., nn.Module]
    paper: str
    url: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    group: Literal["system", "network"] = "network"

    @cached_property
    def schema(self) -> type[BaseModel]:
        """Names, types and defaults of the parameters, read from the factory's signature."""
        constructor = self.factory.__init__ if inspect.isclass(self.factory) else self.factory
        hints = get_type_hints(constructor)
        fields: dict[str, Any] = {
            p.name: (hints[p.name], ... if p.default is p.empty else p.default)
            for p in inspect.signature(self.factory).parameters.values()
        }
        # Strict: neither "3" nor True is a number of heads.
        config = ConfigDict(extra="forbid", strict=True)
        return create_model(f"{self.title}Parameters", __config__=config, **fields)

    def complete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return `params` with every default filled in and lists, as YAML gives them, made tuples.

        Raises:
            ParameterError: names or types are wrong; all of them at once.
        """
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in params.items()}
        try:
            return dict(self.schema(**given))
        except ValidationError as error:
            raise ParameterError(self._explain(error)) from None

    def _explain(self, error: ValidationError) -> str:
        faults = {".".join(map(str, e["loc"])): e for e in error.errors()}
        lines = (
            self._unknown(name) if e["type"] == "extra_forbidden" else f"{name}: {e['msg']}, got {e['input']!r}"
            for name, e in faults.items()
        )
        return f"parameters of {self.name!r}:\n{fault_list(lines)}"

    def _unknown(self, name: str) -> str:
        return unknown_name("parameter", name, self.schema.model_fields)


def unknown_name(what: str, name: str, known: Mapping[str, Any]) -> str:
    """Say that `name` is unknown, what it may have meant, and what is known.

    >>> unknown_name("model", "htnte", {"htnet": 1, "ststnet": 2})
    "unknown model 'htnte', did you mean 'htnet'? Known: htnet, ststnet"
    """
    close = difflib.get_close_matches(name, known, n=1)
    guess = f", did you mean {close[0]!r}?" if close else "."
    return f"unknown {what} {name!r}{guess} Known: {', '.join(known)}"
