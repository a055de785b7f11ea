"""A study from its YAML to its report: every step once, each leaving its files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmmed import library
from mmmed.errors import RunError
from mmmed.pipelines import folder, track
from mmmed.pipelines.agenda import Agenda, make_agenda
from mmmed.pipelines.backends.choice import Backend
from mmmed.pipelines.backends.running import crew, parallel_jobs, run_jobs
from mmmed.pipelines.endings import failures, reopen
from mmmed.pipelines.environment import environment
from mmmed.pipelines.external import External
from mmmed.pipelines.job import Job
from mmmed.pipelines.known import write_known, write_known_external
from mmmed.pipelines.materialise import Chosen
from mmmed.pipelines.plan import realised, refusals, remarks, write_tables
from mmmed.pipelines.preparation import Stocked
from mmmed.pipelines.resolve import Resolved, resolve
from mmmed.pipelines.results import evaluate, gather, gather_attention
from mmmed.pipelines.shard import Shard, open_jobs, still_open
from mmmed.pipelines.study import Study
from mmmed.pipelines.verify_mask.closing import close_with_proof, require_verifiable
from mmmed.progress import Listener, Silent
from mmmed.readers.dicom.line import reason_line
from mmmed.record import atomic, chain, digest
from mmmed.training.device import place
from mmmed.training.launcher import check_launch
from mmmed.training.ranks import in_turn, joined, told
from mmmed.transforms import gallery, overviews


@dataclass(frozen=True)
class Outcome:
    """What a run left.

    Attributes:
        folder: the run folder.
        table: its results as text; of a shard that did not write the report, what is open.
        failed: one line per failed job.
        finished: whether there is a report.
    """

    folder: Path
    table: str
    failed: tuple[str, ...] = ()
    finished: bool = True


def run(
    study: Study,
    *,
    start: Path | None,
    origin: library.Found | None = None,
    out: Path | None = None,
    device: str = "auto",
    jobs: int | None = None,
    backend: Backend | None = None,
    shard: Shard | None = None,
    resume: bool = False,
    qc: bool = False,
    listener: Listener | None = None,
) -> Outcome:
    """Run a study to its report.

    Args:
        study: what to run.
        start: where the search for a workspace begins.
        origin: the file of the study; None for one that was made otherwise.
        out: the run folder; by default a new one below `runs/`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        jobs: jobs at a time; one where several devices train a model together.
        backend: who carries the jobs; by default worker processes of this machine.
        shard: do this share of the jobs only, in a folder that all shards share.
        resume: go on with an unfinished run.
        qc: write `quality.tsv` and a montage of each scan whose chain registers, and an overview
            of each slide with its tiles.
        listener: hears how far the run is.

    Raises:
        StudyError: the study does not fit its cohort, there is no such device, the processes
            that were launched are not what the study asks for, or the backend does not answer.
        MissingExtra: the backend's package is not installed.
        RunError: the folder cannot be used, the disk is full, the backend's workers are gone, or
            every job failed.
        RanksError: a launched process failed while all trained together.
    """
    hearer = listener or Silent()
    resolved = resolve(study, start=start, origin=origin)
    place(device, count=study.training.devices, precision=study.training.precision)
    check_launch(study.training)
    require_verifiable(study)
    parallel = parallel_jobs(jobs, threads=study.training.threads)
    with (
        joined(device),
        folder.opened(resolved, out=out, resume=resume, shared=shard is not None) as where,
    ):
        if told(lambda: None if folder.is_finished(where) else where) is None:
            return Outcome(where, f"shard {shard}: another one wrote the report")
        hearer.note(f"run folder: {where}")
        with crew(backend or Backend(), asked=jobs, training=study.training, device=device) as by:
            agenda = in_turn(
                partial(make_agenda, resolved, device=device, parallel=parallel, listener=hearer)
            )
            with folder.turn(where):
                mine = _begin(where, resolved, agenda, hearer, device=device, shard=shard)
            if qc and (shard is None or shard.k == 1):
                _draw(where, agenda.stocked, parallel=parallel, listener=hearer)
            run_jobs(mine, where, by=by, report=hearer, of=agenda.jobs)
        with folder.turn(where):
            outcome = _conclude(where, resolved, agenda, hearer, shard=shard, jobs=jobs)
        told(lambda: outcome.failed)
    return outcome


def _begin(
    where: Path,
    resolved: Resolved,
    agenda: Agenda,
    listener: Listener,
    *,
    device: str,
    shard: Shard | None,
) -> Sequence[Job]:
    """Write and say what is known before anything is trained; the jobs that are to be done."""
    if folder.is_finished(where):
        return ()
    known = _write_record(where, resolved, agenda, device=device)
    rule = agenda.stocked.cohort.rule
    said = [*remarks(agenda.folds), *refusals(agenda.folds)]
    for sentence in (*([rule] if rule else []), *said, *realised(agenda.folds), *known):
        listener.note(sentence)
    mine = agenda.jobs if shard is None else shard.share(agenda.jobs)
    reopen(mine, where)
    return mine


def _draw(where: Path, stocked: Stocked, *, parallel: int, listener: Listener) -> None:
    drawn = partial(listener, "montages")
    gallery.write(stocked.scans, where, jobs=parallel, progress=drawn)
    slides = overviews.sampled(stocked.cohort.items())
    overviews.write(slides, where, jobs=parallel, progress=drawn)


def _conclude(
    where: Path,
    resolved: Resolved,
    agenda: Agenda,
    listener: Listener,
    *,
    shard: Shard | None,
    jobs: int | None,
) -> Outcome:
    """The report, where no other shard has jobs to do and none has written it."""
    if folder.is_finished(where):
        return Outcome(where, f"shard {shard}: another one wrote the report")
    counts = open_jobs(agenda.jobs, where, n=shard.n) if shard else {}
    if shard and counts:
        failed = failures(shard.share(agenda.jobs), where)
        return Outcome(where, still_open(counts, shard, len(agenda.jobs)), failed, finished=False)
    failed = failures(agenda.jobs, where)
    done = [job for job in agenda.jobs if job.is_done(where)]
    if not done:
        raise RunError("\n".join(["every job failed; nothing to report", *failed]))
    said = remarks(agenda.folds)
    return _finish(where, resolved, agenda, done, listener, failed=failed, said=said, jobs=jobs)


def _write_record(
    where: Path, resolved: Resolved, agenda: Agenda, *, device: str
) -> tuple[str, ...]:
    """Write what is known before anything is trained; what is known of the law, in sentences."""
    threads = resolved.study.training.threads
    stocked = agenda.stocked
    atomic.write_json(where / "environment.json", environment(device=device, threads=threads))
    external = agenda.external
    others = [(one.stocked.cohort, one.tested) for one in external]
    write_tables(where, stocked.cohort, agenda.folds, external=others)
    atomic.write_json(where / "preparation.json", stocked.records())
    if derivations := stocked.shelf.derivations():
        atomic.write_json(where / "derivations.json", derivations)
    said: list[str] = []
    if agenda.truth is not None:
        said += write_known(where, resolved, stocked, agenda.folds, truth=agenda.truth)
    for one in external:
        here = one.folder(where)
        atomic.write_json(here / "preparation.json", one.stocked.records())
        said += one.tested.sentences
        if one.truth is not None:
            protocols = resolved.study.protocols.test
            said += write_known_external(here, one.chosen.spec, protocols, truth=one.truth)
    return tuple(said)


def _finish(
    where: Path,
    resolved: Resolved,
    agenda: Agenda,
    done: Sequence[Job],
    listener: Listener,
    *,
    failed: Sequence[str],
    said: Sequence[str],
    jobs: int | None,
) -> Outcome:
    """Everything after the last job; run again as a whole where it was interrupted."""
    begun = time.monotonic()
    stocked = agenda.stocked
    gather(where, done)
    gather_attention(where, done, stocked.shelf, cohort=stocked.cohort.name)
    shutil.rmtree(where / "model", ignore_errors=True)
    shutil.copytree(done[0].folder(where) / "model", where / "model")
    notes = [*stocked.cohort.notes, *_left_out(stocked, resolved.cohort)]
    for one in agenda.external:
        left = _left_out(one.stocked, one.chosen)
        notes += [*one.notes, *(f"external cohort {one.name}: {line}" for line in left)]
    notes += [*said, *(f"failed: {line}" for line in failed)]
    inputs = {
        **{f"data: {path}": value for path, value in stocked.inputs.items()},
        **_external_inputs(agenda.external),
        **{f"study: {path}": value for path, value in resolved.files.items()},
        **{name: origin["sha256"] for name, origin in resolved.origins.items()},
    }
    wish = resolved.study.verify
    wrong = close_with_proof(where, wish, inputs=inputs, jobs=jobs, listener=listener)
    folders = {one.name: one.folder(where) for one in agenda.external}
    text = evaluate(where, resolved.study, stocked.cohort, notes=notes, external=folders)
    _track(where, listener)
    chain.write(where, inputs=inputs, by=f"run {resolved.study.study}")
    listener.note(f"evaluated in {time.monotonic() - begun:.0f} s; chain {_short(where)}")
    return Outcome(where, text, (*failed, *wrong))


def _left_out(stocked: Stocked, chosen: Chosen) -> list[str]:
    root = getattr(chosen.spec, "root", None) or Path()
    return [f"left out: {reason_line(str(one), root)}" for one in stocked.cohort.faults]


def _external_inputs(external: Sequence[External]) -> dict[str, str]:
    return {
        f"external {one.name}: {path}": value
        for one in external
        for path, value in one.stocked.inputs.items()
    }


def _track(where: Path, listener: Listener) -> None:
    """Tell MLflow; whatever it answers, the run goes on."""
    try:
        listener.note(f"tracked: {track.track_within_limit(where)}")
    except Exception as error:  # noqa: BLE001 - a tracking failure never stops a run
        reason = (str(error) or type(error).__name__).splitlines()[0]
        listener.note(f"not tracked ({reason}); later: mmmed track {where}")


def _short(where: Path) -> str:
    return digest.of_file(where / chain.NAME)[:16]
