"""``mer models``: every method that an experiment can name, and the ImageNet weights that some start from."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table


def list_models(
    fetch: Annotated[str | None, typer.Option(help="Fetch these ImageNet weights first, such as resnet18.")] = None,
) -> None:
    """List the methods: what each is fed, how many parameters it has, whose it is.

    Examples:

    [bold]mer models[/]                     the table

    [bold]mer models --fetch resnet18[/]    ImageNet weights into torch's cache
    """
    from mer_lib.models import weights

    console = Console()
    if fetch:
        console.print(f"Weights: {weights.at_hand(fetch) or weights.fetch(fetch)}", soft_wrap=True)
    table = Table("name", "method", "input", "parameters", "paper")
    table.columns[3].justify = "right"
    for row in rows():
        table.add_row(*row)
    console.print(table)
    at_hand = [name for name in weights.IMAGENET if weights.at_hand(name)]
    console.print(f"ImageNet weights at hand: {', '.join(at_hand) or 'none'} (of {', '.join(weights.IMAGENET)})")


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return one row a method: name, title, input recipe and shape, parameters, paper.

    The five papers' systems come first, then other networks, then handcrafted descriptors.
    """
    from mer_lib.handcrafted import REGISTRY as DESCRIPTORS
    from mer_lib.models import REGISTRY, parameters_of

    networks = sorted(REGISTRY.values(), key=lambda info: info.group != "system")
    found = [
        (info.name, info.title, _input(info.recipe), f"{parameters_of(info.name):,}", _cited(info.paper))
        for info in networks
    ]
    return found + [
        (info.name, f"{info.title} + SVM", _input(info.recipe), "-", _cited(info.paper))
        for info in DESCRIPTORS.values()
    ]


def _input(recipe: Any) -> str:
    from pydantic import TypeAdapter

    from mer_lib.features import Recipe

    made = TypeAdapter(Recipe).validate_python(dict(recipe))
    return f"{made.recipe} {'x'.join(map(str, made.sample_shape))}"


def _cited(paper: str) -> str:
    """Return first author and place of a paper.

    >>> _cited("Liong, Gan, See: Shallow Triple Stream Three-dimensional CNN (STSTNet), FG 2019")
    'Liong et al., FG 2019'
    >>> _cited("Liong, See, Wong, Phan, Signal Processing: Image Communication 2018")
    'Liong et al., Signal Processing: Image Communication 2018'
    """
    first, _, others = paper.partition(":")[0].partition(",")
    return f"{first}{' et al.' if others else ''}, {paper.rpartition(',')[2].strip()}"
