"""A run repeated with its hidden scans poisoned, from the raw files to the verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from joblib import delayed

from mmmed.pipelines.backends.running import parallel_jobs
from mmmed.pipelines.verify_mask.bench import Bench, lay_out, plan_faults
from mmmed.pipelines.verify_mask.control import standard
from mmmed.pipelines.verify_mask.findings import Fault, differences
from mmmed.pipelines.verify_mask.making import make
from mmmed.pipelines.verify_mask.passes import Pass, plan_passes
from mmmed.pipelines.verify_mask.poison import (
    VARIANTS,
    Item,
    Poisons,
    Variant,
    array_digest,
)
from mmmed.pipelines.verify_mask.recorded import Recorded
from mmmed.pipelines.verify_mask.repeat import (
    Turn,
    compared_predictions,
    in_parallel,
    predict_again,
)
from mmmed.pipelines.verify_mask.retraining import chosen, retrained
from mmmed.pipelines.verify_mask.verdict import Verdict, replaced
from mmmed.pipelines.verify_mask.work import Turns, Work, own_cache, train_hidden, within
from mmmed.progress import Listener
from mmmed.record import cache, table

PREDICTIONS = "predictions.tsv"
HOW: Mapping[Variant, str] = {"noise": "noise", "swap": "swapped between cases"}


def verify(
    recorded: Recorded, scratch: Path, *, retrain: int, jobs: int | None, listener: Listener
) -> Verdict:
    """Predict a run again from its raw files with hidden scans replaced, and train some of it.

    Args:
        recorded: the run; nothing of it is written to.
        scratch: a folder of its own. What lies there of an interrupted repetition is gone on with.
        retrain: jobs that are trained again, one method after the other.
        jobs: processes; by default the cores that the threads of one job leave.
        listener: hears how far it is.

    Raises:
        RunError: the run cannot be read, or its raw files are not there or not those it read.
    """
    begun = time.monotonic()
    workers = parallel_jobs(jobs, threads=recorded.resolved.study.training.threads)
    simulated = cache.made()
    with own_cache(scratch):
        bench = lay_out(recorded, scratch, simulated=simulated, jobs=workers, listener=listener)
        faults = plan_faults(bench)
        passes = plan_passes(bench.folds, bench.stocked.shelf)
        hidden = _hidden(bench, passes)
        if not any(hidden.values()):
            return Verdict(tuple(faults), seconds=time.monotonic() - begun)
        wanted = sorted({item for items in hidden.values() for item in items})
        poisons = {variant: _made(bench, wanted, variant) for variant in VARIANTS}
        work = Work(bench, poisons, _clean(bench, wanted), standard(bench, jobs=workers))
        turns: dict[Variant, Mapping[str, list[Turn]]] = {}
        for variant in VARIANTS:
            turns[variant], found = _turns(work, variant, passes)
            faults += found
        faults += [*_predicted(work, turns, jobs=workers), *_gathered(bench)]
        trained = [retrained(work, key, turns) for key in chosen(bench, retrain)]
    return Verdict(
        faults=tuple(
            dict.fromkeys(
                [*faults, *work.standard.faults, *(one for _, mine in trained for one in mine)]
            )
        ),
        replaced=replaced(hidden, poisons),
        jobs=len(bench.jobs),
        views=len(VARIANTS) * sum(len(job.plan.views) for job in bench.jobs.values()),
        retrained=tuple(one for one, _ in trained),
        methods=Counter(key[0] for key in bench.jobs),
        against=work.standard.words,
        notes=work.standard.notes,
        seconds=time.monotonic() - begun,
    )


def _hidden(bench: Bench, passes: Sequence[Pass]) -> dict[str, list[Item]]:
    """Part -> what some model or view does not see of what its case owns."""
    train = {item for items in train_hidden(bench).values() for item in items}
    test = {item for one in passes for item in (*one.hidden, *one.shared)}
    return {"train": sorted(train), "test": sorted(test)}


def _made(bench: Bench, wanted: Sequence[Item], variant: Variant) -> Poisons:
    """Poison, made where nothing else was prepared."""
    kitchen = within(bench.kitchen, variant)
    with own_cache(kitchen.cache.parent):
        return make(kitchen, wanted, variant)


def _clean(bench: Bench, wanted: Sequence[Item]) -> dict[Item, str]:
    """Item -> digest of its array, nothing being poisoned."""
    chosen = set(wanted)
    return {
        (name, one.source): array_digest(one)
        for mine in bench.stocked.shelf.items.values()
        for name, items in mine.items()
        for one in items
        if (name, one.source) in chosen
    }


def _predicted(work: Work, turns: Turns, *, jobs: int) -> list[Fault]:
    """Predict every job again under both kinds of poison; where the results differ."""
    bench = work.bench
    tasks = [
        (key, variant, mine[key[2]])
        for variant, mine in turns.items()
        for key in bench.jobs
        if key[2] in mine
    ]
    calls = [
        delayed(predict_again)(
            bench.jobs[key],
            bench.recorded.jobs[key] / "model",
            mine,
            bench.scratch_of(key) / f"{variant}.tsv",
        )
        for key, variant, mine in tasks
    ]
    in_parallel(calls, jobs=jobs, report=bench.kitchen.report, task="predict again")
    return [
        fault
        for key, variant, _ in tasks
        for fault in compared_predictions(
            work.standard.predictions[key],
            bench.scratch_of(key) / f"{variant}.tsv",
            job=bench.jobs[key].name,
            how=HOW[variant],
        )
    ]


def _turns(
    work: Work, variant: Variant, passes: Sequence[Pass]
) -> tuple[Mapping[str, list[Turn]], list[Fault]]:
    """Fold -> the shelves that together score its views; no fold where one cannot be made."""
    turns: dict[str, list[Turn]] = {}
    faults: list[Fault] = []
    spoilt: set[str] = set()
    for number, one in enumerate(passes, start=1):
        name = f"{variant}-{one.name}"
        shelf, found = work.shelf(
            work.poisons[variant], sorted(one.hidden), variant=variant, name=name
        )
        faults += found
        for fold, shown in one.shown.items():
            if shelf is None:
                spoilt.add(fold)
            else:
                turns.setdefault(fold, []).append(Turn(shelf, dict(shown)))
        work.bench.kitchen.report(f"repeat with {variant}", number, len(passes))
    return {fold: mine for fold, mine in turns.items() if fold not in spoilt}, faults


def _gathered(bench: Bench) -> list[Fault]:
    """Whether the predictions of the run are those of its jobs."""
    recorded, merged = bench.recorded, bench.kitchen.scratch / PREDICTIONS
    table.merge(merged, table.PREDICTIONS, [one / PREDICTIONS for one in recorded.jobs.values()])
    text = "predictions.tsv is not what the jobs predicted"
    return differences(
        recorded.run / PREDICTIONS, merged, table.PREDICTIONS, kind="table", text=text
    )
