"""A picture by which a registration is judged: slices of the scan under the template's contours.

Three slices along each axis, in the template's space. The outer line is the template's brain, the
inner one where it is half as bright as its brightest tissue. The same scan gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmmed.readers import template
from mmmed.readers.template import Like
from mmmed.transforms.raster import Raster
from mmmed.transforms.registration.scan import Scan, averaged

DETAIL_MM = 2.0
PLANES_MM: tuple[tuple[int, tuple[float, float, float]], ...] = (
    (2, (-20.0, 10.0, 40.0)),
    (1, (-60.0, -20.0, 20.0)),
    (0, (-30.0, 1.0, 30.0)),
)
"""Axis of the template and mm along it of the slices of one row."""

OUTER, INNER = "#e69f00", "#56b4e9"
"""Colours of the lines, told apart by colour-blind eyes (Okabe and Ito)."""


def drawn(raster: Raster, matrix: np.ndarray, like: Like, *, title: Sequence[str]) -> bytes:
    """A PNG of a scan in the place that a map gives it.

    Args:
        raster: the scan, as read.
        matrix: (4, 4) mm of the scan -> mm of the template.
        like: which template's contours are drawn.
        title: lines above the slices.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 7.2), dpi=80, facecolor="black")
    axes: Any = figure.subplots(3, 3)
    scan = averaged(Scan(raster.data[0], raster.affine), voxel_mm=DETAIL_MM)
    shown = _in_template(scan, matrix)
    low, high = np.percentile(shown, [1, 99.5])
    for row, (axis, planes) in zip(axes, PLANES_MM, strict=True):
        for place, mm in zip(row, planes, strict=True):
            _slice(place, shown, like, axis=axis, mm=mm, limits=(low, max(high, low + 1e-6)))
    text = "\n".join(title)
    figure.text(0.02, 0.98, text, color="white", fontsize=7, va="top", parse_math=False)
    figure.subplots_adjust(left=0, right=1, bottom=0, top=0.9, wspace=0.02, hspace=0.02)
    file = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(file, metadata={"Software": None})
    return file.getvalue()


def _in_template(scan: Scan, matrix: np.ndarray) -> np.ndarray:
    """The scan on the template's grid, (i, j, k)."""
    points = template.grid(DETAIL_MM).centres
    back = np.linalg.inv(matrix)
    mm = points.reshape(-1, 3) @ back[:3, :3].T + back[:3, 3]
    return scan.at(mm).reshape(points.shape[:3])


def _slice(
    place: Any, shown: np.ndarray, like: Like, *, axis: int, mm: float, limits: tuple[float, float]
) -> None:
    grid = template.grid(DETAIL_MM)
    index = round((mm - grid.affine[axis, 3]) / DETAIL_MM)
    look = template.looks(like, DETAIL_MM)
    picture, brain, tissue = (
        np.take(values, index, axis=axis).T
        for values in (shown, template.brain_mask(DETAIL_MM).astype(float), look)
    )
    place.imshow(picture, cmap="gray", vmin=limits[0], vmax=limits[1], origin="lower")
    place.contour(brain, levels=[0.5], colors=OUTER, linewidths=0.8)
    place.contour(tissue, levels=[float(look.max()) / 2], colors=INNER, linewidths=0.4)
    place.set_axis_off()
