from __future__ import annotations

import numpy as np
import pytest
import torch
from small_job import CASES, REST, Tiny, owned

from mmmed.batch import UNLABELLED
from mmmed.errors import DataError
from mmmed.training.calibrate import calibrate
from mmmed.training.logits import logits
from mmmed.training.shelf import Shelf


@pytest.fixture(scope="module")
def model(shelf: Shelf) -> Tiny:
    torch.manual_seed(0)
    return Tiny(shelf.modalities).eval()


def test_every_forced_view_of_the_calibration_part_is_counted(model: Tiny, shelf: Shelf) -> None:
    found = calibrate(
        model, shelf, REST, mirror=(), classes=("CN", "AD"), positive="AD", threshold=0.5,
        coverage=0.8,
    )  # fmt: skip
    without_pet = sum("pet" not in shelf.owned(case) for case in REST)
    views = {"mri": len(REST), "mri+pet": len(REST) - without_pet, "pet": len(REST) - without_pet}
    assert dict(found.calibration.views) == views
    assert {name: cell.n for name, cell in found.conformal.cells.items()} == views


def test_the_threshold_reaches_the_sensitivity_on_cases_under_what_they_own(
    model: Tiny, shelf: Shelf
) -> None:
    found = calibrate(
        model, shelf, CASES, mirror=("mri",), classes=("CN", "AD"), positive="AD",
        threshold={"sensitivity": 0.9}, coverage=0.9,
    )  # fmt: skip
    assert found.threshold is not None
    sets = [shelf.set(case, pattern) for case, pattern in owned(shelf, CASES).items()]
    scores = logits(model, sets, mirror=("mri",), batch=1, device="cpu")
    patterns = [str(pattern) for pattern in owned(shelf, CASES).values()]
    chance = found.calibration.probabilities(scores, patterns)[:, 1]
    label = np.array([shelf.label[case] for case in CASES])
    called = (chance[label == 1] >= found.threshold.value - 1e-6).mean()
    assert called == pytest.approx(0.9)
    assert found.threshold.n_positive == int(label.sum())


def test_without_a_positive_class_there_is_no_threshold(model: Tiny, shelf: Shelf) -> None:
    found = calibrate(
        model, shelf, REST, mirror=(), classes=("a", "b"), positive=None, threshold=0.5,
        coverage=0.9,
    )  # fmt: skip
    assert found.threshold is None


def test_a_calibration_part_without_labels_is_an_error(model: Tiny, shelf: Shelf) -> None:
    blind = Shelf(shelf.modalities, shelf.items, dict.fromkeys(CASES, UNLABELLED), shelf.subject)
    with pytest.raises(DataError, match="no labelled case"):
        calibrate(
            model, blind, REST, mirror=(), classes=("a", "b"), positive=None, threshold=0.5,
            coverage=0.9,
        )  # fmt: skip
