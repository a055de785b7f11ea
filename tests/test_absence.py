"""Draws of absence: exact counts, no empty case, nested rates, and the slopes that are stated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from mmmed.absence import Hiding, Shown, _uniform, draw, logistic_noise
from mmmed.errors import DataError, StudyError
from mmmed.mechanism import (
    ByLabel,
    Complete,
    EveryPattern,
    Listed,
    Mar,
    Mcar,
    Mechanism,
    Mnar,
    TrainProtocol,
)
from mmmed.modality import Pattern

MODALITIES = ("clinical", "mri", "pet")
RATES = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1.0])
FEW = settings(max_examples=25, deadline=None)


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.Series]:
    """Up to 24 cases that own something, and their splits."""
    owned = st.lists(st.booleans(), min_size=3, max_size=3).filter(any)
    rows = draw(st.lists(owned, min_size=1, max_size=24))
    index = pd.Index([f"sub-{place:02}" for place in range(len(rows))], name="case_id")
    split = [draw(st.sampled_from(["train", "validation"])) for _ in rows]
    return pd.DataFrame(rows, index=index, columns=list(MODALITIES)), pd.Series(split, index=index)


def covariates(owned: pd.DataFrame) -> pd.DataFrame:
    """An age and a site for every case, functions of its id."""
    number = np.array([int(str(case)[4:]) for case in owned.index])
    return pd.DataFrame(
        {"age": 50.0 + number**2 % 31, "site": np.where(number % 3, "A", "B")}
    ).set_index(owned.index)


def mechanisms(
    rate: float, *, modality: str | tuple[str, ...] = "pet", seed: int = 0
) -> list[Mechanism]:
    return [
        Mcar(modality=modality, rate=rate, seed=seed),
        Mar(modality=modality, rate=rate, seed=seed, slopes={"age": 1.5, "site=B": -1.0}),
        Mnar(modality=modality, rate=rate, seed=seed, column="age", slope=2.0),
    ]


def drawn(protocols: Sequence[TrainProtocol], owned: pd.DataFrame, split: pd.Series) -> Shown:
    return draw(protocols, owned, split=split, covariates=covariates(owned))


@FEW
@given(cohorts(), RATES, st.integers(0, 5))
def test_the_hidden_are_exactly_the_rounded_share_of_the_eligible_in_every_split(
    cohort: tuple[pd.DataFrame, pd.Series], rate: float, seed: int
) -> None:
    owned, split = cohort
    for protocol in mechanisms(rate, seed=seed):
        shown = drawn([protocol], owned, split)
        for hiding in shown.hidings:
            rows = split == hiding.split
            can_spare = owned[rows & owned["pet"] & (owned.sum(axis=1) > 1)].index
            lost = owned.index[rows & (owned["pet"] & ~shown.table["pet"])]
            assert set(lost) <= set(can_spare)
            assert len(lost) == hiding.hidden == math.floor(rate * len(can_spare) + 0.5)
            assert hiding.eligible == len(can_spare)
            assert hiding.absent == int((~owned.loc[rows, "pet"]).sum())


@FEW
@given(cohorts(), RATES)
def test_no_case_is_ever_emptied_and_absence_is_never_undone(
    cohort: tuple[pd.DataFrame, pd.Series], rate: float
) -> None:
    owned, split = cohort
    protocols = [*mechanisms(rate, modality="any"), *mechanisms(rate, modality=("mri", "pet"))]
    shown = drawn(protocols, owned, split).table
    assert shown.any(axis=1).all()
    assert not (shown & ~owned).any(axis=None)
    assert shown.index.equals(owned.index)


@FEW
@given(cohorts(), RATES, RATES)
def test_the_hidden_of_a_lower_rate_are_among_those_of_a_higher(
    cohort: tuple[pd.DataFrame, pd.Series], one: float, other: float
) -> None:
    owned, split = cohort
    low, high = sorted((one, other))
    for gentle, harsh in zip(mechanisms(low), mechanisms(high), strict=True):
        more = drawn([gentle], owned, split).table
        less = drawn([harsh], owned, split).table
        assert not (less & ~more).any(axis=None)


@FEW
@given(cohorts(), st.randoms())
def test_a_draw_depends_neither_on_row_order_nor_on_other_splits(
    cohort: tuple[pd.DataFrame, pd.Series], random: object
) -> None:
    owned, split = cohort
    order = list(owned.index)
    random.shuffle(order)  # type: ignore[attr-defined]
    for protocol in mechanisms(0.5, modality="any"):
        whole = drawn([protocol], owned, split).table
        assert drawn([protocol], owned.loc[order], split).table.loc[owned.index].equals(whole)
        for name in split.unique():
            rows = split == name
            alone = drawn([protocol], owned[rows], split[rows]).table
            assert alone.equals(whole[rows])


def complete(size: int) -> tuple[pd.DataFrame, pd.Series]:
    """Cases that own an MRI and a PET, all in training."""
    index = pd.Index([f"sub-{place}" for place in range(size)], name="case_id")
    return pd.DataFrame(True, index=index, columns=["mri", "pet"]), pd.Series("train", index=index)


def hidden(
    protocol: TrainProtocol,
    owned: pd.DataFrame,
    split: pd.Series,
    *,
    table: pd.DataFrame | None = None,
    label: pd.Series | None = None,
) -> np.ndarray:
    """Which cases do not show their PET after one protocol, (n,) boolean."""
    table = pd.DataFrame(index=owned.index) if table is None else table
    shown = draw([protocol], owned, split=split, covariates=table, label=label)
    return ~shown.table["pet"].to_numpy()


def test_rate_0_hides_nothing_and_rate_1_all_that_can_be_spared() -> None:
    owned, split = complete(9)
    owned.loc["sub-0", "mri"] = False
    assert not hidden(Mcar(modality="pet", rate=0), owned, split).any()
    assert hidden(Mcar(modality="pet", rate=1), owned, split).tolist() == [False] + [True] * 8


def test_the_seed_changes_the_draw_and_repeats_it() -> None:
    owned, split = complete(40)
    first, again, other = (
        hidden(Mcar(modality="pet", rate=0.5, seed=seed), owned, split) for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_every_case_is_hidden_as_often_as_any_other() -> None:
    """Under MCAR each of 20 cases is hidden in 30 % of 300 draws, binomial."""
    owned, split = complete(20)
    often = np.mean(
        [hidden(Mcar(modality="pet", rate=0.3, seed=seed), owned, split) for seed in range(300)],
        axis=0,
    )
    assert np.abs(often - 0.3).max() < 4 * math.sqrt(0.3 * 0.7 / 300)


def test_modalities_are_hidden_independently() -> None:
    owned, split = complete(4000)
    owned["clinical"] = True
    protocols = [Mcar(modality=name, rate=0.5) for name in ("mri", "pet")]
    shown = draw(protocols, owned, split=split, covariates=pd.DataFrame(index=owned.index)).table
    assert abs(np.corrcoef(shown["mri"], shown["pet"])[0, 1]) < 4 / math.sqrt(4000)


def test_the_noise_is_standard_logistic() -> None:
    """Mean 0 and variance pi^2 / 3 (the distribution's own), to four standard errors."""
    noise = logistic_noise(0, "pet", [str(place) for place in range(20_000)])
    assert abs(noise.mean()) < 4 * math.sqrt(math.pi**2 / 3 / 20_000)
    assert noise.var() == pytest.approx(math.pi**2 / 3, rel=0.06)


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_no_uniform_value_is_an_end(byte: bytes) -> None:
    assert 0 < _uniform(byte * 32) < 1


def slopes(columns: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """The slopes that scikit-learn's unpenalised logistic regression finds."""
    return LogisticRegression(C=np.inf).fit(columns, absent).coef_[0]


def test_the_slopes_of_mar_are_recovered_by_logistic_regression() -> None:
    owned, split = complete(20_000)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"age": rng.normal(72, 8, 20_000), "site": rng.choice(["A", "B", "C"], 20_000)},
        index=owned.index,
    )
    protocol = Mar(modality="pet", rate=0.4, slopes={"age": 0.8, "site=B": -1.2})
    absent = hidden(protocol, owned, split, table=table)
    age = (table["age"] - table["age"].mean()) / table["age"].std(ddof=0)
    found = slopes(np.column_stack([age, table["site"] == "B"]), absent)
    assert found == pytest.approx([0.8, -1.2], abs=0.12)


