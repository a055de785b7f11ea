"""Fillers against scikit-learn and hand calculation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import LinearRegression

from mmmed.batch import Batch, Items
from mmmed.models.imputers.constant import MeanFiller, ZeroFiller
from mmmed.models.imputers.feature import FeatureImputer
from mmmed.models.imputers.neighbours import NeighbourFiller
from mmmed.models.imputers.regression import RegressionFiller

HOLE = np.nan


def test_zeros_and_means_by_hand():
    table = np.array([[1.0, 10.0], [3.0, 20.0], [5.0, 60.0]])
    asked = np.array([[2.0, HOLE], [HOLE, 7.0]])
    mean = MeanFiller(2)
    mean.fit(table)
    assert mean.fill(asked).tolist() == [[2.0, 30.0], [3.0, 7.0]]
    assert ZeroFiller().fill(asked).tolist() == [[2.0, 0.0], [0.0, 7.0]]


def test_the_neighbours_are_nearest_by_what_is_shown():
    table = np.array([[0.0, 1.0], [0.1, 3.0], [9.0, 100.0]])
    filler = NeighbourFiller(2, neighbours=2)
    filler.fit(table)
    assert filler.fill(np.array([[0.05, HOLE]])).tolist() == [[0.05, 2.0]]


def test_neighbours_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    table, asked = random.normal(size=(30, 6)), random.normal(size=(8, 6))
    asked[::2, :3], asked[1::2, 4:] = HOLE, HOLE
    filler = NeighbourFiller(6, neighbours=5)
    filler.fit(table)
    expected = KNNImputer(n_neighbors=5).fit(table).transform(asked)
    np.testing.assert_allclose(filler.fill(asked), expected, rtol=1e-5, atol=1e-6)


def test_fewer_donors_than_neighbours_are_all_asked():
    filler = NeighbourFiller(2, neighbours=5)
    filler.fit(np.array([[0.0, 2.0], [1.0, 4.0]]))
    assert filler.fill(np.array([[0.0, HOLE]])).tolist() == [[0.0, 3.0]]


def linear(cases, random):
    """Three latent variables seen by two blocks of four columns each."""
    latent = random.normal(size=(cases, 3))
    mixing = np.random.default_rng(7).normal(size=(3, 8))
    return 5 + latent @ mixing + 0.1 * random.normal(size=(cases, 8))


def test_regression_agrees_with_the_iterative_imputer_where_both_are_well_defined():
    random = np.random.default_rng(0)
    table, asked = linear(4000, random), linear(20, random)
    truth = asked.copy()
    asked[:, 4:] = HOLE
    filler = RegressionFiller(8)
    filler.fit(table)
    iterative = IterativeImputer(LinearRegression(), max_iter=200, tol=1e-6, skip_complete=False)
    expected = iterative.fit(np.vstack([table, asked])).transform(asked)
    found = filler.fill(asked)
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert np.abs(found - truth).mean() < 0.2 * np.abs(table.mean(axis=0) - truth)[:, 4:].mean()


def test_regression_is_least_squares_for_every_pattern():
    random = np.random.default_rng(0)
    table, asked = linear(4000, random), linear(20, random)
    filler = RegressionFiller(8)
    filler.fit(table)
    for absent in ([0, 1], [5, 6, 7]):
        holed = asked.copy()
        holed[:, absent] = HOLE
        shown = [column for column in range(8) if column not in absent]
        plain = LinearRegression().fit(table[:, shown], table[:, absent])
        np.testing.assert_allclose(
            filler.fill(holed)[:, absent], plain.predict(asked[:, shown]), atol=0.05
        )


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_regression_survives_few_cases_and_columns_that_never_vary(rows):
    table = np.random.default_rng(0).normal(size=(rows, 6))
    table[:, 2] = 4.0
    filler = RegressionFiller(6)
    filler.fit(table)
    found = filler.fill(np.array([[0.0, 1.0, HOLE, HOLE, 0.5, HOLE]]))
    assert np.isfinite(found).all()
    assert found[0, 2] == pytest.approx(4.0)


@pytest.mark.parametrize(
    "filler", [ZeroFiller(), MeanFiller(2), NeighbourFiller(2, neighbours=3), RegressionFiller(2)]
)
def test_before_it_is_fitted_a_filler_answers_zero(filler):
    assert filler.fill(np.array([[1.0, HOLE]])).tolist() == [[1.0, 0.0]]


def test_several_items_of_a_modality_count_as_their_mean():
    imputer = FeatureImputer({"a": 1, "b": 1}, MeanFiller(2))
    batch = Batch(
        modalities=("a", "b"),
        items={
            "a": Items(torch.tensor([[1.0], [2.0], [6.0]]), torch.tensor([0, 1, 1])),
            "b": Items(torch.tensor([[3.0], [5.0]]), torch.tensor([0, 1])),
        },
        label=None,
        case=("x", "y"),
        subject=("x", "y"),
    )
    imputer.fit([batch], {"x", "y"})
    assert imputer.filler.mean.tolist() == [2.5, 4.0]
