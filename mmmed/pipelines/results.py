"""From the jobs' predictions to the run's tables, figures and report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from mmmed.audit.report import write_report
from mmmed.cohorts.cohort import Cohort
from mmmed.evaluation.figures.conclusions import write_conclusions
from mmmed.evaluation.figures.draw import write_figures
from mmmed.evaluation.images import image_rates, read_images
from mmmed.evaluation.known import Truth, read_oracle
from mmmed.evaluation.predictions import Section, of_section, read_predictions, sections
from mmmed.evaluation.result import score_tables
from mmmed.evaluation.scores import headline
from mmmed.evaluation.summary import main_rows, metrics_document
from mmmed.evaluation.text import pattern_table, rate_table, robustness_table
from mmmed.pipelines.acquisition import write_acquisition
from mmmed.pipelines.analysis import write_statistics
from mmmed.pipelines.arena import training_costs, write_arena
from mmmed.pipelines.job import Job
from mmmed.pipelines.jobs import ATTENTION, OUTLOOKS
from mmmed.pipelines.study import Study
from mmmed.pipelines.tuning import TUNING
from mmmed.record import atomic, table
from mmmed.training import attended
from mmmed.training.package import state_performance
from mmmed.training.shelf import Shelf

GATHERED = {
    "predictions.tsv": table.PREDICTIONS,
    "images.tsv": table.IMAGES,
    TUNING: table.TUNING,
}


def gather(run: Path, jobs: Sequence[Job]) -> None:
    """Each table of the run that all its finished jobs have, from theirs."""
    for name, schema in GATHERED.items():
        parts = [job.folder(run) / name for job in jobs]
        if all(part.exists() for part in parts):
            table.merge(run / name, schema, parts)
    told = [part for job in jobs if (part := job.folder(run) / OUTLOOKS).exists()]
    if told:
        table.merge(run / OUTLOOKS, table.COUNTERFACTUAL, told)


def gather_attention(run: Path, jobs: Sequence[Job], shelf: Shelf, *, cohort: str) -> None:
    """`attention.tsv` of the run, and pictures of what the first job that attends attended to.

    Nothing where no method weighs items.
    """
    telling = [folder for job in jobs if ((folder := job.folder(run)) / ATTENTION).is_file()]
    if not telling:
        return
    table.merge(run / ATTENTION, table.ATTENTION, [folder / ATTENTION for folder in telling])
    rows = table.rows(telling[0] / "predictions.tsv", table.PREDICTIONS)
    predictions = attended.surest(row for row in rows if row["cohort"] == cohort)
    attention = table.rows(telling[0] / ATTENTION, table.ATTENTION)
    attended.write(run, shelf, predictions, attention)


def evaluate(
    run: Path,
    study: Study,
    cohort: Cohort,
    *,
    notes: Sequence[str],
    external: Mapping[str, Path] = MappingProxyType({}),
) -> str:
    """`metrics.json`, `statistics.json`, `tables/`, `figures/` and `report.html` of a run.

    Its answers and tables are returned as text.

    Figures and texts are of the study's own cohort under its first training; `metrics.json` holds
    the others as well. The run's model package is told how well its method did per pattern.

    Reads nothing but files of the run folder.

    Args:
        run: with predictions.tsv and presence.tsv, on simulated data truth.json and ceilings.json.
        study: names the positive class and how intervals are made.
        cohort: names the classes.
        notes: sentences to stand beside the numbers.
        external: cohort -> its folder in the run, with its own truth and ceilings where simulated.
    """
    positive = study.evaluation.positive or cohort.positive
    truth, ceilings = _optional(run / "truth.json"), _optional(run / "ceilings.json")
    predictions = read_predictions(run / "predictions.tsv")
    found = dict(sections(predictions))
    first = (cohort.name, study.protocols.trainings[0].name)
    main = first if first in found else next(iter(found))
    methods = _scored(study, predictions)
    oracle = read_oracle(truth) if truth else None
    others = {name: _truth(folder) for name, folder in external.items()}
    notes = [*notes, *(ceilings["notes"] if ceilings else ())]
    document = metrics_document(
        {
            head: score_tables(
                part,
                classes=cohort.classes,
                positive=positive,
                interval=study.evaluation.interval,
                oracle=others[head[0]].oracle if head[0] in others else oracle,
                methods=methods,
            )
            for head, part in found.items()
        },
        main=main,
        classes=cohort.classes,
        interval=study.evaluation.interval,
        ceilings=ceilings,
        against=methods[0] if len(methods) > 1 else None,
        notes=notes,
        rule=cohort.rule,
        external=others,
    )
    rows = main_rows(document)
    images = run / "images.tsv"
    if images.exists():
        document["images"] = image_rates(
            of_section(read_images(images), main),
            found[main],
            classes=cohort.classes,
            methods=methods,
            interval=study.evaluation.interval,
        )
    atomic.write_json(run / "metrics.json", document)
    statistics = write_statistics(
        run,
        predictions,
        study.evaluation,
        classes=cohort.classes,
        positive=positive,
        methods=methods,
        oracle=oracle,
        ceilings=ceilings,
        notes=notes,
        external=others,
    )
    write_figures(
        run / "figures",
        predictions=found[main],
        rows=rows,
        presence=_presence(run, main),
        classes=cohort.classes,
        positive=positive,
    )
    own = [part for (name, _), part in found.items() if name not in others]
    write_conclusions(run / "figures", statistics, main=main, seconds=_seconds(run, train=main[1]))
    write_arena(
        run,
        pd.concat(own),
        study,
        classes=cohort.classes,
        positive=positive,
        hidden=_hidden(run),
    )
    write_acquisition(
        run, study.evaluation.plan(), classes=cohort.classes, positive=positive, truth=truth
    )
    state_performance(run / "model", _forced(rows, methods[0]))
    write_report(run)
    attainable = ceilings["attainable"] if ceilings else None
    metric = headline(cohort.classes)
    texts = [
        "\n".join(f"- {answer}" for answer in statistics.answers),
        robustness_table(rows, metric=metric),
        pattern_table(rows, metric=metric, attainable=attainable),
        rate_table(document.get("images", ())),
    ]
    return "\n\n".join(text for text in texts if text)


def _scored(study: Study, predictions: pd.DataFrame) -> list[str]:
    """The methods that predicted something, as the study lists them."""
    known = set(predictions["method"])
    return [method.name for method in study.methods if method.name in known]


def _seconds(run: Path, *, train: str) -> dict[str, list[float]]:
    """Method -> seconds of each of its trainings under one protocol."""
    return {
        method: [one["seconds"]["training"] for one in found]
        for (method, name), found in training_costs(run).items()
        if name == train
    }


def _presence(run: Path, section: Section) -> pd.DataFrame:
    """Who of a cohort shows what under one training and under the test protocols."""
    cohort, train = section
    rows = pd.DataFrame(table.read(run / "presence.tsv", table.PRESENCE))
    return rows[(rows["cohort"] == cohort) & rows["train"].isin((train, table.MISSING))]


def _truth(folder: Path) -> Truth:
    truth = _optional(folder / "truth.json")
    oracle = read_oracle(truth) if truth else None
    return Truth(oracle, _optional(folder / "ceilings.json"))


def _forced(rows: Sequence[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    """What a package says of its method: the same people under every pattern."""
    kept = ("pattern", "metric", "value", "low", "high", "n", "n_positive")
    return [
        {name: row[name] for name in kept}
        for row in rows
        if row["method"] == method and row["table"] == "forced"
    ]


def _hidden(run: Path) -> list[str]:
    """The modalities that a protocol hides from someone."""
    rows = table.rows(run / "presence.tsv", table.PRESENCE)
    return sorted({row["modality"] for row in rows if row["status"] == "hidden"})


def _optional(path: Path) -> dict[str, Any] | None:
    found: dict[str, Any] | None = atomic.read_json(path) if path.exists() else None
    return found
