"""Controls of the notebooks: picking a clip and frames of it, and exporting a choice of features."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import ipywidgets
from pydantic import ValidationError

from mer_lib import settings
from mer_lib.errors import MerError
from mer_lib.features import Recipe
from mer_lib.lab.watching import Watch
from mer_lib.papers.choice import Choice, choice_yaml, write_choice

_WIDE = {"width": "420px"}


def clip_menus(watch: Watch, first: str | None = None) -> tuple[ipywidgets.Dropdown, ipywidgets.Dropdown]:
    """Return a menu of subjects and one of the clips of the chosen subject; the value of the latter is a sample id.

    Args:
        watch: the clips.
        first: sample id to start with; the first clip where it is None or not among them.
    """
    table = watch.clips.samples.set_index("sample_id").loc[watch.ids]
    subjects = [_subject(name) for name in watch.ids]
    start = first if first in watch.ids else watch.ids[0]

    def clips_of(subject: str) -> list[tuple[str, str]]:
        chosen = (name for name, whose in zip(watch.ids, subjects, strict=True) if whose == subject)
        return [(f"{table.loc[name, 'clip']}: {table.loc[name, 'emotion']}", name) for name in chosen]

    subject = ipywidgets.Dropdown(options=list(dict.fromkeys(subjects)), value=_subject(start), description="subject")
    clip = ipywidgets.Dropdown(options=clips_of(subject.value), value=start, description="clip")

    def other_subject(change: dict) -> None:
        clip.options = clips_of(change["new"])

    subject.observe(other_subject, names="value")
    return subject, clip


def _subject(sample_id: str) -> str:
    return sample_id.rsplit("/", 1)[0]


def frame_slider(
    watch: Watch,
    clip: ipywidgets.Dropdown,
    moment: Literal["onset", "apex", "offset"] = "apex",
    description: str = "frame",
) -> ipywidgets.IntSlider:
    """Return a slider over the frames of the chosen clip, which jumps to `moment` whenever another clip is chosen.

    Where a clip has no annotated apex, it jumps to the middle between onset and offset.
    """
    slider = ipywidgets.IntSlider(0, min=0, max=1, description=description, layout=_WIDE)

    def other_clip(_: object) -> None:
        view = watch.view(clip.value)
        onset, apex, offset = view.moments
        at = {"onset": onset, "apex": (onset + offset) // 2 if apex is None else apex, "offset": offset}
        slider.max = max(view.n_frames - 1, 0)
        slider.value = at[moment]

    other_clip(None)
    clip.observe(other_clip, names="value")
    return slider


class ChoiceExporter:
    """A text and a button that write what a reader chose to a YAML file that training reads.

    Args:
        recipe: returns the features as they are chosen now.
        data: name of the data set, or path of its folder.
        follows: controls on which the recipe depends; the text is renewed when one of them changes.
        folder: where the file goes; ``runs/choices`` in the project where None.
    """

    def __init__(
        self,
        recipe: Callable[[], Recipe],
        data: str,
        follows: Sequence[ipywidgets.ValueWidget] = (),
        folder: Path | None = None,
    ) -> None:
        self._recipe, self._data = recipe, data
        self._folder = settings.project_root() / "runs" / "choices" if folder is None else folder
        self.name = ipywidgets.Text("my_regions", description="name")
        self.note = ipywidgets.Text("", description="why", layout={"width": "600px"})
        self.button = ipywidgets.Button(description="Write the file", button_style="primary")
        self.text, self.message = ipywidgets.HTML(), ipywidgets.HTML()
        self.button.on_click(lambda _: self.write())
        for control in (self.name, self.note, *follows):
            control.observe(lambda _: self.show(), names="value")
        self.show()

    def show(self) -> None:
        """Show the text as it would be written now, or what is wrong with it."""
        self.message.value = ""
        try:
            self.text.value = f"<pre>{html.escape(choice_yaml(self._choice()))}</pre>"
        except (MerError, ValidationError) as error:
            self._explain(error)
        self.button.disabled = bool(self.message.value)

    def write(self) -> None:
        """Write the file, whole or not at all, and say where it is."""
        try:
            choice = self._choice()
            path = write_choice(choice, self._folder / f"{choice.name}.yaml")
        except (MerError, ValidationError) as error:
            self._explain(error)
        else:
            self.message.value = f"Written. Train on it: <code>mer train {html.escape(str(path))}</code>"

    def widget(self) -> ipywidgets.VBox:
        """Return what to display."""
        return ipywidgets.VBox([self.name, self.note, self.text, self.button, self.message])

    def _choice(self) -> Choice:
        return Choice(name=self.name.value, data=self._data, features=self._recipe(), note=self.note.value)

    def _explain(self, error: MerError | ValidationError) -> None:
        faults = [fault["msg"] for fault in error.errors()] if isinstance(error, ValidationError) else [str(error)]
        self.message.value = f'<span style="color:#B00020">{html.escape("; ".join(faults))}</span>'
