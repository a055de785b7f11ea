"""The grammar of protocols: which modalities are hidden, how often, and depending on what.

rate       the share of the cases of a split that own the modality *and something else*
           whose copy is hidden; natural absence comes on top
mechanism  a protocol that draws: at random, or depending on covariates, on what no model sees,
           or on the label
training   what a train protocol at one rate makes models of; a study has one or more

`mmmed.absence` applies them to a table of cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from mmmed.config import Spec

Rate = Annotated[float, Field(ge=0, le=1)]
COMPLETE = "complete"
"""What a training is called that hides nothing."""
Rates = Rate | Annotated[tuple[Rate, ...], Field(min_length=1)]


class _Named(Spec):
    """A protocol.

    Attributes:
        kind: which rule.
        name: what tables call it; two of one kind in a study need names of their own.
    """

    kind: str
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = Field(
        default_factory=lambda known: str(known.get("kind", "unnamed"))
    )


class Complete(_Named):
    """Hides nothing."""

    kind: Literal["complete"] = "complete"


class Draw(_Named):
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


class Listed(_Named):
    """Hides the cases that a table names: columns `case_id` and `modality`."""

    kind: Literal["list"] = "list"
    file: Path


class EveryPattern(Spec):
    """Scores every case under every pattern it owns, the rest hidden (a forced table)."""

    kind: Literal["every-pattern"] = "every-pattern"

    @property
    def name(self) -> str:
        """What tables call it; it has no other name, as there is one of it."""
        return self.kind


Mechanism = Mcar | Mar | Mnar | ByLabel
Single = Complete | Mechanism | Listed
"""A protocol that hides by one rule."""


def _at_one_rate(protocol: Single) -> Single:
    if isinstance(protocol, Draw) and isinstance(protocol.rate, tuple):
        raise ValueError(  # noqa: TRY004 - for pydantic
            "a protocol that is applied together with others has one rate, not a list"
        )
    return protocol


class Together(_Named):
    """Several protocols, applied one after the other.

    Attributes:
        protocols: at one rate each.
    """

    kind: Literal["together"] = "together"
    protocols: Annotated[
        tuple[
            Annotated[
                Complete | Mcar | Mar | Mnar | ByLabel | Listed,
                Field(discriminator="kind"),
                AfterValidator(_at_one_rate),
            ],
            ...,
        ],
        Field(min_length=2),
    ]


TrainProtocol = Annotated[
    Complete | Mcar | Mar | Mnar | ByLabel | Listed | Together, Field(discriminator="kind")
]
TestProtocol = Annotated[
    Complete | Mcar | Mar | Mnar | Listed | EveryPattern, Field(discriminator="kind")
]


@dataclass(frozen=True)
class Training:
    """What models of one kind of training see.

    Attributes:
        name: `complete` where nothing is hidden, else a protocol's name and its rate: `mcar 0.5`.
        protocols: at one rate each, applied one after the other.
    """

    name: str
    protocols: tuple[Single, ...]


def trainings(protocols: Sequence[TrainProtocol]) -> tuple[Training, ...]:
    """What the train protocols of a study make models of: a protocol with rates makes several."""
    return tuple(one for protocol in protocols for one in _trainings(protocol))


def _trainings(protocol: TrainProtocol) -> Iterator[Training]:
    if isinstance(protocol, Together):
        nothing = all(map(_hides_nothing, protocol.protocols))
        yield Training(COMPLETE if nothing else protocol.name, protocol.protocols)
    elif isinstance(protocol, Draw):
        for rate in rates(protocol):
            one = at_rate(protocol, rate)
            name = COMPLETE if _hides_nothing(one) else f"{protocol.name} {rate:g}"
            yield Training(name, (one,))
    else:
        yield Training(protocol.name, (protocol,))


def _hides_nothing(protocol: Single) -> bool:
    return isinstance(protocol, Complete) or (isinstance(protocol, Draw) and protocol.rate == 0)


def rates(protocol: TrainProtocol | TestProtocol) -> tuple[float, ...]:
    """The rates of a protocol, one table each; empty for a protocol without a rate."""
    if not isinstance(protocol, Draw):
        return ()
    return protocol.rate if isinstance(protocol.rate, tuple) else (protocol.rate,)


def at_rate(protocol: Mechanism, rate: float) -> Mechanism:
    """The same protocol at one rate, which is checked."""
    return type(protocol)(**{**dict(protocol), "rate": rate})
