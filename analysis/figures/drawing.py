"""What all figures share: paper, ink, axes, and the way into files.

Sizes are in CSS pixels and one unit of the SVG is one pixel, so that text has its
size wherever a figure stands at its own width. Colours follow Okabe and Ito, differ in
lightness too, and no line is told from another by colour alone. Everything runs inside
:func:`style`, because Matplotlib's settings are global.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

# Each role has a colour of its own, so that a page can give it another one in the dark.
INK = "#1f2429"
MUTED = "#5b6470"
RULE = "#d5dae0"
BAND = "#eef1f4"
REQUIRED_BAND = "#dfe7ef"
PAPER = "#fffffe"
FAULT = "#fbe0cf"
LIMIT = "#b3470a"
BAD = "#c23b22"
SERIES = ("#5aa9dc", "#0b6cae", "#0a3255")
"""Of one kind and rising: p50, p95, p99."""
KINDS = ("#0b6caf", "#e08214", "#1b8a5a", "#a0459b", "#6b5b2a", "#4b4b4c")
"""Of different kinds: endpoints, outcomes."""
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))

DARK = {
    INK: "#e6e9ed",
    MUTED: "#a3adb8",
    RULE: "#3a424b",
    BAND: "#20262c",
    REQUIRED_BAND: "#2b3642",
    PAPER: "#14181c",
    FAULT: "#4a2c1c",
    LIMIT: "#f0985a",
    BAD: "#f2846f",
    SERIES[0]: "#3f83b5",
    SERIES[1]: "#63b3ed",
    SERIES[2]: "#cfe6fa",
    KINDS[0]: "#63b3ee",
    KINDS[1]: "#f0a94a",
    KINDS[2]: "#5cc998",
    KINDS[3]: "#d993d5",
    KINDS[4]: "#c4b47c",
    KINDS[5]: "#b5b5b6",
}
"""The same roles on a dark page."""

_SETTINGS = {
    "svg.fonttype": "none",  # text stays text: it can be read out, searched and selected
    "svg.hashsalt": "trueload",
    "font.family": ["DejaVu Sans"],
    "font.size": 12,
    "text.parse_math": False,  # a name with dollar signs is a name
    "text.color": INK,
    "axes.facecolor": PAPER,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "path.simplify": True,
}


Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Size:
    """A figure's width and height in CSS pixels."""

    width: int
    height: int


WIDE = Size(1000, 330)
NARROW = Size(380, 320)
COLUMN = Size(480, 360)

LEGEND_ROW = 17
"""Height of a row of a legend in pixels."""

_LEGEND_CHARACTER, _LEGEND_HANDLE = 6.4, 46

_DPI = 72  # an SVG of Matplotlib has 72 units to the inch


@contextmanager
def style() -> Iterator[None]:
    """Draw as all figures are drawn, and leave Matplotlib's settings as they were."""
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():  # type: ignore[arg-type]
        # Names may be in any script; the reader's browser has the fonts, we need not.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def paper(size: Size) -> Figure:
    """Make an empty figure of a size.

    Parameters
    ----------
    size : Size
        In CSS pixels.

    Returns
    -------
    Figure
        Without axes.
    """
    figure = Figure(figsize=(size.width / _DPI, size.height / _DPI), dpi=_DPI)
    figure.patch.set_facecolor(PAPER)
    return figure


def place(
    figure: Figure, *, left: float, right: float, top: float, bottom: float, gap: float = 0.0
) -> None:
    """Set the room around the axes.

    Parameters
    ----------
    figure : Figure
        Whose axes stand above each other.
    left, right, top, bottom : float
        Pixels between them and the edges of the figure.
    gap : float
        Pixels between axes.
    """
    width, height = figure.get_size_inches() * _DPI
    rows = max(1, len(figure.axes))
    inner = (height - top - bottom - gap * (rows - 1)) / rows
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        hspace=gap / inner,
    )


