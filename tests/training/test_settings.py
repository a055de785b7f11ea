from __future__ import annotations

import pytest
from pydantic import ValidationError

from mmmed.training.settings import TrainingSpec


def test_the_default_trains_to_the_end() -> None:
    assert TrainingSpec().patience is None


def test_a_batch_smaller_than_the_devices_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than one case per device"):
        TrainingSpec(batch=3, devices=2, nodes=2)


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"learning_rate": 0}, {"warmup": 1}, {"average": 1}, {"epochs": 3}],
)
def test_settings_without_meaning_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        TrainingSpec.model_validate(wrong)
