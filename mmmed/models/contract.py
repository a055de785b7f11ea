"""What every method is: a Model from Batch to logits, trained in phases of turns.

phase   a stretch of training counted in optimiser steps
turn    one optimiser and one loss; the turns of a phase alternate inside every step
loss    (sum, count): divided only after both are summed over the ranks of a distributed run
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from mmmed.batch import Batch
from mmmed.errors import PresenceError
from mmmed.modality import Modality, Pattern
from mmmed.models.prior import ClassPrior


@dataclass(frozen=True)
class Loss:
    """One term of a loss.

    Attributes:
        sum: scalar, summed over `count` things (cases, items, entries).
        count: how many; 0 where the batch holds nothing for this term (then `sum` is 0).
    """

    sum: Tensor
    count: int


@dataclass(frozen=True)
class Turn:
    """One optimiser and the loss it lowers.

    Attributes:
        parameters: what is trained.
        loss: training batch -> named terms; each is divided by its count, then they are added.
        rate: multiplies the study's learning rate.
        betas: of the optimiser, where a paper insists on them; None takes the study's.
    """

    parameters: tuple[nn.Parameter, ...]
    loss: Callable[[Batch], Mapping[str, Loss]]
    rate: float = 1.0
    betas: tuple[float, float] | None = None


@dataclass(frozen=True)
class Quota:
    """Cases that every batch of a phase must hold some of.

    Attributes:
        cases: how many at least; fewer where the training part or a batch has no room for them.
        wanted: whether a case counts that shows this pattern.
    """

    cases: int
    wanted: Callable[[Pattern], bool]


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Attributes:
        name: unique within the model.
        turns: alternate inside every step, in this order.
        steps: optimiser steps of each turn.
        learns: the modules in training mode; every other module stays in evaluation mode.
        select: which validation figure of the set prediction picks the weights that are kept;
            `last` keeps the last ones, where no figure of the prediction says how it goes.
        cache: maps an image batch to a batch of what frozen parts make of it (vectors); the
            turns then receive cached batches. None where nothing upstream is frozen.
        augmented: whether the cache is of augmentations; False caches each case once, as it is.
        predict: what validation scores while this phase runs, batch -> (B, K), where the model's
            own prediction needs a later phase; None scores the model itself.
        fit: called once before the first step, in evaluation mode, with the training part's
            batches as they are and the ids of its subjects: what is learned without gradients.
            It lands in buffers, so that a resumed phase need not fit again.
        quota: what its loss needs in every batch; None draws all cases alike.
    """

    name: str
    turns: tuple[Turn, ...]
    steps: int
    learns: tuple[nn.Module, ...]
    select: Literal["loss", "auroc", "last"] = "loss"
    cache: Callable[[Batch], Batch] | None = None
    augmented: bool = True
    predict: Callable[[Batch], Tensor] | None = None
    fit: Callable[[Iterable[Batch], Collection[str]], None] | None = None
    quota: Quota | None = None


@dataclass(frozen=True)
class Guess:
    """How far what a model guessed of one case lies from the truth.

    Attributes:
        case: its id.
        subject: whose it is.
        modality: that was hidden.
        space: `image` where a picture was guessed, `feature` where what a net makes of one was.
        error: name of a figure -> its value.
    """

    case: str
    subject: str
    modality: str
    space: str
    error: Mapping[str, float]


class Model(nn.Module, ABC):
    """A method: Batch -> logits.

    Attributes:
        modalities: what it was built for, in the order of every batch it receives.
        classes: K, the number of classes.
        prior: what classes are worth before any scan; for methods that add evidence up.
    """

    def __init__(self, modalities: tuple[Modality, ...], classes: int) -> None:
        super().__init__()
        self.modalities = modalities
        self.classes = classes
        self.prior = ClassPrior(classes)

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K) of the cases of a batch under what they show."""

    @abstractmethod
    def phases(self, steps: int) -> tuple[Phase, ...]:
        """How it is trained, given the study's number of steps for its longest phase."""

    @abstractmethod
    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E) one embedding per item, before anything is pooled."""

    def attention(self, batch: Batch) -> dict[str, Tensor] | None:  # noqa: ARG002 most have none
        """Modality -> (n,) how much each item counted; those of a case sum to one.

        It says what the model looked at, not what is there. None where items are not weighed.
        """
        return None

    def surprise(self, batch: Batch, modality: str) -> Tensor | None:  # noqa: ARG002 most foresee nothing
        """(B, E) by how much a modality's embedding differs from the one foreseen from the rest.

        None where the method does not foresee what a modality that a case lacks would be.

        Args:
            batch: cases that show every modality.
            modality: whose embedding.
        """
        return None

    def plausible(self, batch: Batch, modality: str, surprises: Tensor) -> Tensor:
        """Logits (S, B, K), were a modality what is foreseen of it and each of these surprises.

        Args:
            batch: cases that show every modality but this one.
            modality: the one that they lack.
            surprises: (S, E), as `surprise` measured them on other cases.

        Raises:
            NotImplementedError: the method foresees nothing: its `surprise` is None.
        """
        raise NotImplementedError(f"{type(self).__name__} foresees no {modality}")

    def require_teachable(self, shown: Collection[Pattern]) -> None:
        """Raise a StudyError where training cases that show these patterns cannot teach the model.

        A method that needs cases of a pattern says so here; most need nothing.
        """

    def report(self) -> dict[str, Any]:
        """What a trained model has to tell beside its predictions, as plain values."""
        return {}

    def guesses(self, batches: Iterable[Batch]) -> Iterator[Guess]:  # noqa: ARG002 most make none
        """Each modality hidden from each case in turn, and how far its substitute lies from it.

        Args:
            batches: test cases that show every modality, with all of them.
        """
        yield from ()

    def require_known(self, batch: Batch) -> None:
        """Raise a PresenceError where the batch shows a modality the model was not built for."""
        known = [modality.name for modality in self.modalities]
        for name in batch.items:
            if name not in known:
                raise PresenceError(
                    f"modality {name!r} was never seen in training ({', '.join(known)}); "
                    "leave its items out"
                )


def all_but(batch: Batch, modality: str) -> Tensor:
    """(B, M) what the cases of a batch show, one modality taken away."""
    shown = batch.presence
    shown[:, batch.modalities.index(modality)] = False
    return shown


def parameters_of(*modules: nn.Module) -> tuple[nn.Parameter, ...]:
    """All parameters of these modules."""
    return tuple(one for module in modules for one in module.parameters())
