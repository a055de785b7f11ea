"""Some models of a run trained once more, without what they were not to see."""

from __future__ import annotations

from functools import partial

from mmmed.pipelines.verify_mask.bench import Bench, Shown
from mmmed.pipelines.verify_mask.findings import Fault
from mmmed.pipelines.verify_mask.passes import items_of
from mmmed.pipelines.verify_mask.poison import VARIANTS, Item, Poisons
from mmmed.pipelines.verify_mask.recorded import JobKey
from mmmed.pipelines.verify_mask.repeat import (
    compared_packages,
    compared_predictions,
    predict_again,
    train_again,
)
from mmmed.pipelines.verify_mask.verdict import Retrained
from mmmed.pipelines.verify_mask.work import Turns, Work, train_hidden
from mmmed.training import manifest


def chosen(bench: Bench, count: int) -> list[JobKey]:
    """The first jobs, one method after the other, then their next fold, training or seed."""
    methods: dict[str, int] = {}
    ranked = []
    for place, key in enumerate(bench.jobs):
        methods[key[0]] = methods.get(key[0], -1) + 1
        ranked.append((methods[key[0]], place, key))
    return [key for _, _, key in sorted(ranked)[:count]]


def retrained(work: Work, key: JobKey, turns: Turns) -> tuple[Retrained, list[Fault]]:
    """Train a job again without what it hid and without any test scan, and predict with it."""
    bench = work.bench
    job, own, scratch = bench.jobs[key], bench.recorded.jobs[key] / "model", bench.scratch_of(key)
    task = partial(bench.kitchen.report, f"train again: {job.name}")
    if work.standard.control:
        own = train_again(job, bench.stocked.shelf, scratch / "control", progress=task)
    hidden, poisons = _mixed(work, key)
    shelf, faults = work.shelf(
        poisons, hidden, variant=VARIANTS[0], name=f"train-{key[1]}-{key[2]}".replace(" ", "-")
    )
    before = manifest.read(own).weights
    if shelf is None:
        return Retrained(job.name, key[0], before, "none"), list(faults)
    again = train_again(job, shelf, scratch / "trained", progress=task)
    found = [*faults, *compared_packages(own, again, job=job.name)]
    mine = turns[VARIANTS[0]].get(key[2])
    if mine is not None:
        predict_again(job, again, mine, scratch / "trained.tsv")
        how = "replaced before it is trained"
        found += compared_predictions(
            work.standard.predictions[key], scratch / "trained.tsv", job=job.name, how=how
        )
    return Retrained(job.name, key[0], before, manifest.read(again).weights), found


def _mixed(work: Work, key: JobKey) -> tuple[list[Item], Poisons]:
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
    hidden = sorted((tested | train_hidden(bench).get((fold, train), set())) - made_of)
    poisons = {
        item: known[item]
        for place, item in enumerate(hidden)
        for known in (work.poisons[VARIANTS[1 - place % 2]], work.poisons[VARIANTS[place % 2]])
        if item in known
    }
    return hidden, poisons
