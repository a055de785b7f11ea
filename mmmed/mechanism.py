"""The grammar of protocols: which modalities are hidden, how often, and depending on what.

rate       the share of the cases of a split that own the modality *and something else*
           whose copy is hidden; natural absence comes on top
mechanism  a protocol that draws: at random, or depending on covariates, on what no model sees,
           or on the label

`mmmed.absence` applies them to a table of cases.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from mmmed.config import Spec

Rate = Annotated[float, Field(ge=0, le=1)]
Rates = Rate | Annotated[tuple[Rate, ...], Field(min_length=1)]


class Complete(Spec):
    """Hides nothing."""

    kind: Literal["complete"] = "complete"


class Draw(Spec):
    """What every random mechanism states.

    Attributes:
        modality: what is hidden: a name, a list of names, or `any` for every modality in turn. In
            turn means that a case left with one modality is not eligible for the next.
        rate: share hidden of the cases that can spare it; a list makes one protocol per rate.
        seed: of this draw alone; neither the cohort's nor the job's.
    """

    modality: str | Annotated[tuple[str, ...], Field(min_length=1)]
    rate: Rates
    seed: int = 0

    @field_validator("modality", "rate")
    @classmethod
    def _once(cls, named: object) -> object:
        if isinstance(named, tuple) and len(set(named)) < len(named):
            raise ValueError(f"an element of {list(named)} stands twice")
        return named


class Mcar(Draw):
    """Hidden completely at random."""

    kind: Literal["mcar"] = "mcar"


class Mar(Draw):
    """Hidden at random given recorded covariates.

    Attributes:
        slopes: covariate -> change of the log-odds of being hidden per standard deviation in the
            split (a number) or against the rest (`site=B`, `sex=F`: an indicator, as it is).
    """

    kind: Literal["mar"] = "mar"
    slopes: Annotated[dict[str, float], Field(min_length=1)]


class Mnar(Draw):
    """Hidden depending on something that no model sees: the hidden burden or a withheld column.

    Attributes:
        column: as a key of `mar`'s slopes.
        slope: as a value of them.
    """

    kind: Literal["mnar"] = "mnar"
    column: str
    slope: float


class ByLabel(Draw):
    """Hidden depending on the label: known in training only.

    Attributes:
        slope: change of the log-odds of being hidden from the first class to any other.
    """

    kind: Literal["by-label"] = "by-label"
    slope: float


class Listed(Spec):
    """Hides the cases that a table names: columns `case_id` and `modality`."""

    kind: Literal["list"] = "list"
    file: Path


class EveryPattern(Spec):
    """Scores every case under every pattern it owns, the rest hidden (a forced table)."""

    kind: Literal["every-pattern"] = "every-pattern"


Mechanism = Mcar | Mar | Mnar | ByLabel


def _at_one_rate(protocol: Complete | Mechanism | Listed) -> Complete | Mechanism | Listed:
    if isinstance(protocol, Draw) and isinstance(protocol.rate, tuple):
        raise ValueError("a train protocol has one rate, not a list")  # noqa: TRY004 - for pydantic
    return protocol


TrainProtocol = Annotated[
    Complete | Mcar | Mar | Mnar | ByLabel | Listed,
    Field(discriminator="kind"),
    AfterValidator(_at_one_rate),
]
TestProtocol = Annotated[
    Complete | Mcar | Mar | Mnar | Listed | EveryPattern, Field(discriminator="kind")
]


def rates(protocol: TestProtocol) -> tuple[float, ...]:
    """The rates of a protocol, one table each; empty for a protocol without a rate."""
    if not isinstance(protocol, Draw):
        return ()
    return protocol.rate if isinstance(protocol.rate, tuple) else (protocol.rate,)


def at_rate(protocol: Mechanism, rate: float) -> Mechanism:
    """The same protocol at one rate, which is checked."""
    return type(protocol)(**{**dict(protocol), "rate": rate})
