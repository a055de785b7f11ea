"""U6: identities of missing information on discrete laws; values by hand.

The entropy of a coin that falls one way nine times in ten is 0.468996 bits (Cover, Thomas: Elements
of Information Theory, figure 2.1, at p = 0.1).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmmed.errors import DataError, PresenceError
from mmmed.evaluation.information import (
    DiscreteLaw,
    conditional_information,
    entropy,
    information,
)
from mmmed.modality import Pattern

A, B, BOTH = Pattern.parse("a"), Pattern.parse("b"), Pattern.parse("a+b")
EXACT = 1e-12
TENTH = 0.4689955935892812
"""-(0.1 log2 0.1 + 0.9 log2 0.9)."""


def law(table):
    return DiscreteLaw(("a", "b"), np.asarray(table, dtype=float))


def xor(flip=0.0):
    table = np.zeros((2, 2, 2))
    for a in (0, 1):
        for b in (0, 1):
            table[a, b, a ^ b] = (1 - flip) / 4
            table[a, b, 1 - (a ^ b)] = flip / 4
    return law(table)


@st.composite
def laws(draw):
    """Tables of two modalities of two to four values and two to four classes, some cells empty."""
    shape = draw(st.tuples(*[st.integers(2, 4)] * 3))
    counts = draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 50)))
    counts.flat[0] += 1
    return law(counts / counts.sum())


def test_u6_xor_of_one_modality_tells_nothing_and_of_both_all():
    one = xor()
    assert one.information(A) == one.information(B) == 0
    assert one.information(BOTH) == one.gap(A, shown=B) == one.gap(B, shown=A) == 1
    assert one.bayes_accuracy(A) == one.bayes_accuracy(B) == 0.5
    assert one.bayes_accuracy(BOTH) == 1


def test_u6_a_flipped_label_takes_its_entropy_from_the_gap():
    one = xor(flip=0.1)
    assert one.gap(A, shown=B) == pytest.approx(1 - TENTH, abs=EXACT)
    assert one.uncertainty(BOTH) == pytest.approx(TENTH, abs=EXACT)
    assert one.bayes_accuracy(BOTH) == pytest.approx(0.9, abs=EXACT)


@given(laws())
def test_u6_the_chain_rule_holds_and_nothing_is_negative(one):
    terms = [one.information(BOTH), one.information(B), one.gap(A, shown=B)]
    assert terms[0] - terms[1] - terms[2] == pytest.approx(0, abs=EXACT)
    assert min(terms) >= -EXACT
    assert one.information(BOTH) <= entropy(one.table.sum(axis=(0, 1))) + EXACT


@given(laws())
def test_u6_more_modalities_never_make_the_best_reader_worse(one):
    assert one.bayes_accuracy(BOTH) >= max(one.bayes_accuracy(A), one.bayes_accuracy(B)) - EXACT


@given(laws())
def test_u6_the_best_reader_errs_at_least_as_fano_says(one):
    for pattern in (A, B, BOTH):
        assert 1 - one.bayes_accuracy(pattern) >= one.fano_error(pattern) - EXACT


@given(laws(), st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_u6_nothing_is_lost_where_one_modality_is_a_function_of_the_other(one, values):
    shown = one.table.sum(axis=0)  # P(b, y)
    table = np.zeros((3, *shown.shape))
    for b in range(len(shown)):
        table[values[b], b] = shown[b]
    copied = law(table)
    assert copied.gap(A, shown=B) == pytest.approx(0, abs=EXACT)
    assert copied.bayes_accuracy(BOTH) == pytest.approx(copied.bayes_accuracy(B), abs=EXACT)


@given(laws(), st.lists(st.integers(1, 9), min_size=2, max_size=2))
def test_u6_nothing_is_lost_where_one_is_independent_of_the_label_given_the_other(one, weights):
    shown = one.table.sum(axis=0)
    given_b = np.stack([np.full(len(shown), weight / sum(weights)) for weight in weights])
    given_b[:, 0] = given_b[::-1, 0]  # the law of a may depend on b
    noise = law(given_b[:, :, None] * shown)
    assert noise.gap(A, shown=B) == pytest.approx(0, abs=EXACT)
    assert noise.bayes_accuracy(BOTH) == pytest.approx(noise.bayes_accuracy(B), abs=EXACT)


@given(laws())
def test_information_is_symmetric_and_as_entropies_say(one):
    table = one.shown(A)
    by_entropies = entropy(table.sum(axis=0)) + entropy(table.sum(axis=1)) - entropy(table)
    assert information(table) == pytest.approx(by_entropies, abs=EXACT)
    assert information(table.T) == pytest.approx(information(table), abs=EXACT)
    turned = one.table.transpose(1, 0, 2)
    assert conditional_information(turned) == pytest.approx(
        conditional_information(one.table), abs=EXACT
    )


def test_fano_by_hand():
    blind = law(np.full((2, 2, 8), 1 / 32))
    assert blind.uncertainty(BOTH) == 3
    assert blind.fano_error(BOTH) == pytest.approx(2 / 3)
    assert xor().fano_error(A) == 0


def test_the_posterior_is_even_where_a_value_never_occurs():
    table = np.zeros((3, 1, 2))
    table[0, 0], table[1, 0] = (0.3, 0.1), (0.0, 0.6)
    np.testing.assert_allclose(law(table).posterior(A), [[0.75, 0.25], [0, 1], [0.5, 0.5]])


def test_three_modalities_may_go_missing_one_by_one_or_together():
    table = np.zeros((2, 2, 2, 2))
    for a, b, c in np.ndindex(2, 2, 2):
        table[a, b, c, a ^ b ^ c] = 1 / 8
    parity = DiscreteLaw(("a", "b", "c"), table)
    assert parity.gap(Pattern.parse("a+c"), shown=B) == 1
    assert parity.gap(Pattern.parse("c"), shown=B) == 0
    copy = DiscreteLaw(("a", "b", "c"), np.einsum("aby,ac->abcy", xor().table, np.eye(2)))
    assert copy.gap(A, shown=Pattern.parse("b+c")) == 0
    assert copy.gap(A, shown=B) == 1


def test_what_is_no_law_is_refused():
    with pytest.raises(DataError, match="2 modalities has one axis each and one of classes, not 2"):
        law(np.full((2, 2), 0.25))
    for wrong in (np.full((2, 2, 2), 0.2), np.array([[[1.5, -0.5]]])):
        with pytest.raises(DataError, match="none below 0, their sum 1"):
            law(wrong)
    with pytest.raises(PresenceError, match="a cannot be both"):
        xor().gap(A, shown=BOTH)
    with pytest.raises(PresenceError, match=r"no modality 'pet' \(a, b\)"):
        xor().information(Pattern.parse("pet"))
