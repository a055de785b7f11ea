"""How figures look: one palette, one way to make and to save a page.

Colours are those of Okabe and Ito (2008), which stay apart for the common forms of colour
blindness; each comes with its own marker and line, so that a print in grey can be read too.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmmed.record import atomic

INK = "#222222"
MUTED = "#767676"
FILLED = "#3b4f6b"
RULE = "#d9d9d9"
DPI = 160
SMALL = 8
NORMAL = 9


@dataclass(frozen=True)
class Look:
    """How one series is drawn."""

    colour: str
    marker: str
    line: str


LOOKS = (
    Look("#0072B2", "o", "-"),
    Look("#D55E00", "s", "--"),
    Look("#009E73", "^", "-."),
    Look("#CC79A7", "D", ":"),
    Look("#E69F00", "v", "-"),
    Look("#56B4E9", "P", "--"),
)


def look(index: int) -> Look:
    """The look of a series by its place; it repeats after six."""
    return LOOKS[index % len(LOOKS)]


def page(width: float, height: float) -> Figure:
    """An empty figure, in inches, that needs no display and no global state."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes) -> None:
    """Leave only the two axes that carry numbers, and a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=INK, labelsize=SMALL, length=3)
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG, whole or not at all; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    atomic.write_bytes(path, buffer.getvalue())
    return path
