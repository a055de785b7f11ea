"""Which of several processes this is, where torchrun or Slurm started the same command many times.

rank     a process among all of them; rank 0 leads: it alone writes and speaks
world    how many they are
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from mmmed.errors import StudyError
from mmmed.training.settings import TrainingSpec

INTERACTIVE = ("bash", "interactive")
"""Names of Slurm jobs in which a person types: Slurm started a shell, not this command."""


@dataclass(frozen=True)
class Rank:
    """One of several processes.

    Attributes:
        number: among all, from 0.
        local: among those of its machine, from 0.
        world: how many they are.
    """

    number: int
    local: int
    world: int

    @property
    def leads(self) -> bool:
        """Whether it alone writes and speaks."""
        return self.number == 0


def launched() -> Rank | None:
    """This process among those that were started together; None where it is the only one.

    Torchrun is looked for first: it may have been started by Slurm.
    """
    found = _torchrun() or _slurm()
    return found if found and found.world > 1 else None


def leads() -> bool:
    """Whether this process writes and speaks: it is the first of its ranks, or the only one."""
    here = launched()
    return here is None or here.leads


def starts_ranks(settings: TrainingSpec) -> bool:
    """Whether training runs in processes that this one starts."""
    return settings.ranks > 1 and launched() is None


def check_launch(settings: TrainingSpec) -> None:
    """Compare what was started with what the study asks for.

    Raises:
        StudyError: there are more or fewer processes than devices, or several machines without a
            launcher.
    """
    here = launched()
    if here is None and settings.nodes > 1:
        raise StudyError(
            f"training.nodes is {settings.nodes}: start the command once per device with "
            "torchrun or Slurm's srun, or use one node"
        )
    if here is not None and here.world != settings.ranks:
        raise StudyError(
            f"{here.world} processes were started together, but training.devices x training.nodes "
            f"is {settings.devices} x {settings.nodes}; give --devices and --nodes as launched"
        )


def _torchrun() -> Rank | None:
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    return _rank("RANK", "LOCAL_RANK", "WORLD_SIZE")


def _slurm() -> Rank | None:
    if "SLURM_NTASKS" not in os.environ or os.environ.get("SLURM_JOB_NAME") in INTERACTIVE:
        return None
    return _rank("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS")


def _rank(number: str, local: str, world: str) -> Rank:
    return Rank(*(int(os.environ[name]) for name in (number, local, world)))
