"""Absence as a function of what it depends on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from mmmed.absence import draw
from mmmed.errors import StudyError
from mmmed.mechanism import ByLabel, Complete, Mar, Mcar, Mechanism, Mnar
from mmmed.modality import Pattern
from mmmed.simulation.selection import BOTH, can_leave, selection_of

MRI, PET = Pattern.of(["mri"]), Pattern.of(["pet"])


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    random = np.random.default_rng(0)
    size = 6000
    label = np.arange(size) % 2
    return pd.DataFrame(
        {
            "label": label,
            "age": random.normal(73, 7, size),
            "sex": random.choice(["F", "M"], size),
            "site": random.choice(["A", "B", "C"], size),
            "z_mri": random.standard_normal(size) + label,
            "z_pet": random.standard_normal(size) + 2 * label,
        },
        index=pd.Index([f"c{row}" for row in range(size)], name="case_id"),
    )


PROTOCOLS = [
    Mcar(modality="pet", rate=0.3),
    Mar(modality="pet", rate=0.5, slopes={"age": 1.0, "site=B": -1.5}),
    Mnar(modality="pet", rate=0.25, column="z_pet", slope=2.0),
    ByLabel(modality="pet", rate=0.5, slope=2.0),
    Mcar(modality="any", rate=0.4),
]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda one: one.kind)
def test_probabilities_are_those_with_which_mmmed_absence_hides(
    protocol: Mechanism, people: pd.DataFrame
) -> None:
    selection = selection_of([protocol], people)
    shares = selection.shares(selection.evidence.at(people))
    owned = pd.DataFrame(True, index=people.index, columns=["mri", "pet"])
    split = pd.Series("test", index=people.index)
    shown = draw([protocol], owned, split=split, covariates=people, label=people["label"]).table
    hidden = ~shown["pet"].to_numpy()
    expected = shares[MRI]
    assert hidden.mean() == pytest.approx(expected.mean(), abs=0.01)
    for who in np.array_split(np.argsort(expected, kind="stable"), 6):
        assert hidden[who].mean() == pytest.approx(expected[who].mean(), abs=0.05)


def test_shares_of_all_patterns_sum_to_one(people: pd.DataFrame) -> None:
    selection = selection_of([Mcar(modality="any", rate=0.4)], people)
    shares = selection.shares(np.zeros(1))
    assert {str(pattern): float(share[0]) for pattern, share in shares.items()} == pytest.approx(
        {"pet": 0.4, "mri": 0.6 * 0.4, "mri+pet": 0.36}
    )


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_extreme_rates_hide_nobody_or_everybody(rate: float, people: pd.DataFrame) -> None:
    mechanism = Mnar(modality="pet", rate=rate, column="z_pet", slope=1.0)
    selection = selection_of([mechanism], people)
    assert selection.shares(np.zeros(1))[MRI].item() == rate


def test_natural_absence_comes_before_the_protocol(people: pd.DataFrame) -> None:
    both = [Mcar(modality="pet", rate=0.2), Mcar(modality="pet", rate=0.5)]
    shares = selection_of(both, people).shares(np.zeros(1))
    assert shares[BOTH].item() == pytest.approx(0.8 * 0.5)


def test_log_share_averages_over_what_is_not_known(people: pd.DataFrame) -> None:
    mechanism = Mnar(modality="pet", rate=0.5, column="z_pet", slope=1.0)
    selection = selection_of([mechanism], people)
    mean = np.linspace(-3, 3, 7)
    noise = np.random.default_rng(0).standard_normal(400_000)
    intercept = selection.steps[0].intercept
    expected = [expit(intercept + m + 1.3 * noise).mean() for m in mean]
    np.testing.assert_allclose(np.exp(selection.log_share(MRI, mean, 1.3)), expected, atol=2e-3)


def test_who_may_be_left_alone() -> None:
    hides_pet = Mcar(modality="pet", rate=0.5)
    assert can_leave(MRI, [Complete(), hides_pet])
    assert not can_leave(PET, [Complete(), hides_pet])
    assert can_leave(PET, [Mcar(modality="any", rate=0.1)])
    assert not can_leave(PET, [Mcar(modality="any", rate=0.0)])


@pytest.mark.parametrize(
    ("protocols", "message"),
    [
        ([Mar(modality="pet", rate=0.5, slopes={"agee": 1})], "depends on 'agee'; did you mean"),
        ([Mar(modality="pet", rate=0.5, slopes={"scanner=A": 1})], "depends on 'scanner'"),
        ([Mcar(modality="ct", rate=0.5)], "simulated subjects have no 'ct'"),
        ([Mcar(modality="pet", rate=(0.1, 0.2))], "a ceiling belongs to one rate"),
        (
            [
                Mnar(modality="pet", rate=0.5, column="z_pet", slope=1),
                Mar(modality="pet", rate=0.5, slopes={"age": 1}),
            ],
            "two kinds of absence depend on something",
        ),
    ],
)
def test_what_has_no_known_ceiling_is_refused(
    protocols: list[Mechanism], message: str, people: pd.DataFrame
) -> None:
    with pytest.raises(StudyError, match=message):
        selection_of(protocols, people)
