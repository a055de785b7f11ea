"""A picture by which a registration is judged: slices of the scan under the template's contours.

Three slices along each axis, in the template's space. The outer line is the template's brain, the
inner one where it is half as bright as its brightest tissue. The same scan gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
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
    axes: Any = figure.add_axes((0, 0, 1, 0.9))
    scan = averaged(Scan(raster.data[0], raster.affine), voxel_mm=DETAIL_MM)
    shown = _mosaic(_sampled(scan, matrix))
    low, high = np.percentile(shown, [1, 99.5])
    axes.imshow(shown, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
    brain, tissue = _contours(like)
    axes.contour(brain, levels=[0.5], colors=OUTER, linewidths=0.8)
    axes.contour(tissue, levels=[float(tissue.max()) / 2], colors=INNER, linewidths=0.4)
    axes.set_axis_off()
    text = "\n".join(title)
    figure.text(0.02, 0.98, text, color="white", fontsize=7, va="top", parse_math=False)
    file = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(file, metadata={"Software": None})
    return file.getvalue()


def _sampled(scan: Scan, matrix: np.ndarray) -> list[np.ndarray]:
    """The scan on each of the planes."""
    points = template.grid(DETAIL_MM).centres
    back = np.linalg.inv(matrix)
    planes = _planes(points)
    return [
        scan.at(one.reshape(-1, 3) @ back[:3, :3].T + back[:3, 3]).reshape(one.shape[:2])
        for one in planes
    ]


@lru_cache(maxsize=2)
def _contours(like: Like) -> tuple[np.ndarray, np.ndarray]:
    """The template's brain and its tissue on the planes, as mosaics."""
    brain = template.brain_mask(DETAIL_MM).astype(float)
    return _mosaic(_planes(brain)), _mosaic(_planes(template.looks(like, DETAIL_MM)))


def _planes(values: np.ndarray) -> list[np.ndarray]:
    """The planes of an array on the template's grid, (row, column, ...) with the top last."""
    affine = template.grid(DETAIL_MM).affine
    return [
        np.swapaxes(np.take(values, round((mm - affine[axis, 3]) / DETAIL_MM), axis=axis), 0, 1)
        for axis, planes in PLANES_MM
        for mm in planes
    ]


def _mosaic(planes: Sequence[np.ndarray]) -> np.ndarray:
    """Planes side by side in rows, the top first, each in the middle of its tile."""
    height, width = np.max([one.shape for one in planes], axis=0)
    columns = len(PLANES_MM[0][1])
    made = np.zeros((len(planes) // columns * height, columns * width))
    for number, plane in enumerate(planes):
        row, column = divmod(number, columns)
        top = row * height + (height - plane.shape[0]) // 2
        left = column * width + (width - plane.shape[1]) // 2
        made[top : top + plane.shape[0], left : left + plane.shape[1]] = plane[::-1]
    return made
