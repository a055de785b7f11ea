"""How far an imputed volume lies from the true one, inside the brain.

inside   voxels that differ from the background of the true volume, the median of its outer faces,
         by at least `INSIDE`; the whole volume where nothing does
mae      mean absolute error, in the volume's own units (standard deviations after `z-score`)
psnr     peak signal-to-noise ratio in dB; the peak is the range of the true volume inside
ssim     structural similarity (Wang et al. 2004, doi 10.1109/TIP.2003.819861), by MONAI, its map
         averaged inside
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

INSIDE = 1.0
"""Prepared volumes have a standard deviation of one within the brain; air lies far below it."""

WINDOW = 7
"""Voxels of the Gaussian window of SSIM, at most."""

SIGMA = 1.5
"""Of the window, in voxels, as in the paper."""

SMALLEST = 1e-12
"""Squared error below which two volumes count as equal, so that the ratio stays finite."""


def image_error(guess: Tensor, truth: Tensor) -> Mapping[str, Tensor]:
    """`mae`, `psnr` and `ssim`, (n,) each, of volumes (n, C, D, H, W)."""
    rows = [
        _of_one(one, other, brain)
        for one, other, brain in zip(guess, truth, inside(truth), strict=True)
    ]
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def inside(truth: Tensor) -> Tensor:
    """(n, C, D, H, W) boolean, True inside the brain."""
    found = []
    for volume in truth:
        away = (volume - _background(volume)).abs() >= INSIDE
        found.append(away if bool(away.any()) else torch.ones_like(away))
    return torch.stack(found)


def _of_one(guess: Tensor, truth: Tensor, brain: Tensor) -> dict[str, Tensor]:
    difference = (guess - truth)[brain]
    low, high = truth[brain].min(), truth[brain].max()
    span = (high - low).clamp(min=SMALLEST)
    noise = difference.square().mean().clamp(min=SMALLEST)
    return {
        "mae": difference.abs().mean(),
        "psnr": 10 * torch.log10(span.square() / noise),
        "ssim": _similarity(guess, truth, brain, span=float(span)),
    }


def _similarity(guess: Tensor, truth: Tensor, brain: Tensor, *, span: float) -> Tensor:
    from monai.metrics.regression import compute_ssim_and_cs  # MONAI takes seconds to import

    window = min(WINDOW, *truth.shape[1:])
    window -= 1 - window % 2  # an odd window has a middle
    similar, _ = compute_ssim_and_cs(
        guess[None],
        truth[None],
        spatial_dims=3,
        kernel_size=(window,) * 3,
        kernel_sigma=(SIGMA,) * 3,
        data_range=span,
    )
    edge = window // 2
    middle = brain[(slice(None), *(slice(edge, size - edge) for size in truth.shape[1:]))]
    return similar[0][middle].mean() if bool(middle.any()) else similar.mean()


def _background(volume: Tensor) -> Tensor:
    """The median of the outer faces of a volume (C, D, H, W)."""
    faces = [volume.select(axis, place).flatten() for axis in (1, 2, 3) for place in (0, -1)]
    return torch.cat(faces).median()
