"""A run repeated with its hidden scans poisoned, from the raw files to the verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from joblib import delayed

from mmmed.pipelines.backends import parallel_jobs
from mmmed.pipelines.verify_mask.bench import Bench, Shown, Training, lay_out, plan_faults
from mmmed.pipelines.verify_mask.control import Standard, standard
from mmmed.pipelines.verify_mask.findings import Fault, differences
from mmmed.pipelines.verify_mask.passes import Pass, items_of, plan_passes
from mmmed.pipelines.verify_mask.poison import (
    VARIANTS,
    Item,
    Poisons,
    Variant,
    array_digest,
    make,
)
from mmmed.pipelines.verify_mask.recorded import JobKey, Recorded
from mmmed.pipelines.verify_mask.repeat import (
    Turn,
    compared_packages,
    compared_predictions,
    in_parallel,
    predict_again,
    train_again,
)
from mmmed.pipelines.verify_mask.shelves import poisoned
from mmmed.pipelines.verify_mask.verdict import Retrained, Verdict, replaced
from mmmed.progress import Listener
from mmmed.record import cache, table
from mmmed.training import manifest
from mmmed.training.shelf import Shelf

PREDICTIONS = "predictions.tsv"
_Turns = Mapping[Variant, Mapping[str, list[Turn]]]
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
    with _own_cache(scratch):
        bench = lay_out(recorded, scratch, simulated=simulated, jobs=workers, listener=listener)
        faults = plan_faults(bench)
        hidden = _hidden(bench)
        if not any(hidden.values()):
            return Verdict(tuple(faults), seconds=time.monotonic() - begun)
        wanted = sorted({item for items in hidden.values() for item in items})
        poisons = {variant: make(bench.kitchen, wanted, variant) for variant in VARIANTS}
        work = _Work(bench, poisons, _clean(bench, wanted), standard(bench, jobs=workers))
        turns: dict[Variant, Mapping[str, list[Turn]]] = {}
        passes = plan_passes(bench.folds, bench.stocked.shelf)
        for variant in VARIANTS:
            turns[variant], found = _turns(work, variant, passes)
            faults += found
        faults += [*_predicted(work, turns, jobs=workers), *_gathered(bench)]
        trained = [_retrained(work, key, turns) for key in _chosen(bench, retrain)]
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
        against=work.standard.words,
        notes=work.standard.notes,
        seconds=time.monotonic() - begun,
    )


@dataclass(frozen=True)
class _Work:
    """What both halves of a repetition need.

    Attributes:
        bench: the run laid out anew.
        poisons: by variant.
        clean: item -> digest of its array as it is.
        standard: what results are compared with.
    """

    bench: Bench
    poisons: Mapping[Variant, Poisons]
    clean: Mapping[Item, str]
    standard: Standard

    def shelf(
        self, poisons: Poisons, hidden: Sequence[Item], name: str
    ) -> tuple[Shelf | None, tuple[Fault, ...]]:
        """The cohort's items with these hidden ones poisoned."""
        found = poisoned(
            self.bench.kitchen,
            self.bench.read,
            poisons,
            raw=self.bench.raw,
            hidden=hidden,
            clean=self.clean,
            name=name,
        )
        return found.shelf, found.faults


def _hidden(bench: Bench) -> dict[str, list[Item]]:
    """Part -> what some model or view does not see of what its case owns."""
    shelf = bench.stocked.shelf
    passes = plan_passes(bench.folds, shelf)
    train = {item for items in _train_hidden(bench).values() for item in items}
    test = {item for one in passes for item in (*one.hidden, *one.shared)}
    return {"train": sorted(train), "test": sorted(test)}


def _train_hidden(bench: Bench) -> dict[Training, set[Item]]:
    """Fold and training -> what the run says that its models were made without."""
    shelf = bench.stocked.shelf
    return {
        training: {
            (name, one.source)
            for case, name in pairs
            for one in shelf.items.get(case, {}).get(name, ())
        }
        for training, pairs in Shown.read(bench.recorded.run).hidden.items()
    }


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


