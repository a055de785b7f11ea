"""Protocols on a cohort: which case shows what, before any loader runs.

Train protocols hide in the training and validation parts; calibration and test cases show what
they own until a test protocol hides some of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mmmed.absence import Shown, draw
from mmmed.cohorts.cohort import Cohort, require_modalities
from mmmed.cohorts.splits import Fold, Part
from mmmed.errors import StudyError
from mmmed.mechanism import (
    Complete,
    EveryPattern,
    Listed,
    Mar,
    Mechanism,
    Single,
    TestProtocol,
    at_rate,
)
from mmmed.modality import Pattern, every_pattern
from mmmed.record.table import Cell

TRAINED: tuple[Part, ...] = ("train", "validation")


def apply_train(
    protocols: Sequence[Single],
    cohort: Cohort,
    fold: Fold,
    *,
    withheld: pd.DataFrame | None = None,
) -> Shown:
    """What every case shows while a model is made.

    Args:
        protocols: applied one after the other, at single rates.
        cohort: who owns what.
        fold: who is in which part.
        withheld: columns that no model sees (a hidden burden), for `mnar` alone; index `case_id`.

    Returns:
        All cases of the fold; those of calibration and test show what they own.

    Raises:
        StudyError: a protocol names an unknown modality or column, or reads a withheld one.
        DataError: no case owns the modality, or a covariate is missing for a case.
    """
    owned = cohort.owned().loc[fold.part.index]
    rows = fold.cases(*TRAINED)
    drawn = _draw(protocols, cohort, fold, rows, withheld, label=cohort.labels().loc[rows])
    table = owned.copy()
    table.loc[rows] = drawn.table
    return Shown(table=table, hidings=drawn.hidings)


def apply_test(
    protocol: TestProtocol,
    cohort: Cohort,
    fold: Fold,
    *,
    rate: float | None,
    withheld: pd.DataFrame | None = None,
) -> Shown:
    """What the test cases show under one protocol.

    Args:
        protocol: `every-pattern` hides nothing here: its views are `forced_views`.
        cohort: who owns what.
        fold: who is tested.
        rate: one of the protocol's rates; None for a protocol without.
        withheld: as for `apply_train`.

    Raises:
        StudyError: as for `apply_train`.
        DataError: as for `apply_train`.
    """
    rows = fold.cases("test")
    if isinstance(protocol, EveryPattern):
        return Shown(table=cohort.owned().loc[rows], hidings=())
    at_one: Single = protocol
    if rate is not None and not isinstance(protocol, Complete | Listed):
        at_one = at_rate(protocol, rate)
    return _draw([at_one], cohort, fold, rows, withheld, label=None)


def forced_views(owned: pd.DataFrame) -> list[tuple[str, Pattern]]:
    """Every case under every pattern it owns, pattern by pattern, fewest modalities first."""
    views = []
    for pattern in every_pattern(owned.columns):
        rows = owned.index[owned[list(pattern)].all(axis=1)]
        views += [(str(case), pattern) for case in rows]
    return views


def presence_rows(
    shown: Shown,
    *,
    cohort: Cohort,
    fold: Fold,
    protocol: str,
    rate: float | None,
    train: str | None = None,
) -> list[dict[str, Cell]]:
    """The rows of `presence.tsv` for one protocol: shown, hidden or absent, per case and modality.

    Args:
        shown: what the protocol left.
        cohort: who owns what.
        fold: who is in which part.
        protocol: its name in the table.
        rate: None for a protocol without.
        train: which training hides so; None for a test protocol.
    """
    table = shown.table
    owned = cohort.owned().loc[table.index, table.columns]
    return [
        {
            "protocol": protocol,
            "rate": rate,
            "fold": fold.name,
            "case_id": str(case),
            "split": str(part),
            "modality": str(modality),
            "status": _status(bool(has), bool(shows)),
            "train": train,
        }
        for case, part, *cells in zip(
            table.index, fold.part.loc[table.index], owned.to_numpy(), table.to_numpy(), strict=True
        )
        for modality, has, shows in zip(table.columns, *cells, strict=True)
    ]


def _status(owned: bool, shown: bool) -> str:
    if shown:
        return "shown"
    return "hidden" if owned else "absent"


def _draw(
    protocols: Sequence[Single],
    cohort: Cohort,
    fold: Fold,
    rows: list[str],
    withheld: pd.DataFrame | None,
    *,
    label: pd.Series | None,
) -> Shown:
    for protocol in protocols:
        _check(protocol, cohort, withheld)
    covariates = cohort.covariates().loc[rows]
    if withheld is not None:
        covariates = covariates.join(withheld)
    return draw(
        protocols,
        cohort.owned().loc[rows],
        split=fold.part.loc[rows],
        covariates=covariates,
        label=label,
    )


def _check(protocol: Single, cohort: Cohort, withheld: pd.DataFrame | None) -> None:
    if isinstance(protocol, Mechanism):
        named = protocol.modality
        names = (named,) if isinstance(named, str) else named
        require_modalities(cohort, [name for name in names if name in cohort.modalities])
    if isinstance(protocol, Mar) and withheld is not None:
        secret = [name for name in protocol.slopes if name in withheld.columns]
        if secret:
            raise StudyError(f"protocol mar: column {secret[0]!r} is withheld; use kind mnar")
