from __future__ import annotations

import json
import math

import pytest
import torch

from mmmed.errors import StudyError
from mmmed.training.history import History, Look, PhaseHistory, Window


def test_a_history_survives_json() -> None:
    phase = PhaseHistory("set", 20, {"a": [0.5]}, [Look(10, 0.7, None)], 20, {"mri": 0.8})
    history = History([phase])
    assert History.from_json(json.loads(json.dumps(history.to_json()))) == history


def test_means_are_over_the_steps_that_held_the_term() -> None:
    window, phase = Window(), PhaseHistory("one", 12)
    for step in range(1, 13):
        window.add({"mri": torch.tensor(float(step))})
        if step % 2:
            window.add({"pet": torch.tensor(2.0)})
        window.close(step, phase)
    assert phase.losses == {"mri": [5.5, 11.5], "pet": [2.0, 2.0]}
    assert window.last == {"mri": 11.5, "pet": 2.0}


def test_a_window_goes_on_from_its_state() -> None:
    one, other, phase = Window(), Window(), PhaseHistory("one", 2)
    one.add({"a": torch.tensor(1.0)})
    other.load_state_dict(one.state_dict())
    other.add({"a": torch.tensor(3.0)})
    other.close(2, phase)
    assert phase.losses == {"a": [2.0]}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_training_that_diverged_ends_in_one_line(value: float) -> None:
    window = Window()
    window.add({"mri": torch.tensor(value)})
    with pytest.raises(StudyError, match=f"phase one, step 10: loss 'mri' is {value}") as caught:
        window.close(10, PhaseHistory("one", 20))
    assert "learning_rate" in str(caught.value)
