from __future__ import annotations

import pytest
import torch

from mmmed.errors import StudyError
from mmmed.training.device import Place, place


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_kind_of_device_is_taken_as_often_as_asked(name: str) -> None:
    assert place(name, count=2) == Place(name, 2)


@pytest.mark.parametrize("name", ["cudaa", "gpu", "cuda:", "cuda:x", "CPU", ""])
def test_another_word_is_refused(name: str) -> None:
    with pytest.raises(StudyError, match="write auto, cpu, cuda, cuda:N or mps"):
        place(name, count=1)


def test_a_cuda_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(StudyError, match="torch sees"):
        place(f"cuda:{torch.cuda.device_count()}", count=1)


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("two_cards")
def test_one_of_several_cards_can_be_chosen() -> None:
    assert place("cuda:1", count=1) == Place("gpu", [1])
    assert place("cuda", count=2) == Place("gpu", 2)


@pytest.mark.usefixtures("two_cards")
def test_one_card_is_not_several() -> None:
    with pytest.raises(StudyError, match=r"training\.devices is 2"):
        place("cuda:1", count=2)