def test_the_slope_of_mnar_is_recovered_by_logistic_regression() -> None:
    owned, split = complete(20_000)
    burden = pd.DataFrame(
        {"z_pet": np.random.default_rng(1).normal(0, 3, 20_000)}, index=owned.index
    )
    absent = hidden(
        Mnar(modality="pet", rate=0.5, column="z_pet", slope=-1.0), owned, split, table=burden
    )
    assert slopes(burden.to_numpy() / burden["z_pet"].std(ddof=0), absent) == pytest.approx(
        [-1.0], abs=0.1
    )


def test_the_slope_of_by_label_is_recovered_by_logistic_regression() -> None:
    owned, split = complete(20_000)
    label = pd.Series(np.arange(20_000) % 2, index=owned.index)
    absent = hidden(ByLabel(modality="pet", rate=0.3, slope=1.5), owned, split, label=label)
    assert slopes(label.to_numpy()[:, None], absent) == pytest.approx([1.5], abs=0.1)


def test_a_covariate_without_spread_changes_nothing() -> None:
    owned, split = complete(30)
    same = pd.DataFrame({"age": 70.0}, index=owned.index)
    protocol = Mar(modality="pet", rate=0.5, slopes={"age": 3.0})
    expected = hidden(Mcar(modality="pet", rate=0.5), owned, split)
    assert (hidden(protocol, owned, split, table=same) == expected).all()


