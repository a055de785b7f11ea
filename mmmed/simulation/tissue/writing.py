"""Simulated slides written as BreakHis is, and `truth.json`, written last.

An image that is there is not written again, so that an interrupted call goes on; the same settings
give the same bytes.
"""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from mmmed.modality import Pattern, every_pattern
from mmmed.progress import Progress
from mmmed.record import atomic
from mmmed.simulation.begin import begin
from mmmed.simulation.each import each
from mmmed.simulation.format import FORMAT
from mmmed.simulation.tissue.law import MAGNIFICATIONS, best, log_odds
from mmmed.simulation.tissue.rendering import draw_slide, render
from mmmed.simulation.tissue.slides import SlideOrder, draw_slides, generator
from mmmed.simulation.tissue.spec import BreakHisSimulation

TRUTH = "truth.json"
PATTERNS = every_pattern(MAGNIFICATIONS)


def write(
    spec: BreakHisSimulation, out: Path, *, jobs: int = 1, progress: Progress | None = None
) -> None:
    """Write every image and the truth about them.

    Args:
        spec: the cohort.
        out: the folder; missing, empty, or begun with the same settings in the same format.
        jobs: processes that write; no byte depends on it.
        progress: called with (slides written, slides).

    Raises:
        StudyError: the folder holds something else.
        RunError: it cannot be written to.
    """
    begun = begin(out, {"format": FORMAT, **spec.model_dump(mode="json")})
    if begun and (out / TRUTH).exists():
        return
    slides = draw_slides(spec)
    each(partial(_write, spec, out), slides, jobs=jobs, progress=progress)
    atomic.write_json(out / TRUTH, truth(spec, slides))


def truth(spec: BreakHisSimulation, slides: list[SlideOrder]) -> dict[str, Any]:
    """What `truth.json` holds: the law, and of every slide burdens and log-odds per pattern."""
    return {
        "law": spec.law.model_dump(mode="json"),
        "seed": spec.seed,
        "matched": spec.matched,
        "ceilings": {str(one): best(spec.law, {one: 1.0}, prior=spec.prior) for one in PATTERNS},
        "cases": {
            one.case: {
                "label": one.label,
                **{
                    f"z_{name}": float(burden)
                    for name, burden in zip(MAGNIFICATIONS, one.burdens, strict=True)
                },
                "log_odds": {str(pattern): _log_odds(spec, one, pattern) for pattern in PATTERNS},
            }
            for one in slides
        },
    }


def _log_odds(spec: BreakHisSimulation, slide: SlideOrder, pattern: Pattern) -> float:
    return float(log_odds(spec.law, slide.burdens[None], pattern, prior=spec.prior)[0])


def _write(spec: BreakHisSimulation, out: Path, order: SlideOrder) -> None:
    slide = draw_slide(generator(spec, "stain", order.place))
    centred = order.burdens - spec.law.shifts / 2
    for column, (name, magnification) in enumerate(MAGNIFICATIONS.items()):
        for sequence in range(1, order.images.get(name, 0) + 1):
            path = out / order.path(name, sequence)
            if path.exists():
                continue
            random = generator(spec, "image", order.place, magnification, sequence)
            shape = (spec.rows, spec.rows * 3 // 2)
            pixels = render(magnification, float(centred[column]), slide, random, shape=shape)
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, format="PNG", compress_level=1)
            atomic.write_bytes(path, file.getvalue())
