"""The page as one HTML file that loads nothing from anywhere."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from mer_lib.report.figures import LOOK
from mer_lib.report.section import HOW
from mer_lib.report.stills import data_address

TEMPLATE = "page.html"


def render_html(page: Any) -> str:
    """Return the HTML of a page (:class:`mer_lib.report.page.Page`)."""
    return _template().render(page=page, plotly=_plotly_js(), look=_script_json(_look()), how=HOW)


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("mer_lib.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure_json, "address": data_address, "code": with_code}
    return environment.get_template(TEMPLATE)


def with_code(text: str) -> Markup:
    """Return text in which what stands between backticks is code.

    >>> with_code("try `a < b`")
    Markup('try <code>a &lt; b</code>')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def figure_json(figure: go.Figure) -> Markup:
    """Return a figure as JSON that can stand in a script element; its look, which all share, is left out."""
    content = json.loads(figure.to_json())
    content["layout"].pop("template", None)
    return _script_json(content)


def _look() -> Any:
    return json.loads(go.Figure(layout={"template": LOOK}).to_json())["layout"]["template"]


def _script_json(content: Any) -> Markup:
    """Return JSON in which no `<` can close the script element that it stands in."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


@lru_cache(maxsize=1)
def _plotly_js() -> Markup:
    return Markup(re.sub(r"</(script)", r"<\\/\1", get_plotlyjs(), flags=re.IGNORECASE))
