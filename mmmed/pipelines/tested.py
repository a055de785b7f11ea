"""What test protocols make of the test part of a fold: pure tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mmmed.absence import Shown
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.protocol import apply_test, forced_views, presence_rows
from mmmed.cohorts.splits import Fold
from mmmed.mechanism import EveryPattern, TestProtocol, rates
from mmmed.record import atomic, table
from mmmed.training.predicting import View


@dataclass(frozen=True)
class Tested:
    """What the test protocols make of a fold.

    Attributes:
        views: what is scored.
        sentences: realised absence in words and counts, one per protocol, rate and modality.
        presence: rows of the presence table.
    """

    views: tuple[View, ...]
    sentences: tuple[str, ...]
    presence: tuple[Mapping[str, table.Cell], ...]


def tested(
    protocols: Sequence[TestProtocol], cohort: Cohort, fold: Fold, withheld: pd.DataFrame | None
) -> Tested:
    """The views of the test part of a fold, under each protocol and rate.

    Args:
        protocols: of the test.
        cohort: whose cases they are.
        fold: who is tested.
        withheld: as `withheld_columns` gives them; None where no truth is known.
    """
    views: list[View] = []
    sentences: list[str] = []
    presence: list[dict[str, table.Cell]] = []
    for protocol in protocols:
        if isinstance(protocol, EveryPattern):
            views += _forced(protocol, cohort, fold)
            continue
        for rate in rates(protocol) or (None,):
            shown = apply_test(protocol, cohort, fold, rate=rate, withheld=withheld)
            views += _observed(protocol, rate, shown)
            presence += presence_rows(
                shown, cohort=cohort, fold=fold, protocol=protocol.name, rate=rate
            )
            named = protocol.name if rate is None else f"{protocol.name} {rate:.0%}"
            sentences += [f"fold {fold.name} {named}: {hiding}" for hiding in shown.hidings]
    return Tested(views=tuple(views), sentences=tuple(sentences), presence=tuple(presence))


def _forced(protocol: EveryPattern, cohort: Cohort, fold: Fold) -> list[View]:
    """Every test case under every pattern that it owns."""
    return [
        View(case=case, protocol=protocol.name, rate=None, pattern=pattern)
        for case, pattern in forced_views(cohort.owned().loc[fold.cases("test")])
    ]


def _observed(protocol: TestProtocol, rate: float | None, shown: Shown) -> list[View]:
    """Every test case under what the protocol leaves it."""
    return [
        View(case=case, protocol=protocol.name, rate=rate, pattern=shown.pattern(case))
        for case in shown.table.index
    ]


def withheld_columns(truth: Path) -> pd.DataFrame:
    """The latent columns of a simulated cohort, by case: what no model ever sees."""
    cases = atomic.read_json(truth)["cases"]
    latent = {
        case: {name: value for name, value in values.items() if name.startswith("z_")}
        for case, values in cases.items()
    }
    return pd.DataFrame.from_dict(latent, orient="index")