def test_any_is_every_modality_in_turn() -> None:
    owned, split = complete(10)
    shown = drawn([Mcar(modality="any", rate=0.5)], owned, split)
    assert [(one.modality, one.eligible, one.hidden) for one in shown.hidings] == [
        ("mri", 10, 5),
        ("pet", 5, 3),
    ]


def test_several_protocols_are_applied_one_after_the_other() -> None:
    owned, split = complete(10)
    first, second = Mcar(modality="pet", rate=0.4), Mcar(modality="pet", rate=0.5, seed=1)
    shown = drawn([first, Complete(), second], owned, split)
    assert [(one.eligible, one.hidden, one.already) for one in shown.hidings] == [
        (10, 4, 0),
        (6, 3, 4),
    ]
    assert int(shown.table["pet"].sum()) == 3
    assert str(shown.hidings[1]).endswith("7 of 10 (70 %) without")


def test_complete_hides_nothing() -> None:
    owned, split = complete(3)
    shown = drawn([Complete()], owned, split)
    assert shown.table.equals(owned)
    assert shown.hidings == ()


def test_what_was_done_is_said_in_words_and_counts() -> None:
    hiding = Hiding(split="train", modality="pet", cases=300, absent=41, eligible=259, hidden=130)
    assert str(hiding) == (
        "train pet: 41 naturally absent, 130 of 259 hidden, 171 of 300 (57 %) without"
    )


def test_a_case_shows_the_pattern_that_is_left() -> None:
    owned, split = complete(2)
    shown = drawn([Mcar(modality="pet", rate=1)], owned, split)
    assert shown.pattern("sub-0") == Pattern.of(["mri"])


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "hidden.tsv"
    path.write_text("# mmmed-hidden 1\ncase_id\tmodality\tnote\nsub-1\tpet\t#\nsub-3\tpet\t\n")
    return path


