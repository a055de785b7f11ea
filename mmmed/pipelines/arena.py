"""The imputation arena of a run: `arena.json`, `tables/arena.csv` and its figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mmmed.errors import DataError
from mmmed.evaluation.arena.arena import Arena, arena
from mmmed.evaluation.arena.contest import Entrant
from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.draw import file_name
from mmmed.evaluation.figures.looks import better_looks
from mmmed.pipelines.analysis import TABLES
from mmmed.pipelines.jobs import COST, SECONDS
from mmmed.pipelines.study import Study
from mmmed.pipelines.told import IMPUTED
from mmmed.record import atomic, table

NAME = "arena.json"


def write_arena(
    run: Path,
    predictions: pd.DataFrame,
    study: Study,
    *,
    classes: Sequence[str],
    positive: str | None,
    hidden: Sequence[str],
) -> Arena | None:
    """Write and return the arena of a run; None, and no file, where no method imputes.

    Args:
        run: the run folder; its jobs' folders hold what they guessed and what they cost.
        predictions: of the run.
        study: which methods impute, and what is asked.
        classes: names, in the order of the probabilities.
        positive: the class that scores are about; None with more than two.
        hidden: modalities that the study's protocols hide.
    """
    scored = set(predictions["method"])
    entrants = [Entrant(one.name, one.imputes) for one in study.methods if one.name in scored]
    if not any(one.imputer for one in entrants):
        return None
    found = arena(
        predictions,
        _imputed(run),
        training_costs(run),
        entrants=entrants,
        classes=classes,
        positive=positive,
        plan=study.evaluation.plan(),
        lost=hidden,
    )
    if found is None:
        return None
    atomic.write_json(run / NAME, found.to_json())
    atomic.write_text(run / TABLES / "arena.csv", found.to_csv())
    _draw(run / "figures", found)
    return found


def _imputed(run: Path) -> pd.DataFrame:
    """Rows of the jobs' tables of errors."""
    paths = sorted(run.glob(f"jobs/*/{IMPUTED}"))
    rows = [row for path in paths for row in table.rows(path, table.IMPUTED)]
    frame = pd.DataFrame(rows)
    if rows:
        try:
            frame["error"] = frame["error"].astype(float)
        except ValueError as error:
            raise DataError(
                f"{run}: jobs/*/{IMPUTED}: column 'error' holds what is no number ({error}); "
                "run the job again"
            ) from error
    return frame


def training_costs(run: Path) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """(method, train) -> seconds and operations of each of its jobs."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for path in sorted(run.glob(f"jobs/*/{COST}")):
        cost, seconds = atomic.read_json(path), path.with_name(SECONDS)
        if seconds.is_file():
            key = cost["method"], cost["train"]
            found[key].append({"cost": cost, "seconds": atomic.read_json(seconds)})
    return found


def _draw(folder: Path, found: Arena) -> None:
    """A figure per contest that has something to look at."""
    head = ("cohort", "train", "lost")
    contests = dict.fromkeys(tuple(row[name] for name in head) for row in found.points)
    for contest in contests:
        points, within, rows = (
            [row for row in part if tuple(row[name] for name in head) == contest]
            for part in (found.points, found.within, found.rows)
        )
        figure = better_looks(
            points, within, rows, reference=found.reference, measure=found.measure
        )
        if figure is not None:
            told = "-".join(file_name(str(one)) for one in reversed(contest) if one)
            style.save(figure, folder / f"arena-{told}.png")
