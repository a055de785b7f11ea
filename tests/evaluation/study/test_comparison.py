from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy.stats import binom

from mmmed.evaluation.study.cell import Cell
from mmmed.evaluation.study.comparison import (
    Comparison,
    compare_cells,
    compare_curves,
    compare_patterns,
)
from mmmed.evaluation.study.curve import find_curves
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.verdict import judge


def sides(found: Iterator[Comparison]) -> list[tuple[str, str, object, str, object]]:
    """Kind, method and where, other method and where; a rate where there is one, else a pattern."""
    return [
        (
            one.kind,
            one.method,
            one.place.rate if one.place.rate >= 0 else one.place.pattern,
            one.other_method,
            one.other_place.rate if one.other_place.rate >= 0 else one.other_place.pattern,
        )
        for one in found
    ]


def test_what_is_compared_with_what(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law = make_law(20)
    cells = [
        law.cell(method, at(where), 1.0)
        for where in (0.0, 0.5, "mri", "mri+pet")
        for method in ("a", "b")
    ]
    plan = Plan(against="a")
    found = sides(compare_cells(cells, law.bench(), measures=["auroc"], plan=plan))
    assert found == [
        ("methods", "b", 0.0, "a", 0.0),
        ("methods", "b", 0.5, "a", 0.5),
        ("methods", "b", "mri", "a", "mri"),
        ("methods", "b", "mri+pet", "a", "mri+pet"),
        ("cost", "a", 0.5, "a", 0.0),
        ("cost", "b", 0.5, "b", 0.0),
        ("cost", "a", "mri", "a", "mri+pet"),
        ("cost", "b", "mri", "b", "mri+pet"),
    ]


def test_without_a_reference_every_pair_is_compared(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law = make_law(20)
    cells = [law.cell(method, at("mri"), 1.0) for method in "abc"]
    found = sides(compare_cells(cells, law.bench(), measures=["auroc"], plan=Plan()))
    assert [(one[1], one[3]) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_a_training_is_compared_with_complete_training(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law = make_law(20)
    cells = [law.cell("a", at(0.5, train=train), 1.0) for train in ("complete", "mcar 0.5")]
    found = [
        one
        for one in compare_cells(cells, law.bench(), measures=["auroc"], plan=Plan())
        if one.kind == "training"
    ]
    assert [(one.place.train, one.other_place.train) for one in found] == [("mcar 0.5", "complete")]


def test_areas_and_slopes_are_compared_as_their_scores_say(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law, bench = make_law(40), make_law(40).bench()
    cells = [law.cell(name, at(rate), 1.0 + rate) for rate in (0.0, 1.0) for name in ("a", "b")]
    values = {
        (cell.method, cell.place.rate): bench.measure(cell.models).mean["brier"].value
        for cell in cells
    }
    found = compare_curves(
        find_curves(cells, bench), bench, measures=["brier"], plan=Plan(against="a")
    )
    area, slope = found
    assert (area.kind, area.method, area.other_method) == ("area", "b", "a")
    low, high = (values["b", rate] - values["a", rate] for rate in (0.0, 1.0))
    assert area.gap.value == pytest.approx((low + high) / 2)
    assert slope.gap.value == pytest.approx(high - low)


def test_a_method_that_lost_a_job_is_compared_on_what_both_have(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law, bench = make_law(40, folds=2), make_law(40, folds=2).bench()
    whole = law.cell("a", at("mri"), 1.0, seeds=2)
    broken = Cell("b", whole.place, law.models(1.0, seeds=2)[1:])
    (found,) = compare_cells([whole, broken], bench, measures=["auroc"], plan=Plan())
    one = bench.measure(whole.models[1:]).mean["auroc"].value
    assert found.gap.models == 3
    assert found.gap.value == pytest.approx(one - bench.measure(broken.models).mean["auroc"].value)


def test_a_gain_is_measured_on_the_cases_that_own_the_larger_pattern(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law, bench = make_law(40), make_law(40).bench()
    both = Cell("a", at("mri+pet"), law.models(0.5, keep=range(24)))
    alone = law.cell("a", at("mri"), 2.0)
    (found,) = compare_patterns([both, alone], bench, measure="auroc", plan=Plan())
    assert (found.gap.n, found.place.pattern, found.other_place.pattern) == (24, "mri+pet", "mri")


def test_gains_are_those_of_the_largest_pattern(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    law = make_law(20)
    cells = [law.cell("a", at(where), 1.0) for where in ("x", "y", "x+y", "z", "x+y+z", "w")]
    found = sides(compare_patterns(cells, law.bench(), measure="auroc", plan=Plan()))
    assert {(one[2], one[4]) for one in found} == {
        ("x+y+z", smaller) for smaller in ("x", "y", "z", "x+y")
    }


def test_a_gain_is_over_the_hardest_reader_that_does_without(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    """A model robbed of its PET reads badly; a specialist of the MRI as well as with both."""
    law = make_law(200)
    cells = [
        law.cell("joint", at("mri+pet"), 0.5),
        law.cell("joint", at("mri"), 4.0),
        law.cell("specialist", at("mri"), 0.5),
    ]
    (found,) = compare_patterns(cells, law.bench(), measure="auroc", plan=Plan())
    assert found.other_method == "specialist"
    assert judge([found], Plan())[0].word not in ("better", "better here")


ALPHA = 0.2
STUDIES = 60


def claims(found: list[Comparison]) -> int:
    verdicts = judge(found, Plan(alpha=ALPHA))
    return sum(one.word in ("better", "worse", "better here", "worse here") for one in verdicts)


def test_equal_methods_are_told_apart_in_no_more_studies_than_alpha(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    """Four readers of one noise, all six pairs: Holm keeps false claims to alpha of the studies.

    Binomial(60, .2) exceeds 22 once in a thousand times; unadjusted, about half of the studies
    would claim something.
    """
    wrong = 0
    for seed in range(STUDIES):
        law = make_law(60, folds=2, seed=seed)
        cells = [law.cell(name, at("mri"), 1.0) for name in "abcd"]
        found = compare_cells(
            cells, law.bench(draws=100, seed=seed), measures=["auroc"], plan=Plan(alpha=ALPHA)
        )
        wrong += claims(list(found)) > 0
    assert wrong <= binom.ppf(0.999, STUDIES, ALPHA)


def test_trainings_that_differ_by_luck_alone_are_rarely_told_apart(
    make_law: Callable[..., object], at: Callable[..., object]
) -> None:
    """Methods are equal, but each trained model is good or bad by chance: no method is better."""
    wrong = 0
    for seed in range(STUDIES):
        law = make_law(60, seed=seed)
        cells = [Cell(name, at("mri"), law.models(0.5, seeds=3, luck=1.5)) for name in "ab"]
        found = compare_cells(
            cells, law.bench(draws=100, seed=seed), measures=["auroc"], plan=Plan(alpha=ALPHA)
        )
        (verdict,) = judge(list(found), Plan(alpha=ALPHA))
        wrong += verdict.word in ("better", "worse")
    assert wrong <= binom.ppf(0.999, STUDIES, ALPHA)


@pytest.mark.parametrize("adds", [False, True])
def test_a_pet_that_adds_nothing_is_not_said_to_gain(
    make_law: Callable[..., object], at: Callable[..., object], adds: bool
) -> None:
    """Given the MRI the PET is noise in one law, and tells much in the other."""
    found = []
    for seed in range(STUDIES if not adds else 10):
        law = make_law(60, seed=seed)
        alone = [law.cell(name, at("mri"), 1.0, seeds=2) for name in "ab"]
        if adds:
            law.odds = law.odds + 2 * (law.random.normal(size=60) + 2 * law.label) - 2
        both = [law.cell(name, at("mri+pet"), 1.0, seeds=2) for name in "ab"]
        compared = compare_patterns(
            [*alone, *both], law.bench(draws=100, seed=seed), measure="auroc", plan=Plan()
        )
        words = [one.word for one in judge(list(compared), Plan(alpha=ALPHA))]
        found.append(any(word in ("better", "better here") for word in words))
    if adds:
        assert np.mean(found) > 0.7
    else:
        assert sum(found) <= binom.ppf(0.999, STUDIES, ALPHA)
