"""What a phase learns without gradients: once, from the training part as it is, kept in buffers."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from small_job import CASES, TRAIN, VALIDATION, Tiny, at, make_loader, owned

from mmmed.batch import Batch
from mmmed.models.contract import Phase
from mmmed.models.rows import Rows, make_room
from mmmed.training.fit import fit
from mmmed.training.loader import Views
from mmmed.training.randomness import seed_all
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf


class Fitted(Tiny):
    """Its second phase keeps the mean of every training item, as many rows as there are items."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.means = Rows(1)
        self.calls: list[tuple[tuple[str, ...], frozenset[str], bool]] = []

    def phases(self, steps: int) -> tuple[Phase, ...]:
        first, second = super().phases(steps)
        return first, replace(second, fit=self.learn)

    def learn(self, batches: Iterable[Batch], subjects: Collection[str]) -> None:
        seen = list(batches)
        items = [one.data for batch in seen for one in batch.items.values()]
        jitter = torch.rand(())  # randomness at a fit is keyed as well
        self.means.put(jitter + torch.cat(items).flatten(1).mean(dim=1, keepdim=True))
        cases = tuple(case for batch in seen for case in batch.case)
        self.calls.append((cases, frozenset(subjects), self.training))


def train(shelf: Shelf, folder: Path, *, report: object = None, **settings: object) -> Fitted:
    seed_all(0, "initialisation", 0)
    model = Fitted(shelf.modalities)
    fit(
        model,
        make_loader(shelf),
        Views(shelf, owned(shelf, VALIDATION), batch=4),
        settings=TrainingSpec.model_validate(
            {"steps": 20, "batch": 8, "check_every": 6, "checkpoint_every": 3, **settings}
        ),
        seed=0,
        folder=folder,
        device="cpu",
        report=report,  # type: ignore[arg-type]
    )
    return model


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_it_is_called_once_with_every_training_case_and_nobody_else(
    shelf: Shelf, tmp_path: Path
) -> None:
    model = train(shelf, tmp_path)
    ((cases, subjects, training),) = model.calls
    assert cases == TRAIN
    assert subjects == {shelf.subject[case] for case in TRAIN}
    assert not subjects & {shelf.subject[case] for case in CASES if case not in TRAIN}
    assert training is False
    assert len(model.means) == sum(len(shelf.owned(case)) for case in TRAIN)


@pytest.mark.parametrize("settings", [{}, {"average": 0.9}, {"patience": 2}])
@pytest.mark.parametrize("place", [("single", 9), ("single", 20), ("set", 1), ("set", 4)])
def test_a_resumed_training_has_the_same_fit_to_the_last_bit(
    shelf: Shelf, tmp_path: Path, place: tuple[str, int], settings: dict[str, object]
) -> None:
    whole = train(shelf, tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        train(shelf, tmp_path / "cut", report=at(*place, interrupt), **settings)
    again = train(shelf, tmp_path / "cut", **settings)
    state = again.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in whole.state_dict().items())
    assert len(again.calls) == (0 if place[0] == "set" else 1)


@pytest.mark.parametrize(("select", "whole"), [("last", True), ("loss", False)])
def test_a_phase_that_keeps_the_last_weights_knows_no_patience(
    shelf: Shelf, tmp_path: Path, select: Literal["last", "loss"], whole: bool
) -> None:
    class Patient(Tiny):
        def phases(self, steps: int) -> tuple[Phase, ...]:
            first, second = super().phases(steps)
            return replace(first, select=select), second

    seed_all(0, "initialisation", 0)
    history = fit(
        Patient(shelf.modalities),
        make_loader(shelf),
        Views(shelf, owned(shelf, VALIDATION), batch=4),
        settings=TrainingSpec(steps=40, batch=8, check_every=1, patience=1),
        seed=0,
        folder=tmp_path,
        device="cpu",
    )
    assert (history.phases[0].kept == 40) is whole


def test_a_state_brings_its_own_number_of_rows() -> None:
    table = torch.nn.ModuleDict({"a": Rows(2), "b": Rows(2)})
    state = {"a.data": torch.ones(3, 2), "b.data": torch.zeros(0, 2)}
    table.load_state_dict(state)
    assert torch.equal(table["a"].data, torch.ones(3, 2))
    make_room(table, {"a.data": torch.ones(5, 2)})
    assert [len(table["a"].data), len(table["b"].data)] == [5, 0]


def test_a_state_of_other_columns_is_refused() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        Rows(2).load_state_dict({"data": torch.ones(3, 4)})
