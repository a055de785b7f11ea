"""The proof of a run, left in its folder: `verify-mask.json`, a page, and a link of the chain.

Nothing that is there is written again: a second proof has names of its own (`verify-mask-2.json`).
"""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import mmmed
from mmmed.audit.folder import read_run
from mmmed.audit.report import render
from mmmed.pipelines.folder import held
from mmmed.pipelines.verify_mask.recorded import Recorded, read_recorded
from mmmed.pipelines.verify_mask.verdict import Verdict
from mmmed.pipelines.verify_mask.verify import verify
from mmmed.progress import Listener
from mmmed.record import atomic, cache, chain, digest

NAME, PAGE = "verify-mask", "report-verified"


def prove(
    run: Path, *, data: Path | None, retrain: int, jobs: int | None, listener: Listener
) -> tuple[Verdict, Path]:
    """Prove a finished run; the verdict and its page.

    Args:
        run: its folder.
        data: the folder of its cohort, where that was moved.
        retrain: jobs that are trained again.
        jobs: processes; by default the cores that the threads of one job leave.
        listener: hears how far it is.

    Raises:
        RunError: the run did not end, is in use, or its raw files are not there or were changed.
        StudyError: its study is none that this version reads.
    """
    recorded = read_recorded(run, data=data)
    with held(run, shared=False):
        verdict = verified(recorded, retrain=retrain, jobs=jobs, listener=listener)
        ending = _ending(run)
        atomic.write_json(run / f"{NAME}{ending}.json", verdict.values())
        page = run / f"{PAGE}{ending}.html"
        atomic.write_text(page, render(read_run(run)))
        chain.append(run, by="verify-mask")
    return verdict, page


def verified(recorded: Recorded, *, retrain: int, jobs: int | None, listener: Listener) -> Verdict:
    """Verify in a folder of the cache, which an interruption leaves to the next attempt.

    The arguments and errors are those of `verify`.
    """
    scratch = cache.made(f"verify-mask/{_identity(recorded)}")
    try:
        verdict = verify(recorded, scratch, retrain=retrain, jobs=jobs, listener=listener)
    except KeyboardInterrupt:
        raise
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    shutil.rmtree(scratch, ignore_errors=True)
    return verdict


def _identity(recorded: Recorded) -> str:
    """What a repetition depends on: the run, where its files lie, and the program's own text."""
    package = Path(mmmed.__file__).parent
    program = {
        path.relative_to(package).as_posix(): digest.of_file(path)
        for path in sorted(package.rglob("*.py"))
    }
    tables = ("study.yaml", "presence.tsv", "predictions.tsv")
    run = {name: digest.of_file(recorded.run / name) for name in tables}
    root = str(getattr(recorded.resolved.cohort.spec, "root", None))
    about = {"program": program, "run": run, "root": root, "name": recorded.run.resolve().name}
    return digest.of_value(about)[:20]


def _ending(run: Path) -> str:
    """What the names of this proof end in: nothing for the first one, `-2` for the next."""
    endings = ("" if number == 1 else f"-{number}" for number in count(1))
    return next(
        one
        for one in endings
        if not any((run / name).exists() for name in (f"{NAME}{one}.json", f"{PAGE}{one}.html"))
    )