def test_a_list_hides_the_cases_it_names(listed: Path) -> None:
    owned, split = complete(5)
    split.loc["sub-3"] = "validation"
    shown = drawn([Listed(file=listed)], owned, split)
    assert shown.table["pet"].tolist() == [True, False, True, False, True]
    assert [(one.split, one.eligible, one.hidden) for one in shown.hidings] == [
        ("train", 4, 1),
        ("validation", 1, 1),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("case_id\tmodality\nsub-9\tpet\n", "sub-9 is not among the cases"),
        ("case_id\tmodality\nsub-1\tpet\nsub-1\tpet\n", "pet of sub-1 stands twice"),
        ("case_id\tmodality\nsub-1\tpet\nsub-1\tmri\n", "sub-1 lacks pet, or has nothing else"),
        ("case_id\tmodality\nsub-0\tpet\n", "sub-0 lacks pet, or has nothing else"),
        ("case_id\tmodality\nsub-1\n", "a row has fewer cells than the header"),
        ("case\tmodality\nsub-1\tpet\n", "the column 'case_id' is missing"),
        ('case_id\tmodality\n"sub-1\tpet\n', "no table of hidden cases"),
    ],
)
def test_a_list_that_does_not_fit_the_cases_is_refused(
    text: str, fault: str, tmp_path: Path
) -> None:
    owned, split = complete(3)
    owned.loc["sub-0", "pet"] = False
    (tmp_path / "hidden.tsv").write_text(text)
    with pytest.raises(DataError, match=rf"hidden\.tsv: {fault}"):
        drawn([Listed(file=tmp_path / "hidden.tsv")], owned, split)


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.tsv: no table of hidden cases"):
        drawn([Listed(file=tmp_path / "none.tsv")], *complete(2))


@pytest.mark.parametrize(
    ("protocol", "fault"),
    [
        (Mcar(modality="pte", rate=0.5), "modality 'pte' is not in the cohort; did you mean 'pet'"),
        (Mcar(modality=("pet", "x"), rate=0.5), "modality 'x' is not in the cohort; allowed: mri"),
        (Mcar(modality="pet", rate=(0.0, 0.5)), "a draw has one rate"),
        (EveryPattern(), "is no draw; it belongs to the test protocols"),
        (Mar(modality="pet", rate=0.5, slopes={"aeg": 1}), "no column 'aeg'; did you mean 'age'"),
        (
            Mar(modality="pet", rate=0.5, slopes={"site": 1}),
            "site is no number; write site=<value>",
        ),
        (Mnar(modality="pet", rate=0.5, column="z", slope=1), "the cohort has no column 'z'"),
        (ByLabel(modality="pet", rate=0.5, slope=1), "labels are known in training only"),
    ],
)
def test_a_protocol_that_does_not_fit_the_cohort_is_refused(
    protocol: TrainProtocol, fault: str
) -> None:
    with pytest.raises(StudyError, match=fault):
        drawn([protocol], *complete(4))


def test_a_missing_covariate_names_its_case() -> None:
    owned, split = complete(4)
    protocol = Mar(modality="pet", rate=0.5, slopes={"age": 1})
    for table in (
        covariates(owned).replace({"age": {51.0: np.nan}}),
        covariates(owned).drop("sub-1"),
    ):
        with pytest.raises(DataError, match="age of sub-1 is missing"):
            draw([protocol], owned, split=split, covariates=table)


def test_an_unknown_label_names_its_case() -> None:
    owned, split = complete(3)
    label = pd.Series([0, -1, 1], index=owned.index)
    with pytest.raises(DataError, match="the label of sub-1 is unknown"):
        hidden(ByLabel(modality="pet", rate=0.5, slope=1), owned, split, label=label)


def test_cases_that_own_nothing_stand_twice_or_have_no_split_are_refused() -> None:
    owned, split = complete(3)
    with pytest.raises(DataError, match="sub-1 is not both in the cohort and in one split"):
        drawn([], owned, split.drop("sub-1"))
    with pytest.raises(DataError, match="sub-0 stands twice"):
        drawn([], owned.iloc[[0, 0]], split.iloc[[0, 0]])
    owned.loc["sub-2"] = False
    with pytest.raises(DataError, match="sub-2 owns no modality"):
        drawn([], owned, split)
