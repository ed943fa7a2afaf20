"""What pages share: templates, the style sheet, the colours of figures."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from analysis.figures import drawing
from analysis.report.typography import bare, thin

_COLOURS = {colour: f"f{index}" for index, colour in enumerate(drawing.DARK)}
"""Variable of each colour that figures use."""


@cache
def template(name: str) -> Template:
    """Find a template of a page.

    Parameters
    ----------
    name : str
        Of its file.

    Returns
    -------
    Template
        It escapes what it is given.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"thin": thin, "bare": bare}
    return environment.get_template(name)


def colours() -> dict[str, dict[str, str]]:
    """Give the style sheet its colours.

    Returns
    -------
    dict of str to dict of str to str
        Of each variable on a ``"light"`` and on a ``"dark"`` page.
    """
    return {
        "light": {name: colour for colour, name in _COLOURS.items()},
        "dark": {name: drawing.DARK[colour] for colour, name in _COLOURS.items()},
    }


def themed(svg: str | None, prefix: str) -> Markup:
    """Make ids of a figure its own in a page, and let the page choose its colours.

    Parameters
    ----------
    svg : str or None
        As it stands in its file; texts in it were escaped when it was rendered.
    prefix : str
        Put before every id.

    Returns
    -------
    Markup
        For the page.
    """
    own = re.sub(r'(?<= )id="', f'id="{prefix}-', svg or "")
    own = re.sub(r"url\(#", f"url(#{prefix}-", own)
    own = re.sub(r'href="#', f'href="#{prefix}-', own)
    return Markup(drawing.themed(own, _COLOURS))  # noqa: S704 - see above
