"""Who a synthetic person is: the shape of the face and everything that tells one face from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mer_lib.datasets.synthetic.drawing import smoothstep
from mer_lib.datasets.synthetic.mesh import CANONICAL
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import ParameterError

Gender = Literal["female", "male"]
HairStyle = Literal["long", "bob", "tied", "pixie", "curly", "short", "swept", "crop", "receding", "bald"]

#: How often each hair style is drawn; "receding" and "bald" become commoner with age.
HAIR_STYLES: dict[Gender, dict[HairStyle, float]] = {
    "female": {"long": 0.38, "bob": 0.20, "tied": 0.22, "pixie": 0.10, "curly": 0.10},
    "male": {"short": 0.38, "swept": 0.22, "crop": 0.18, "curly": 0.06, "receding": 0.10, "bald": 0.06},
}

#: Points (IOD) around which a face is a little crooked.
_CROOKED_AT = ((-0.5, 0.0), (0.5, 0.0), (-0.4, 1.0), (0.4, 1.0), (0.0, 0.6), (0.0, 1.6))

# Colours of hair without grey, RGB 0..1, from black to blond and red.
_HAIR = np.array(
    [(30, 25, 24), (44, 33, 28), (66, 46, 34), (98, 68, 46), (140, 104, 68), (186, 150, 100), (122, 62, 36)]
)
_GREY = np.array([176, 174, 172])
_IRIS = np.array([(62, 38, 24), (84, 54, 32), (104, 78, 44), (96, 108, 72), (84, 112, 146), (110, 126, 134)])
_WALLS = np.array(
    [(150, 158, 164), (186, 184, 178), (118, 126, 132), (164, 172, 160), (140, 150, 168), (196, 190, 182)]
)
_CLOTHES = np.array(
    [(52, 58, 72), (92, 40, 44), (60, 84, 72), (190, 186, 178), (40, 42, 44), (70, 92, 124), (134, 116, 96)]
)


@dataclass(frozen=True)
class Identity:
    """A person's face. Shape parameters are 0 for the average face; relative ones are shares of a size (0.1 = 10 %).

    Attributes:
        face_width: relative width of the face.
        jaw_width: relative width of the jaw.
        chin_length: how much lower the chin lies, IOD.
        forehead_height: how much higher the forehead reaches, IOD.
        eye_distance: how much farther each eye lies from the middle, IOD.
        eye_size: relative size of the eyes.
        eye_opening: relative height of the lid opening beyond that.
        eye_tilt: rise of the outer corners, IOD per IOD.
        brow_height: how much higher the brows lie, IOD.
        brow_tilt: rise of their outer ends, IOD per IOD.
        brow_distance: how much farther the inner ends lie from the middle, IOD.
        nose_width: relative width of the nose's lower half.
        nose_length: how much lower its base lies, IOD.
        bridge_width: relative width of its bridge.
        mouth_width: relative width of the mouth.
        lip_fullness: relative height of the lips.
        mouth_height: how much lower the mouth lies, IOD.
        cheekbones: how much farther out the cheeks reach, IOD.
        crooked: displacement (x, y) in IOD around six points, which makes left and right differ.
        age: years.
        tone: skin, 0 the lightest to 1 the darkest.
        undertone: -1 rosy to 1 olive.
        redness: of cheeks and nose, 0..1.
        hair_style: one of the gender's HAIR_STYLES.
        hair: RGB 0..1.
        grey: share of grey in the hair, 0..1.
        parting: where the hair parts, -1 the image's left to 1.
        hairline: how much higher the hair begins, IOD.
        wave: how wavy the hair is, 0..1.
        fringe: whether parted hair has one.
        iris: RGB 0..1.
        brow_density: 0.5 thin to 1.5 bushy.
        stubble: 0 shaven or none to 1.
        freckles: 0 (none) to 1.
        moles: number of them.
        lip_colour: 0 pale to 1 red.
        light: direction the light comes from: x to the image's right, y down.
        ambient: share of the light that comes from everywhere, 0..1.
        wall: RGB 0..1 of the background.
        clothes: RGB 0..1.
    """

    face_width: float
    jaw_width: float
    chin_length: float
    forehead_height: float
    eye_distance: float
    eye_size: float
    eye_opening: float
    eye_tilt: float
    brow_height: float
    brow_tilt: float
    brow_distance: float
    nose_width: float
    nose_length: float
    bridge_width: float
    mouth_width: float
    lip_fullness: float
    mouth_height: float
    cheekbones: float
    crooked: tuple[tuple[float, float], ...]
    age: float
    tone: float
    undertone: float
    redness: float
    hair_style: HairStyle
    hair: tuple[float, float, float]
    grey: float
    parting: float
    hairline: float
    wave: float
    fringe: bool
    iris: tuple[float, float, float]
    brow_density: float
    stubble: float
    freckles: float
    moles: int
    lip_colour: float
    light: tuple[float, float]
    ambient: float
    wall: tuple[float, float, float]
    clothes: tuple[float, float, float]


#: Spread of each shape parameter, and the difference between the male and the average face (the female one mirrors it).
_SHAPE = {
    "face_width": (0.038, 0.010),
    "jaw_width": (0.054, 0.040),
    "chin_length": (0.048, 0.025),
    "forehead_height": (0.048, 0.000),
    "eye_distance": (0.022, 0.000),
    "eye_size": (0.066, -0.040),
    "eye_opening": (0.084, -0.030),
    "eye_tilt": (0.042, -0.010),
    "brow_height": (0.026, -0.018),
    "brow_tilt": (0.036, -0.012),
    "brow_distance": (0.022, 0.000),
    "nose_width": (0.108, 0.050),
    "nose_length": (0.046, 0.012),
    "bridge_width": (0.108, 0.030),
    "mouth_width": (0.066, 0.015),
    "lip_fullness": (0.168, -0.090),
    "mouth_height": (0.026, 0.004),
    "cheekbones": (0.026, -0.010),
}


def check_gender(gender: str) -> Gender:
    """`gender` itself.

    Raises:
        ParameterError: it is neither "female" nor "male".
    """
    if gender not in get_args(Gender):
        raise ParameterError(f"gender: expected one of {', '.join(get_args(Gender))}, got {gender!r}")
    return gender  # type: ignore[return-value]


def draw_identity(name: str, gender: Gender, symmetric: bool = False) -> Identity:
    """The person called `name`, who depends on name and gender alone.

    >>> draw_identity("anna", "female") == draw_identity("anna", "female")
    True
    >>> draw_identity("anna", "female", symmetric=True).crooked[0]
    (0.0, 0.0)

    Args:
        name: any text.
        gender: "female" or "male"; shapes, hair styles and stubble are distributed differently.
        symmetric: leave the left-right differences of the shape away.

    Raises:
        ParameterError: `gender` is unknown.
    """
    sign = 1 if check_gender(gender) == "male" else -1
    rng = stream(name, "identity")
    shape_of = {key: sign * shift + spread * _spread(rng) for key, (spread, shift) in _SHAPE.items()}
    crooked = tuple((0.006 * _spread(rng), 0.006 * _spread(rng)) for _ in _CROOKED_AT)
    tone = float(rng.random())
    age = float(20 + 50 * rng.random() ** 1.9)
    grey = float(smoothstep(np.array(age + 8 * _spread(rng)), 44, 70))
    return Identity(
        **shape_of,
        crooked=((0.0, 0.0),) * len(_CROOKED_AT) if symmetric else crooked,
        age=age,
        tone=tone,
        undertone=float(rng.uniform(-1, 1)),
        redness=float(rng.uniform(0.2, 1)),
        hair_style=_hair_style(gender, age, rng),
        hair=_hair_colour(tone, grey, rng),
        grey=grey,
        parting=float(rng.choice([-0.45, 0.0, 0.45]) + rng.uniform(-0.1, 0.1)),
        hairline=float(rng.uniform(0.0, 0.14) + (0.10 * smoothstep(np.array(age), 35, 65) if sign > 0 else 0)),
        wave=float(rng.random()),
        fringe=bool(rng.random() < 0.18),
        iris=_colour(_IRIS[: 3 if tone > 0.55 else None], rng, 0.08),
        brow_density=float(rng.uniform(0.9, 1.4) if sign > 0 else rng.uniform(0.55, 1.0)),
        stubble=float(rng.uniform(0.1, 1.0) * (rng.random() < 0.75)) if sign > 0 else 0.0,
        freckles=float(rng.uniform(0.3, 1) * (rng.random() < 0.25) * (tone < 0.5)),
        moles=int(rng.integers(0, 5)),
        lip_colour=float(rng.uniform(0.1, 0.5) if sign > 0 else rng.uniform(0.3, 1.0)),
        light=(float(0.35 * _spread(rng)), float(-rng.uniform(0.3, 0.65))),
        ambient=float(rng.uniform(0.46, 0.60)),
        wall=_colour(_WALLS, rng, 0.10),
        clothes=_colour(_CLOTHES, rng, 0.15),
    )


def shape(identity: Identity) -> np.ndarray:
    """The neutral mesh of a person.

    >>> shape(draw_identity("anna", "female")).shape
    (478, 3)

    Returns:
        (478, 3) float64 in IOD, axes as :data:`mesh.CANONICAL`. IOD is that of the average face: a person whose eyes
        lie farther apart has an inter-ocular distance a little above 1.
    """
    mesh = CANONICAL.copy()
    mesh[:, :2] += _displacement(CANONICAL[:, 0], CANONICAL[:, 1], identity)
    return mesh


def _spread(rng: np.random.Generator) -> float:
    """A normal number without outliers."""
    return float(np.clip(rng.normal(), -2, 2))


def _colour(palette: np.ndarray, rng: np.random.Generator, spread: float) -> tuple[float, float, float]:
    """A colour of a palette (0..255), brighter or darker by up to `spread`, as 0..1."""
    red, green, blue = palette[rng.integers(len(palette))] / 255 * (1 + rng.uniform(-spread, spread))
    return float(red), float(green), float(blue)


def _hair_colour(tone: float, grey: float, rng: np.random.Generator) -> tuple[float, float, float]:
    # Dark skin rarely comes with fair hair.
    choices = len(_HAIR) if tone < 0.4 else 4 if tone < 0.65 else 2
    natural = np.array(_colour(_HAIR[:choices], rng, 0.15))
    red, green, blue = natural + (_GREY / 255 * rng.uniform(0.75, 1.05) - natural) * grey
    return float(red), float(green), float(blue)


def _hair_style(gender: Gender, age: float, rng: np.random.Generator) -> HairStyle:
    styles = HAIR_STYLES[gender]
    older = 0.5 + 1.5 * float(smoothstep(np.array(age), 28, 58))
    weights = np.array([share * (older if name in ("receding", "bald") else 1) for name, share in styles.items()])
    return list(styles)[int(rng.choice(len(styles), p=weights / weights.sum()))]


def _hill(x: np.ndarray, y: np.ndarray, centre: tuple[float, float], width: float, height: float) -> np.ndarray:
    return np.exp(-0.5 * (((x - centre[0]) / width) ** 2 + ((y - centre[1]) / height) ** 2))


def _displacement(x: np.ndarray, y: np.ndarray, person: Identity) -> np.ndarray:
    """How far the identity moves the points (x, y) of the average face: (N, 2) in IOD, smooth over the face."""
    out = np.abs(x)
    dx = x * person.face_width * smoothstep(out, 0.2, 0.9)
    # The average mesh comes from a broad face; most jaws are narrower than its own.
    dx += x * (person.jaw_width - 0.075) * smoothstep(y, 0.4, 1.3) * smoothstep(out, 0.2, 0.8)
    dy = person.chin_length * smoothstep(y, 1.15, 1.7) - person.forehead_height * smoothstep(-y, 0.35, 0.9)
    for side in (-1, 1):
        eye_dx, eye_dy = _eye_displacement(x, y, side, person)
        dx += eye_dx
        dy += eye_dy
        dx += side * person.cheekbones * _hill(x, y, (side * 0.8, 0.5), 0.25, 0.3)
    dx += x * (person.nose_width - 0.06) * _hill(x, y, (0, 0.58), 0.26, 0.16)
    dx += x * person.bridge_width * _hill(x, y, (0, 0.2), 0.16, 0.22)
    dy += person.nose_length * _hill(x, y, (0, 0.62), 0.30, 0.18)
    mouth = _hill(x, y, (0, 1.03), 0.34, 0.15)
    dx += x * person.mouth_width * mouth
    dy += ((y - 1.03) * person.lip_fullness + person.mouth_height) * mouth
    for place, (right, down) in zip(_CROOKED_AT, person.crooked, strict=True):
        hill = _hill(x, y, place, 0.3, 0.2)
        dx += right * hill
        dy += down * hill
    return np.stack([dx, dy], axis=-1)


def _eye_displacement(x: np.ndarray, y: np.ndarray, side: int, person: Identity) -> tuple[np.ndarray, np.ndarray]:
    around = _hill(x, y, (side * 0.5, 0), 0.30, 0.20)
    within = _hill(x, y, (side * 0.5, 0), 0.26, 0.16)
    brow = _hill(x, y, (side * 0.58, -0.32), 0.33, 0.10)
    inner = _hill(x, y, (side * 0.3, -0.32), 0.2, 0.1)
    from_middle = side * x
    dx = side * person.eye_distance * around + (x - side * 0.5) * person.eye_size * within
    dx += side * person.brow_distance * inner
    dy = y * (person.eye_size + person.eye_opening) * within - person.eye_tilt * (from_middle - 0.5) * within
    dy -= (person.brow_height + person.brow_tilt * (from_middle - 0.58)) * brow
    return dx, dy
