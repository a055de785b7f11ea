from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmed.evaluation.study.cell import Cell
from mmmed.evaluation.study.curve import alike, find_curves, meeting, slopes, trapezoids

some_rates = st.lists(
    st.integers(0, 20).map(lambda one: one / 20), min_size=2, max_size=6, unique=True
).map(sorted)


@given(some_rates, st.integers(0, 99))
def test_the_slope_is_numpys_least_squares_line(rates: list[float], seed: int) -> None:
    values = np.random.default_rng(seed).random(len(rates))
    assert slopes(rates) @ values == pytest.approx(np.polyfit(rates, values, 1)[0], abs=1e-9)


@given(some_rates, st.integers(0, 99))
def test_the_area_is_numpys_trapezoids_over_the_span(rates: list[float], seed: int) -> None:
    values = np.random.default_rng(seed).random(len(rates))
    span = rates[-1] - rates[0]
    assert trapezoids(rates) @ values == pytest.approx(np.trapezoid(values, rates) / span)
    assert sum(trapezoids(rates)) == pytest.approx(1)


def test_a_curve_has_the_slope_and_area_of_its_scores(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law, rates = make_law(60, folds=2), (0.0, 0.5, 1.0)
    cells = [law.cell("a", at(rate), 0.5 + 2 * rate) for rate in rates]
    bench = law.bench()
    values = [bench.measure(cell.models).mean["auroc"].value for cell in cells]
    (curve,) = find_curves(cells[::-1], bench)
    assert curve.rates == rates
    assert curve.slope(bench).mean["auroc"].value == pytest.approx(values[2] - values[0])
    area = (values[0] + 2 * values[1] + values[2]) / 4
    assert curve.area(bench).mean["auroc"].value == pytest.approx(area)


def test_one_rate_or_a_forced_table_makes_no_curve(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law = make_law(20)
    cells = [law.cell("a", at(0.5), 1.0), law.cell("a", at("mri"), 1.0)]
    assert find_curves(cells, law.bench()) == []


def test_curves_meet_on_the_models_that_all_have(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law, bench = make_law(40, folds=2), make_law(40, folds=2).bench()
    whole = [law.cell("a", at(rate), 1.0, seeds=2) for rate in (0.0, 1.0)]
    broken = [Cell("b", cell.place, cell.models[1:]) for cell in whole]
    other = [law.cell("c", at(rate), 1.0) for rate in (0.0, 0.5)]
    groups = meeting(find_curves([*whole, *broken, *other], bench))
    assert [[curve.method for curve in group] for group in groups] == [["a", "b"], ["c"]]
    one, two = alike(groups[0], bench) or []
    assert one.sets == two.sets == tuple(cell.models[1:] for cell in whole)
