"""Simulated whole slides in a folder, their tables, and `truth.json`, written last.

`slides.csv` says whose each slide is (`case_id,slide_id,label`), `mpp.csv` how large the pixels are
of what does not say so itself (`wsi,mpp`). A slide that is there is not written again, so that an
interrupted call goes on; the same settings give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmmed.modality import Pattern, every_pattern, natural_sorted
from mmmed.progress import Progress
from mmmed.record import atomic
from mmmed.simulation.begin import begin
from mmmed.simulation.each import each
from mmmed.simulation.format import FORMAT
from mmmed.simulation.slides.ground import Outline
from mmmed.simulation.slides.order import CLASSES, WholeSlide, draw_whole_slides, prior
from mmmed.simulation.slides.pyramid import ground_of, side_of, write_pyramid
from mmmed.simulation.slides.spec import LEVELS, SlideSimulation
from mmmed.simulation.tissue.law import MAGNIFICATIONS, best, log_odds

TRUTH, TABLE, MPP = "truth.json", "slides.csv", "mpp.csv"
PATTERNS = every_pattern(natural_sorted(LEVELS))


def write(
    spec: SlideSimulation, out: Path, *, jobs: int = 1, progress: Progress | None = None
) -> None:
    """Write every slide, the tables and the truth about them.

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
    slides = draw_whole_slides(spec)
    each(partial(_write, spec, out), slides, jobs=jobs, progress=progress)
    rows = [f"{one.case},{one.id},{CLASSES[one.label]}" for one in slides]
    atomic.write_text(out / TABLE, "\n".join(["case_id,slide_id,label", *rows, ""]))
    sizes = [f"{one.file},{one.mpp}" for one in slides if not one.states_mpp]
    atomic.write_text(out / MPP, "\n".join(["wsi,mpp", *sizes, ""]))
    atomic.write_json(out / TRUTH, truth(spec, slides))


def as_law(pattern: Pattern) -> Pattern:
    """A pattern of objectives in the names of the law."""
    return Pattern.of(LEVELS[name] for name in pattern)


def truth(spec: SlideSimulation, slides: Sequence[WholeSlide]) -> dict[str, Any]:
    """What `truth.json` holds: the law, burdens and log-odds of patients, the ground of slides.

    Polygons are corners (x, y) in pixels of the slide's finest level.
    """
    before = prior(slides)
    cases = {one.case: one for one in slides}
    return {
        "law": spec.law.model_dump(mode="json"),
        "seed": spec.seed,
        "matched": spec.matched,
        "ceilings": {
            str(one): best(spec.law, {as_law(one): 1.0}, prior=before) for one in PATTERNS
        },
        "cases": {
            name: {
                "label": one.label,
                **{
                    f"z_{modality}": float(one.burdens[list(MAGNIFICATIONS).index(shown)])
                    for modality, shown in LEVELS.items()
                },
                "log_odds": {
                    str(pattern): _log_odds(spec, one, pattern, before) for pattern in PATTERNS
                },
            }
            for name, one in cases.items()
        },
        "slides": {one.id: _slide(spec, one, before) for one in slides},
    }


def _slide(spec: SlideSimulation, order: WholeSlide, before: float) -> dict[str, Any]:
    ground, side = ground_of(spec, order), side_of(spec, order.modalities[0])

    def pixels(outline: Outline) -> list[list[float]]:
        return [[round(x * side, 1), round(y * side, 1)] for x, y in outline]

    offered = Pattern.of(order.modalities)
    return {
        "file": order.file,
        "case": order.case,
        "mpp": order.mpp,
        "states_mpp": order.states_mpp,
        "offers": str(offered),
        "log_odds": _log_odds(spec, order, offered, before),
        "tissue": pixels(ground.tissue),
        "holes": [pixels(one) for one in ground.holes],
        "pens": [pixels(one.outline) for one in ground.pens],
    }


def _log_odds(spec: SlideSimulation, one: WholeSlide, pattern: Pattern, before: float) -> float:
    return float(log_odds(spec.law, one.burdens[None], as_law(pattern), prior=before)[0])


def _write(spec: SlideSimulation, out: Path, order: WholeSlide) -> None:
    path = out / order.file
    if not path.exists():
        with atomic.replacing(path) as temporary:
            write_pyramid(spec, order, temporary)
