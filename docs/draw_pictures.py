"""Draw the pictures of this folder anew: `.venv/bin/python docs/draw_pictures.py`."""

from pathlib import Path

from matplotlib.figure import Figure

from mer_lib.datasets.synthetic.databases import DATABASES, gender_of
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.datasets.synthetic.renderer import MovableFace
from mer_lib.plots import synthetic_faces

FOLDER = Path(__file__).parent
PEOPLE = [f"syn_a/{subject}" for subject in DATABASES["syn_a"].subject_ids][:24]
MOVED = "syn_a/sub14"


def save(figure: Figure, name: str) -> None:
    """Write `figure` into this folder; JPEG, since a picture of skin is three times larger as PNG."""
    figure.savefig(FOLDER / f"{name}.jpg", dpi=100, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    save(synthetic_faces.face_sheet([draw_portrait(name, gender_of(name), 160) for name in PEOPLE]), "drawn_people")
    face = MovableFace(draw_portrait(MOVED, gender_of(MOVED), 240))
    save(synthetic_faces.unit_sheet(face), "action_units")
