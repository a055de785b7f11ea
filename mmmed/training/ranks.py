"""What ranks that a launcher started tell each other while none of them trains.

Training has a process group of its own device, with torch's own patience. Beside it there is one
on the CPU for words, in which a rank may wait for hours while the leader evaluates. Where this
process is alone, or started its ranks itself, everything here does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist

from mmmed.errors import MmmedError, RanksError
from mmmed.training.device import kind_of
from mmmed.training.launcher import Rank, launched

if TYPE_CHECKING:
    from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment

WAIT = timedelta(days=1)
"""How long a rank waits for another one's word: preparing and evaluating may take hours."""

T = TypeVar("T")
Fault = MmmedError | KeyboardInterrupt
Outcome = tuple[Any, Fault | None]

_words: dist.ProcessGroup | None = None
"""The group for words: like torch's own group it belongs to the process."""


def environment() -> ClusterEnvironment | None:
    """How the launched ranks find each other; None where there is no launcher."""
    if launched() is None:
        return None
    # Lightning takes seconds to import
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    if TorchElasticEnvironment.detect():
        return TorchElasticEnvironment()
    return SLURMEnvironment(auto_requeue=False)


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Find the other ranks, and stay with them until the block ends.

    A fault of the leader's block reaches those that wait to be told something.

    Args:
        device: where models compute, as `mmmed.training.device` names it.

    Raises:
        RanksError: they did not come.
    """
    here, place = launched(), environment()
    if here is None or place is None:
        yield
        return
    global _words
    _words = _meet(here, place, device)
    try:
        yield
        dist.destroy_process_group()
    except RanksError:
        raise
    except (MmmedError, KeyboardInterrupt) as fault:
        if here.leads:
            with suppress(RanksError):  # those that know already are gone
                _tell((None, fault))
        raise
    finally:
        _words = None


def told(make: Callable[[], T]) -> T:
    """What the leader makes, on every rank; its fault is everyone's.

    Raises:
        RanksError: the leader is gone.
    """
    if _words is None:
        return make()
    value: T = _made(_tell(_tried(make) if dist.get_rank() == 0 else None))
    return value


def in_turn(make: Callable[[], T]) -> T:
    """What each rank makes for itself, the first of each machine before the others.

    So that one writes what all others find in the cache.

    Raises:
        MmmedError: it failed on the leader.
        RanksError: it failed on another rank.
    """
    here = launched()
    if _words is None or here is None:
        return make()
    mine: Outcome = _tried(make) if here.local == 0 else (None, None)
    _agree(mine[1])
    if here.local > 0:
        mine = _tried(make)
    _agree(mine[1])
    value: T = mine[0]
    return value


@contextmanager
def together() -> Iterator[None]:
    """A block that all ranks pass or none: a fault in it ends this process, and so the others.

    A rank that only went on would answer the next job while the others still wait in this one.

    Raises:
        RanksError: the block failed, and there are other ranks.
    """
    here = launched()
    try:
        yield
    except RanksError:
        raise
    except Exception as error:
        if _words is None or here is None:
            raise
        raise RanksError(
            f"rank {here.number} cannot train on, and so all end ({type(error).__name__}: "
            f"{_first_line(error)}); remove the cause and go on with --resume"
        ) from error


def _meet(here: Rank, place: ClusterEnvironment, device: str) -> dist.ProcessGroup:
    """Make torch's group of the device, for training, and the group for words."""
    is_cuda = kind_of(device) == "cuda"
    with _heard():
        dist.init_process_group(
            "nccl" if is_cuda else "gloo",
            init_method=f"tcp://{place.main_address}:{place.main_port}",
            rank=here.number,
            world_size=here.world,
            device_id=torch.device("cuda", here.local) if is_cuda else None,
        )
        words: dist.ProcessGroup = dist.new_group(backend="gloo", timeout=WAIT)
    return words


def _tried(make: Callable[[], Any]) -> Outcome:
    try:
        return make(), None
    except (MmmedError, KeyboardInterrupt) as fault:
        return None, fault


def _made(outcome: Outcome) -> Any:
    value, fault = outcome
    if fault is not None:
        raise fault
    return value


def _tell(outcome: Outcome | None) -> Outcome:
    """The leader's outcome, on every rank; the others bring None."""
    words: list[Any] = [outcome]
    with _heard():
        dist.broadcast_object_list(words, src=0, group=_words)
    found: Outcome = words[0]
    return found


def _agree(mine: Fault | None) -> None:
    """Raise the first fault of any rank, the same on all of them."""
    faults: list[Fault | None] = [None] * dist.get_world_size()
    with _heard():
        dist.all_gather_object(faults, mine, group=_words)
    for number, fault in enumerate(faults):
        if fault is None:
            continue
        if number == 0 or isinstance(fault, KeyboardInterrupt):
            raise fault
        raise RanksError(f"rank {number}: {fault}")


@contextmanager
def _heard() -> Iterator[None]:
    """Turns a broken connection into an error with a next step."""
    try:
        yield
    except (RuntimeError, ConnectionError) as error:
        raise RanksError(
            f"another rank has ended or does not answer ({_first_line(error)}); its own message "
            "says why; go on with --resume"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