def _predicted(work: _Work, turns: _Turns, *, jobs: int) -> list[Fault]:
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
    work: _Work, variant: Variant, passes: Sequence[Pass]
) -> tuple[Mapping[str, list[Turn]], list[Fault]]:
    """Fold -> the shelves that together score its views; no fold where one cannot be made."""
    turns: dict[str, list[Turn]] = {}
    faults: list[Fault] = []
    spoilt: set[str] = set()
    for number, one in enumerate(passes, start=1):
        name = f"{variant}-{one.name}"
        shelf, found = work.shelf(work.poisons[variant], sorted(one.hidden), name)
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


def _chosen(bench: Bench, count: int) -> list[JobKey]:
    """The first jobs, one method after the other, then their next fold, training or seed."""
    methods: dict[str, int] = {}
    ranked = []
    for place, key in enumerate(bench.jobs):
        methods[key[0]] = methods.get(key[0], -1) + 1
        ranked.append((methods[key[0]], place, key))
    return [key for _, _, key in sorted(ranked)[:count]]


def _retrained(work: _Work, key: JobKey, turns: _Turns) -> tuple[Retrained, list[Fault]]:
    """Train a job again without what it hid and without any test scan, and predict with it."""
    bench = work.bench
    job, own, scratch = bench.jobs[key], bench.recorded.jobs[key] / "model", bench.scratch_of(key)
    task = partial(bench.kitchen.report, f"train again: {job.name}")
    if work.standard.control:
        own = train_again(job, bench.stocked.shelf, scratch / "control", progress=task)
    hidden, poisons = _mixed(work, key)
    shelf, faults = work.shelf(poisons, hidden, f"train-{key[1]}-{key[2]}".replace(" ", "-"))
    before = manifest.read(own).weights
    if shelf is None:
        return Retrained(job.name, before, "none"), list(faults)
    again = train_again(job, shelf, scratch / "trained", progress=task)
    found = [*faults, *compared_packages(own, again, job=job.name)]
    mine = turns[VARIANTS[0]].get(key[2])
    if mine is not None:
        predict_again(job, again, mine, scratch / "trained.tsv")
        how = "replaced before it is trained"
        found += compared_predictions(
            work.standard.predictions[key], scratch / "trained.tsv", job=job.name, how=how
        )
    return Retrained(job.name, before, manifest.read(again).weights), found


def _mixed(work: _Work, key: JobKey) -> tuple[list[Item], Poisons]:
    """What training must not feel, and its poison: noise and another case's scan in turn."""
    _, train, fold, _ = key
    bench, shown = work.bench, Shown.read(work.bench.recorded.run).train
    shelf, parts = bench.stocked.shelf, work.bench.jobs[key].plan.fold
    made_of = {
        item
        for case in parts.cases("train", "validation", "calibration")
        for item in items_of(shelf, [case])
        if item[0] in shown.get((fold, train), {}).get(case, set(shelf.names))
    }
    tested = set(items_of(shelf, parts.cases("test")))
    hidden = sorted((tested | _train_hidden(bench).get((fold, train), set())) - made_of)
    poisons = {
        item: known[item]
        for place, item in enumerate(hidden)
        for known in (work.poisons[VARIANTS[1 - place % 2]], work.poisons[VARIANTS[place % 2]])
        if item in known
    }
    return hidden, poisons


@contextmanager
def _own_cache(scratch: Path) -> Iterator[None]:
    """Nothing in the block, nor in processes it starts, finds what was prepared before."""
    before = os.environ.get(cache.VARIABLE)
    os.environ[cache.VARIABLE] = str(scratch)
    try:
        yield
    finally:
        if before is None:
            del os.environ[cache.VARIABLE]
        else:
            os.environ[cache.VARIABLE] = before
