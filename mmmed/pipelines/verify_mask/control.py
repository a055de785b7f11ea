"""What a repetition is compared with: the run itself, or a control made on this machine.

Bits are the same on the same kind of machine, with the same versions, device and threads. Elsewhere
a control is predicted and trained first, with nothing replaced, and poison must not change it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import delayed

from mmmed.pipelines.environment import environment
from mmmed.pipelines.verify_mask.bench import Bench
from mmmed.pipelines.verify_mask.findings import Fault
from mmmed.pipelines.verify_mask.recorded import JobKey
from mmmed.pipelines.verify_mask.repeat import Turn, in_parallel, predict_again
from mmmed.record import table

TOLERANCE = 1e-5
"""How far probabilities may be apart on two machines."""

IGNORED = ("cores",)
"""Of an environment: what changes no bit."""


@dataclass(frozen=True)
class Standard:
    """What results are compared with.

    Attributes:
        predictions: job -> its table.
        control: whether it was made here, and not by the run.
        words: what it is, for people.
        notes: why it is a control, and how far it is from the run.
        faults: where a control of the same versions is too far from the run.
    """

    predictions: Mapping[JobKey, Path]
    control: bool
    words: str
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def standard(bench: Bench, *, jobs: int) -> Standard:
    """The run's own tables, or those of a control."""
    recorded = bench.recorded
    own = {key: folder / "predictions.tsv" for key, folder in recorded.jobs.items()}
    differing = _differing(bench)
    if not differing:
        return Standard(own, control=False, words="the run's own")
    made = {key: bench.scratch_of(key) / "control.tsv" for key in own}
    turn = Turn(bench.stocked.shelf, None)
    calls = [
        delayed(predict_again)(bench.jobs[key], folder / "model", [turn], made[key])
        for key, folder in recorded.jobs.items()
    ]
    in_parallel(calls, jobs=jobs, report=bench.kitchen.report, task="predict a control")
    apart = max(_apart(own[key], made[key]) for key in own)
    note = (
        f"compared with a control made here, as bits are promised on one machine alone "
        f"({'; '.join(differing)}); its probabilities are at most {apart:.1g} from the run's"
    )
    versions = any(line.startswith(("mmmed", "python", "packages")) for line in differing)
    faults = []
    if apart > TOLERANCE and not versions:
        text = f"probabilities are {apart:.1g} from the run's with nothing replaced"
        faults.append(Fault("prediction", text))
    return Standard(
        made,
        control=True,
        words="a control's that was made here with nothing replaced",
        notes=(note,),
        faults=tuple(faults),
    )


def _differing(bench: Bench) -> list[str]:
    """What of this machine is not as it was where the run was made."""
    before = _flat(bench.recorded.environment)
    after = _flat(environment(device=bench.device, threads=bench.threads))
    return [
        f"{name}: {before.get(name, 'not recorded')} there, {after.get(name, 'nothing')} here"
        for name in sorted(before.keys() | after.keys())
        if name not in IGNORED and before.get(name) != after.get(name)
    ]


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    packages = values.get("packages", {})
    plain = {name: str(value) for name, value in values.items() if name != "packages"}
    return {**plain, **{f"packages {name}": str(one) for name, one in packages.items()}}


def _apart(recorded: Path, made: Path) -> float:
    """The greatest difference of a probability between two tables of the same views."""
    before, after = (_probabilities(path) for path in (recorded, made))
    if before.keys() != after.keys():
        return float("inf")
    return max(
        (
            abs(one - other)
            for key in before
            for one, other in zip(before[key], after[key], strict=True)
        ),
        default=0.0,
    )


def _probabilities(path: Path) -> dict[tuple[str, ...], Sequence[float]]:
    return {
        tuple(row.get(name, "") for name in table.PREDICTIONS.key): [
            float(value) for name, value in row.items() if name.startswith("p_")
        ]
        for row in table.rows(path, table.PREDICTIONS)
    }
