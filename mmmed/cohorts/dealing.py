"""Subjects dealt to shares like cards: alike in class, stratum and site, by chance beyond that."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mmmed.cohorts.cohort import Cohort
from mmmed.errors import DataError


def everyone(cohort: Cohort, stratify: str | None) -> pd.DataFrame:
    """One row per subject: its class, stratum, site and number of cases.

    A subject whose class changes counts as its highest class, one of several sites or strata as the
    first of them.

    Raises:
        DataError: the strata are no column of the cohort.
    """
    known = {name for case in cohort.cases for name in case.covariates}
    if stratify is not None and stratify not in known:
        raise DataError(
            f"cohort {cohort.name}: splits.stratify: no column {stratify!r} is recorded "
            f"({', '.join(sorted(known)) or 'none is'})"
        )
    table = pd.DataFrame(
        {
            "subject": [case.subject for case in cohort.cases],
            "label": [case.label for case in cohort.cases],
            "stratum": [str(case.covariates.get(stratify or "")) for case in cohort.cases],
            "site": [case.site or "" for case in cohort.cases],
        }
    )
    return table.groupby("subject").agg(
        label=("label", "max"),
        stratum=("stratum", "first"),
        site=("site", "first"),
        cases=("label", "size"),
    )


def deal(
    people: pd.DataFrame, shares: Mapping[str, float], seed: int | tuple[int, int]
) -> dict[str, str]:
    """Subject -> one of the named shares."""
    random = np.random.default_rng(seed)
    order = people.sort_index().assign(draw=lambda table: random.random(len(table)))
    order = order.sort_values(["label", "stratum", "site", "draw"], kind="stable")
    given = dict.fromkeys(shares, 0)
    dealt: dict[str, str] = {}
    total = 0
    for subject, count in zip(order.index, order["cases"], strict=True):
        total += int(count)
        part = max(shares, key=lambda name: shares[name] * total - given[name])
        given[part] += int(count)
        dealt[str(subject)] = part
    return dealt
