from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mmmed.evaluation import pairs
from mmmed.evaluation.pairs import pair_auroc


def area(label: np.ndarray, value: np.ndarray, weights: np.ndarray) -> np.ndarray:
    hit = label == 1
    return pair_auroc(
        value[hit],
        value[~hit],
        positive_weights=weights[hit],
        negative_weights=weights[~hit],
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30
    )
)
def test_a_weight_is_a_number_of_copies_for_scikit_learn(
    cases: list[tuple[int, int, int]],
) -> None:
    label, value, times = (np.array(column) for column in zip(*cases, strict=True))
    copies = np.repeat(np.arange(len(label)), times)
    found = area(label, value.astype(float), times[:, None].astype(float))[0]
    if len(set(label[copies].tolist())) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(label[copies], value[copies]))


@pytest.mark.parametrize("case", range(2))
def test_blocks_change_nothing(case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(case)
    label, value = np.arange(40) % 2, random.integers(0, 9, 40).astype(float)
    weights = random.integers(0, 3, (40, 50)).astype(float)
    whole = area(label, value, weights)
    monkeypatch.setattr(pairs, "BLOCK", 45)
    assert area(label, value, weights).tolist() == whole.tolist()
