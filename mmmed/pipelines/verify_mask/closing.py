"""The proof as the last step of a run: after its jobs, before its report."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from mmmed.errors import MmmedError, StudyError
from mmmed.pipelines.study import Study
from mmmed.pipelines.verify import Verify
from mmmed.pipelines.verify_mask.findings import told
from mmmed.pipelines.verify_mask.proof import NAME, verified
from mmmed.pipelines.verify_mask.recorded import read_recorded
from mmmed.pipelines.verify_mask.verdict import Verdict
from mmmed.progress import Listener
from mmmed.record import atomic
from mmmed.record.room import is_full
from mmmed.training.launcher import launched

logger = logging.getLogger(__name__)


def require_verifiable(study: Study) -> None:
    """Refuse to prove within a run that several processes make together.

    Raises:
        StudyError: they would wait for the one that proves.
    """
    if study.verify is not None and launched() is not None:
        raise StudyError(
            f"study {study.study}: verify: not where processes are started together; leave it "
            "out, then mmmed verify-mask RUN"
        )


def close_with_proof(
    run: Path,
    wish: Verify | None,
    *,
    inputs: Mapping[str, str],
    jobs: int | None,
    listener: Listener,
) -> tuple[str, ...]:
    """Write `verify-mask.json` of a run that is not closed yet; what is wrong, a line each.

    A proof that cannot be made is told there as well, and the run goes on: it can be made later.

    Args:
        run: its folder, with its tables and finished jobs.
        wish: what to prove; None proves nothing.
        inputs: what the run read -> SHA-256.
        jobs: processes; by default the cores that the threads of one job leave.
        listener: hears how far it is, and the verdict.

    Raises:
        OSError: the disk is full; the run is to be resumed.
    """
    if wish is None:
        return ()
    try:
        recorded = read_recorded(run, inputs=inputs)
        verdict = verified(recorded, retrain=wish.retrain, jobs=jobs, listener=listener)
    except Exception as error:  # the boundary of a proof: what was trained is reported without it
        if is_full(error):
            raise
        logger.debug("no proof of %s", run, exc_info=True)
        verdict = Verdict((), unproven=_reason(error))
    atomic.write_json(run / f"{NAME}.json", verdict.values(within=True))
    listener.note(verdict.sentence)
    for note in verdict.notes:
        listener.note(note)
    return complaints(run, verdict)


def complaints(run: Path, verdict: Verdict) -> tuple[str, ...]:
    """What a command ends with where nothing is proven: a line per fault, or why."""
    if verdict.faults:
        return tuple(told(verdict.faults))
    unproven = verdict.answer in ("not shown", "not verified")
    return (f"{run}: {verdict.sentence}",) if unproven else ()


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, MmmedError) else f"{type(error).__name__}: {error}"
    return "; ".join(text.splitlines()) or type(error).__name__
