"""The figures of what a study may say, from the tables of `statistics.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.cost import cost_accuracy
from mmmed.evaluation.figures.differences import difference_forest
from mmmed.evaluation.figures.place import readable
from mmmed.evaluation.figures.ranks import rank_bars
from mmmed.evaluation.figures.trainings import training_map
from mmmed.evaluation.study.rows import Row
from mmmed.evaluation.study.statistics import Statistics


def write_conclusions(
    folder: Path,
    statistics: Statistics,
    *,
    main: tuple[str, str],
    seconds: Mapping[str, Sequence[float]],
) -> list[Path]:
    """Write what can be drawn as PNG files into `folder`; what cannot is left out.

    Args:
        folder: where they go, `figures/` of a run.
        statistics: of the run.
        main: cohort and training that the figures are about; those of trainings are about all.
        seconds: method -> of training under that one, a number per job.
    """
    drawings = _drawn(statistics, main, seconds)
    return [
        style.save(figure, folder / f"{name}.png")
        for name, figure in drawings
        if figure is not None
    ]


def _drawn(
    statistics: Statistics, main: tuple[str, str], seconds: Mapping[str, Sequence[float]]
) -> Iterator[tuple[str, Figure | None]]:
    measure = statistics.headline
    compared = [
        row
        for row in _of(statistics.comparisons, main)
        if row["kind"] == "methods" and row["measure"] == measure
    ]
    margin = statistics.plan["margin"]
    yield "differences", difference_forest(readable(compared), margin=margin, measure=measure)
    yield "ranks", rank_bars(readable(_of(statistics.ranks, main)))
    yield "cost-accuracy", cost_accuracy(_of(statistics.curves, main), seconds, measure=measure)
    own = [row for row in statistics.scores if (row["cohort"] or "") == main[0]]
    yield "trainings", training_map(own, measure=measure)


def _of(rows: Sequence[Row], main: tuple[str, str]) -> list[Row]:
    """The rows of one cohort and training."""
    return [row for row in rows if (row["cohort"] or "", row["train"] or "") == main]
