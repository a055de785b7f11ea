from __future__ import annotations

import pytest
import torch

from mmmed.errors import StudyError
from mmmed.training.device import Place, place


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of two cores without any other device."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr("mmmed.training.device.cpu_count", lambda: 2)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_kind_of_device_is_taken_as_often_as_asked(name: str) -> None:
    assert place(name, count=2) == Place("cpu", 2)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_more_processes_than_cores_are_refused(name: str) -> None:
    with pytest.raises(StudyError, match=r"devices is 3, but this machine has 2 CPU cores; .* 2"):
        place(name, count=3)


@pytest.mark.usefixtures("plain")
def test_a_cpu_computes_in_bfloat16_and_not_in_float16() -> None:
    assert place("cpu", count=1, precision="bf16-mixed") == Place("cpu", 1)
    with pytest.raises(StudyError, match="16-mixed: not on a CPU; give bf16-mixed or 32"):
        place("auto", count=1, precision="16-mixed")


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
def test_more_cards_than_there_are_are_refused() -> None:
    with pytest.raises(StudyError, match="devices is 3, but this machine has 2 CUDA devices"):
        place("cuda", count=3)


@pytest.mark.usefixtures("two_cards")
def test_one_card_is_not_several() -> None:
    with pytest.raises(StudyError, match=r"training\.devices is 2"):
        place("cuda:1", count=2)