def legend(figure: Figure, every: Sequence[Axes], *, columns: int | None = None) -> int:
    """Put the legend of axes below everything, in one row where there is room.

    Parameters
    ----------
    figure : Figure
        Whose.
    every : sequence of Axes
        Whose labels stand in it, each once.
    columns : int, optional
        Instead of as many as there is room for.

    Returns
    -------
    int
        Rows that it takes, of :data:`LEGEND_ROW` pixels each; 1 where there is none.
    """
    found: dict[str, Artist] = {}
    for axes in every:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if not found:
        return 1
    width = figure.get_size_inches()[0] * _DPI
    widest = max(map(len, found)) * _LEGEND_CHARACTER + _LEGEND_HANDLE
    in_a_row = sum(map(len, found)) * _LEGEND_CHARACTER + len(found) * _LEGEND_HANDLE <= width
    fitting = len(found) if in_a_row else max(1, int(width // widest))
    columns = columns or min(fitting, len(found))
    figure.legend(
        list(found.values()),
        list(found),
        loc="lower left",
        bbox_to_anchor=(0, 0),
        ncols=columns,
        borderaxespad=0.2,
        handlelength=2.2,
        columnspacing=1.4,
        fontsize=11,
    )
    return math.ceil(len(found) / columns)


def plain(value: float, _position: object = None) -> str:
    """Write a tick: thousands with a comma, no exponents, no needless zeros.

    Parameters
    ----------
    value : float
        Where the tick is, in the axis's unit.
    _position : object, optional
        What Matplotlib hands to a formatter beside it.

    Returns
    -------
    str
        For example ``"1,000"`` or ``"0.25"``.
    """
    if value == 0:
        return "0"
    if abs(value) >= 1000:  # noqa: PLR2004 - where the comma begins
        return f"{value:,.0f}"
    return f"{value:.6g}"


_LOG_STEPS = {1: (1, 2, 5), 2: (1, 3), 4: (1,)}


def log_ticks(low: float, high: float, *, most: int = 9) -> list[float]:
    """Choose round values for a logarithmic axis.

    Parameters
    ----------
    low, high : float
        Ends of the axis, above zero.
    most : int
        Ticks there is room for.

    Returns
    -------
    list of float
        Rising, inside the ends.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in _LOG_STEPS.values():
        ticks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        inside = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(inside) <= most:
            return inside
    return inside[:: math.ceil(len(inside) / most)]


def scale_axis(
    axes: Axes, which: str, low: float, high: float, *, log: bool, most: int = 7, room: float = 1.25
) -> None:
    """Give an axis its ends and plain ticks; a linear one begins at zero.

    Parameters
    ----------
    axes : Axes
        Whose axis.
    which : str
        ``"x"`` or ``"y"``.
    low, high : float
        Smallest and largest value that is shown.
    log : bool
        Logarithmic.
    most : int
        Ticks there is room for.
    room : float
        Factor between what is shown and the ends of a logarithmic axis.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    set_ends = axes.set_xlim if which == "x" else axes.set_ylim
    if log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        ends = (low / room, high * room)
        axis.set_major_locator(FixedLocator(log_ticks(*ends, most=most)))
        axis.set_minor_locator(NullLocator())
    else:
        ends = (0.0, high * 1.08 if high > 0 else 1.0)
        axis.set_major_locator(MaxNLocator(nbins=most - 1, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(plain))
    set_ends(*ends)


_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_ROOT = re.compile(r"<svg\b[^>]*?viewBox=\"([^\"]*)\"[^>]*>")


def to_svg(figure: Figure, *, title: str, prefix: str = "") -> str:
    """Render a figure as SVG that depends on its content alone and asks for nothing.

    Parameters
    ----------
    figure : Figure
        Drawn inside :func:`style`.
    title : str
        Read out by screen readers.
    prefix : str
        Put before every id, so that several can stand in one page.

    Returns
    -------
    str
        One ``<svg>`` element: no date, no metadata, no links.
    """
    FigureCanvasSVG(figure)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with style():
        figure.savefig(buffer, format="svg", metadata=nothing, facecolor=PAPER)
    svg = _METADATA.sub("", _HEAD.sub("", buffer.getvalue()))
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'(?<= )id="', f'id="{prefix}', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}", svg)
    svg = re.sub(r'href="#', f'href="#{prefix}', svg)
    root = _ROOT.search(svg)
    box = root[1] if root else "0 0 1 1"
    _, _, width, height = box.split()
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{width}" '
        f'height="{height}" role="img" aria-label="{_attribute(title)}">'
    )
    return _ROOT.sub(lambda _: head, svg, count=1).strip() + "\n"


def to_image(figure: Figure, kind: str) -> bytes:
    """Render a figure for what shows no SVG: a document, a slide.

    Parameters
    ----------
    figure : Figure
        Drawn inside :func:`style`.
    kind : str
        ``"png"``, two pixels to each of the screen, or ``"pdf"``.

    Returns
    -------
    bytes
        The file, with no date and no author.
    """
    buffer = io.BytesIO()
    names = ("Software",) if kind == "png" else ("Creator", "Producer", "CreationDate")
    with style():
        figure.savefig(
            buffer,
            format=kind,
            dpi=2 * _DPI,
            metadata=dict.fromkeys(names),
            facecolor=PAPER,
        )
    return buffer.getvalue()


def _attribute(text: str) -> str:
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, entity)
    return text


def themed(svg: str, names: Mapping[str, str]) -> str:
    """Replace the colours of an SVG by variables of the page that it stands in.

    Parameters
    ----------
    svg : str
        As :func:`to_svg` gives it.
    names : mapping of str to str
        Variable by colour.

    Returns
    -------
    str
        With ``var(--name)`` for each of them.
    """
    return re.sub(
        r"#[0-9a-f]{6}\b",
        lambda found: f"var(--{names[found[0]]})" if found[0] in names else found[0],
        svg,
    )
