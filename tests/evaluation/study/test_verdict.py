from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mmmed.evaluation.study.comparison import Comparison
from mmmed.evaluation.study.gap import Gap, smallest_seen
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.verdict import judge, sentence

GAP = Gap(
    n=100,
    models=6,
    seeds=3,
    value=-0.01,
    low=-0.03,
    high=0.01,
    error=0.01,
    training=0.005,
    p=0.3,
    p_claim=0.4,
    p_no_worse=0.2,
    p_equal=0.3,
)


@pytest.fixture
def compared(at: Callable[..., object]) -> Callable[..., Comparison]:
    def make(**told: object) -> Comparison:
        gap = replace(GAP, **told)
        return Comparison("methods", "b", at("mri"), "a", at("mri"), "auroc", gap)

    return make


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({}, "inconclusive"),
        ({"p": 0.001, "p_claim": 0.01}, "worse"),
        ({"value": 0.1, "p": 0.001, "p_claim": 0.01}, "better"),
        ({"p": 0.001, "p_claim": 0.2}, "worse here"),
        ({"value": 0.1, "p": 0.01, "p_claim": 0.01, "seeds": 1, "training": None}, "better here"),
        ({"value": 0.1, "p": 0.01, "p_claim": 0.01, "training": None}, "better here"),
        ({"p_no_worse": 0.01}, "no worse"),
        ({"value": None, "error": None, "reason": "none"}, "not estimable"),
    ],
)
def test_the_word(compared: Callable[..., Comparison], told: dict[str, object], word: str) -> None:
    (verdict,) = judge([compared(**told)], Plan())
    assert verdict.word == word
    assert word in sentence(compared(**told), verdict, plan=Plan(), title="AUROC", oracle=None)


def test_a_family_is_adjusted_and_holds_only_what_has_a_number(
    compared: Callable[..., Comparison],
) -> None:
    family = [
        compared(p=0.01, p_claim=0.02),
        compared(value=None, error=None, reason="none"),
        compared(p=0.04, p_claim=0.04),
    ]
    first, none, last = judge(family, Plan())
    assert (first.family, first.holm, last.holm) == (2, 0.04, 0.04)
    assert (none.word, none.holm) == ("not estimable", None)
    assert first.seen == pytest.approx(smallest_seen(0.01, alpha=0.025, power=0.8))


def test_the_sentence_says_all_that_is_needed(compared: Callable[..., Comparison]) -> None:
    one = compared(p=0.001, p_claim=0.01, p_no_worse=0.03)
    (verdict,) = judge([one], Plan())
    assert sentence(one, verdict, plan=Plan(), title="AUROC", oracle=-0.004) == (
        "b (mri) against a (mri): AUROC -.010 [-.030, .010]; worse, p = 0.01, but by less than "
        ".020 (Holm over 1); the best possible reader: -.004"
    )


def test_an_inconclusive_answer_says_what_could_have_been_seen(
    compared: Callable[..., Comparison],
) -> None:
    (verdict,) = judge([compared()], Plan())
    said = sentence(compared(), verdict, plan=Plan(), title="AUROC", oracle=None)
    assert "inconclusive, p = 0.4: a gap below .028 was hardly to be seen" in said
