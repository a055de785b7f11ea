"""The run laid out again from its raw files: cohort, items, plan and jobs, nothing poisoned yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.cohort import Cohort
from mmmed.errors import DataError, RunError, StudyError, join
from mmmed.mechanism import EveryPattern
from mmmed.modality import Pattern
from mmmed.pipelines.job import Job, make_jobs
from mmmed.pipelines.materialise import Simulated, materialise
from mmmed.pipelines.plan import FoldPlan, plan, write_tables
from mmmed.pipelines.preparation import Stocked, stock
from mmmed.pipelines.verify_mask.findings import Fault, differences
from mmmed.pipelines.verify_mask.passes import crossed
from mmmed.pipelines.verify_mask.poison import Kitchen
from mmmed.pipelines.verify_mask.recorded import JobKey, Recorded, changed_inputs
from mmmed.pipelines.verify_mask.shelves import Read, reader
from mmmed.progress import Listener
from mmmed.record import table
from mmmed.training.device import place

NAMED_FILES = 3
"""Files that are named where several are not what the run read."""

Training = tuple[str, str]
"""A fold, and what the models of it were trained under."""


@dataclass(frozen=True)
class Bench:
    """What a repetition starts from.

    Attributes:
        recorded: the run.
        raw: its cohort as read, before preparation.
        stocked: its cohort and items, prepared anew.
        folds: who is in which part, and who hides what, drawn anew.
        jobs: the run's finished jobs, made anew.
        kitchen: where poison is made.
        read: reads the cohort in another folder.
        device: where models are trained again: where the run trained them, or on the CPU.
    """

    recorded: Recorded
    raw: Cohort
    stocked: Stocked
    folds: tuple[FoldPlan, ...]
    jobs: Mapping[JobKey, Job]
    kitchen: Kitchen
    read: Read
    device: str

    @property
    def threads(self) -> int:
        """Of one job."""
        return self.recorded.resolved.study.training.threads

    def scratch_of(self, key: JobKey) -> Path:
        """Where what is made of a job again is kept."""
        return self.kitchen.scratch / "jobs" / self.recorded.jobs[key].name


def lay_out(
    recorded: Recorded, scratch: Path, *, simulated: Path, jobs: int, listener: Listener
) -> Bench:
    """Read, prepare and plan a run once more; nothing of an earlier preparation is used.

    Args:
        recorded: the run.
        scratch: where to work.
        simulated: the cache in which a simulated cohort is looked for, or written.
        jobs: processes that prepare.
        listener: hears how far it is.

    Raises:
        RunError: the raw files are not there, or are not those the run read.
    """
    resolved = recorded.resolved
    root = _named_root(recorded)
    # a simulated cohort is raw files too: where they lie does not matter, their digests do
    raw, truth = materialise(
        resolved.cohort, cache=simulated, jobs=jobs, listener=listener, suv=resolved.suv
    )
    raw = raw.only(resolved.chains)
    root = root or _simulated_root(truth)
    prepared = scratch / "prepared"
    stocked = stock(raw, resolved.chains, cache=prepared, jobs=jobs, report=listener)
    changed = changed_inputs(recorded, stocked.inputs, root=root)
    if changed:
        rest = len(changed) - NAMED_FILES
        more = [f"and {rest} more files"] if rest > 0 else []
        raise RunError(join([*changed[:NAMED_FILES], *more, "give the files of the run: --data"]))
    folds = plan(resolved.study, stocked.cohort, truth=truth)
    device = _device(recorded)
    made = make_jobs(resolved, stocked, folds, device=device)
    known = {(job.method.name, job.plan.train, job.plan.fold.name, job.seed): job for job in made}
    strange = sorted(recorded.jobs.keys() - known.keys())
    if strange:
        raise RunError(
            f"{recorded.jobs[strange[0]]}: is no job of the study that study.yaml states"
        )
    return Bench(
        recorded=recorded,
        raw=raw,
        stocked=stocked,
        folds=folds,
        jobs={key: job for key, job in known.items() if key in recorded.jobs},
        kitchen=Kitchen(
            stocked=stocked,
            chains=resolved.chains,
            root=root,
            scratch=scratch,
            cache=prepared,
            jobs=jobs,
            report=listener,
        ),
        read=reader(resolved, jobs=jobs, listener=listener),
        device=device,
    )


def plan_faults(bench: Bench) -> list[Fault]:
    """Where the tables of the run are not what its study draws, or models see something else."""
    run, scratch = bench.recorded.run, bench.kitchen.scratch / "plan"
    write_tables(scratch, bench.stocked.cohort, bench.folds)
    faults = []
    for schema, name in (
        (table.CASES, "cases.tsv"),
        (table.SPLITS, "splits.tsv"),
        (table.PRESENCE, "presence.tsv"),
    ):
        text = f"{name} is not what the study draws"
        faults += differences(run / name, scratch / name, schema, kind="plan", text=text)
    shown = Shown.read(run)
    for one in bench.folds:
        faults += [*_train_faults(one, shown), *_test_faults(one, shown)]
    faults += [
        Fault("reading", f"{pair} are one file, so that to hide one shows the other", case=case)
        for case in bench.stocked.shelf.items
        for pair in crossed(bench.stocked.shelf, case)
    ]
    return list(dict.fromkeys(faults))


@dataclass(frozen=True)
class Shown:
    """`presence.tsv` of a run, to be looked up.

    Attributes:
        train: (fold, training) -> case -> modalities shown.
        test: (fold, protocol, rate) -> case -> modalities shown.
        hidden: (fold, training) -> (case, modality) of training and validation that is hidden.
    """

    train: Mapping[Training, Mapping[str, set[str]]]
    test: Mapping[tuple[str, str, str], Mapping[str, set[str]]]
    hidden: Mapping[Training, set[tuple[str, str]]]

    @classmethod
    def read(cls, run: Path) -> Shown:
        """From the run folder.

        Raises:
            RunError: the table is not there or broken.
        """
        train: dict[Training, dict[str, set[str]]] = {}
        test: dict[tuple[str, str, str], dict[str, set[str]]] = {}
        hidden: dict[Training, set[tuple[str, str]]] = {}
        try:
            rows = table.read(run / "presence.tsv", table.PRESENCE)
        except DataError as error:
            raise RunError(str(error)) from error
        for row in rows:
            case, modality, trained = row["case_id"], row["modality"], row.get("train")
            if row["protocol"] == "train" and trained is not None:
                one = train.setdefault((row["fold"], trained), {}).setdefault(case, set())
                gone = hidden.setdefault((row["fold"], trained), set())
                if row["status"] == "hidden":
                    gone.add((case, modality))
            else:
                key = (row["fold"], row["protocol"], row["rate"])
                one = test.setdefault(key, {}).setdefault(case, set())
            if row["status"] == "shown":
                one.add(modality)
        return cls(train, test, hidden)


def _train_faults(plan: FoldPlan, shown: Shown) -> Iterator[Fault]:
    """Cases that a model is made with under more or less than the table says."""
    told = shown.train.get((plan.fold.name, plan.train), {})
    for case, pattern in plan.shown.items():
        yield from _unlike(pattern, told.get(case), case=case, place=f"train {plan.train}")


def _test_faults(plan: FoldPlan, shown: Shown) -> Iterator[Fault]:
    """Test cases that are scored under more or less than the table says."""
    forced = EveryPattern.model_fields["kind"].default
    for view in plan.views:
        if view.protocol != forced:
            rate = table.MISSING if view.rate is None else repr(float(view.rate))
            told = shown.test.get((plan.fold.name, view.protocol, rate), {})
            place = f"{view.protocol} {rate}"
            yield from _unlike(view.pattern, told.get(view.case), case=view.case, place=place)


def _unlike(pattern: Pattern, told: set[str] | None, *, case: str, place: str) -> Iterator[Fault]:
    if told is not None and set(pattern) != told:
        recorded = str(Pattern.of(told)) if told else "nothing"
        text = "is shown under another pattern than presence.tsv says"
        yield Fault("plan", text, case=case, place=place, recorded=recorded, again=str(pattern))


def _device(recorded: Recorded) -> str:
    """The run's, where it is there."""
    device = str(recorded.environment.get("device", "auto"))
    training = recorded.resolved.study.training
    try:
        place(device, count=training.devices, precision=training.precision)
    except StudyError:
        return "cpu"
    return device


def _named_root(recorded: Recorded) -> Path | None:
    """The folder of a real cohort.

    Raises:
        RunError: it is not there.
    """
    spec = recorded.resolved.cohort.spec
    root: Path | None = None if isinstance(spec, Simulated) else spec.root
    with suppress(OSError):
        if root is None or root.is_dir():
            return root
    raise RunError(f"{root}: is no folder; name that of the run's files with --data DIR")


def _simulated_root(truth: Path | None) -> Path:
    if truth is None:
        raise RunError("study.yaml: names no folder of files; restore it or run again")
    return truth.parent
