from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pytest
import torch
from small_job import (
    CASES,
    TRAIN,
    Frozen,
    Tiny,
    at,
    make_loader,
    make_shelf,
    owned,
    train,
)

from mmmed.batch import Batch
from mmmed.errors import RunError, StudyError
from mmmed.modality import Pattern
from mmmed.models.contract import Loss
from mmmed.training import checkpoint
from mmmed.training.fit import HISTORY, fit
from mmmed.training.history import History
from mmmed.training.loader import StepLoader, Views
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf

HERE = Path(__file__).parent
PLACES = [("single", 1), ("single", 9), ("single", 20), ("set", 4), ("set", 10)]
"""Steps at which trainings are ended: two phases of 20 and 10 steps, checkpoints every 7."""


class Stopped(Exception):
    """Stands for a crash."""


def crash() -> None:
    raise Stopped


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    mine, yours = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[name], yours[name]) for name in mine)


@pytest.fixture(scope="module")
def uninterrupted(
    shelf: Shelf, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Tiny, History, Path]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    return *train(shelf, folder), folder


def test_the_same_seed_gives_the_same_bits(
    shelf: Shelf, tmp_path: Path, uninterrupted: tuple[Tiny, History, Path]
) -> None:
    torch.manual_seed(5)
    model, history = train(shelf, tmp_path)
    assert same(model, uninterrupted[0])
    assert history == uninterrupted[1]


def test_what_the_training_cases_cannot_teach_is_refused_before_the_first_step(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Tiny, shown: Collection[Pattern]) -> None:
        raise StudyError(f"{len(shown)} cases: {', '.join(sorted(set(map(str, shown))))}")

    monkeypatch.setattr(Tiny, "require_teachable", refuse)
    with pytest.raises(StudyError, match=r"^24 cases: mri, mri\+pet$"):
        train(shelf, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_seed_gives_another_model(
    shelf: Shelf, tmp_path: Path, uninterrupted: tuple[Tiny, History, Path]
) -> None:
    assert not same(train(shelf, tmp_path, seed=1)[0], uninterrupted[0])


@pytest.mark.parametrize(
    ("phase", "step", "act"),
    [*((*place, crash) for place in PLACES), ("single", 9, terminate), ("set", 4, interrupt)],
)
def test_a_training_ended_anywhere_goes_on_to_the_same_bits(
    shelf: Shelf,
    tmp_path: Path,
    uninterrupted: tuple[Tiny, History, Path],
    phase: str,
    step: int,
    act: object,
) -> None:
    with pytest.raises((Stopped, KeyboardInterrupt)):
        train(shelf, tmp_path, report=at(phase, step, act))
    model, history = train(shelf, tmp_path)
    assert same(model, uninterrupted[0])
    assert history == uninterrupted[1]


@pytest.mark.parametrize("settings", [{"average": 0.9}, {"patience": 2}])
@pytest.mark.parametrize(("phase", "step"), [("single", 9), ("set", 4)])
def test_average_and_patience_survive_an_interruption(
    shelf: Shelf, tmp_path: Path, settings: dict[str, float], phase: str, step: int
) -> None:
    whole, history = train(shelf, tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        train(shelf, tmp_path / "cut", report=at(phase, step, terminate), **settings)
    again, later = train(shelf, tmp_path / "cut", **settings)
    assert same(whole, again)
    assert history == later


@pytest.mark.parametrize(("phase", "step"), [("single", 20), ("set", 8)])
def test_a_killed_process_is_resumed_to_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[Tiny, History, Path], phase: str, step: int
) -> None:
    command = [sys.executable, str(HERE / "small_job.py"), str(tmp_path), phase, str(step)]
    ended = subprocess.run(command, check=False, cwd=HERE.parents[1], env=_environment())
    assert ended.returncode == -signal.SIGKILL
    model, history = train(make_shelf(tmp_path / "shelf"), tmp_path / "job")
    assert same(model, uninterrupted[0])
    assert history == uninterrupted[1]


@pytest.mark.parametrize(("phase", "step"), [*PLACES, (None, 0)])
@pytest.mark.parametrize("act", [crash, interrupt])
def test_seconds_add_up_over_interruptions_and_count_every_step_once(
    shelf: Shelf, tmp_path: Path, ticking: None, phase: str | None, step: int, act: object
) -> None:
    if phase is not None:
        with pytest.raises((Stopped, KeyboardInterrupt)):
            train(shelf, tmp_path, report=at(phase, step, act))
    _, history = train(shelf, tmp_path)
    assert history.seconds == {"single": 20, "set": 10}
    assert train(shelf, tmp_path)[1].seconds == history.seconds  # nothing is left to train


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which a step takes a second and nothing else any time."""
    now = 0

    def taking_a_second(loss: Callable[..., Mapping[str, Loss]]) -> Callable[..., object]:
        def slow(model: Tiny, batch: Batch) -> Mapping[str, Loss]:
            nonlocal now
            now += 1
            return loss(model, batch)

        return slow

    monkeypatch.setattr("mmmed.training.clock.monotonic", lambda: now)
    for name in ("item_loss", "set_loss"):
        monkeypatch.setattr(Tiny, name, taking_a_second(getattr(Tiny, name)))


def test_a_signal_is_answered_after_the_step_it_came_in(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(shelf, tmp_path, report=at("single", 9, terminate))
    steps: list[int] = []
    train(shelf, tmp_path, report=lambda _phase, done, *_: steps.append(done))
    assert steps[0] == 11  # the signal came at the end of 9, 10 was the last


def test_signal_handlers_are_given_back(shelf: Shelf, tmp_path: Path) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    train(shelf, tmp_path, steps=2)
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_checkpoint_of_other_settings_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(shelf, tmp_path, report=at("single", 9, crash))
    with pytest.raises(RunError, match="another settings"):
        train(shelf, tmp_path, learning_rate=0.5)


def test_nothing_but_checkpoint_and_history_is_left(
    uninterrupted: tuple[Tiny, History, Path],
) -> None:
    folder = uninterrupted[2]
    assert sorted(path.name for path in folder.iterdir()) == [checkpoint.NAME, HISTORY]


def test_training_says_nothing(
    shelf: Shelf,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        train(shelf, tmp_path, steps=3)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_every_step_of_every_phase_is_reported(shelf: Shelf, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []

    def report(phase: str, done: int, total: int, losses: Mapping[str, float]) -> None:
        heard.append((phase, done, total))

    train(shelf, tmp_path, report=report)
    expected = [("single", step, 20) for step in range(1, 21)]
    assert heard == expected + [("set", step, 10) for step in range(1, 11)]


def test_history_tells_losses_looks_and_what_each_path_learned(
    uninterrupted: tuple[Tiny, History, Path],
) -> None:
    single, last = uninterrupted[1].phases
    assert {name: len(means) for name, means in single.losses.items()} == {"mri": 2, "pet": 2}
    assert [look.step for look in single.looks] == [6, 12, 18, 20]
    assert single.kept == 20
    assert list(last.losses) == ["set"]
    assert set(last.training_auroc) == {"mri", "pet"}


def test_the_loss_falls_and_both_paths_learn(shelf: Shelf, tmp_path: Path) -> None:
    _, history = train(shelf, tmp_path, steps=150, check_every=150, learning_rate=1e-2)
    single, last = history.phases
    assert single.losses["mri"][-1] < 0.5 * single.losses["mri"][0]
    assert min(last.training_auroc.values()) > 0.9


def test_frozen_parts_stay_as_they_are_to_the_last_bit(shelf: Shelf, tmp_path: Path) -> None:
    frozen: dict[str, torch.Tensor] = {}

    def keep() -> None:
        frozen.update(torch.load(tmp_path / checkpoint.NAME, weights_only=True)["model"])

    model, _ = train(shelf, tmp_path, report=at("set", 1, keep))
    names = [name for name in frozen if not name.startswith("head")]
    assert any("running_mean" in name for name in names)
    assert all(torch.equal(frozen[name], model.state_dict()[name]) for name in names)
    assert not torch.equal(frozen["head.weight"], model.state_dict()["head.weight"])


def test_batch_norm_outside_what_learns_is_not_updated(shelf: Shelf, tmp_path: Path) -> None:
    model = Frozen(shelf.modalities)
    _fit(model, shelf, tmp_path, steps=2)
    assert float(model.tiny.encoders["mri"][1].running_mean.abs().sum()) == 0


def test_without_patience_validation_changes_no_bit(
    shelf: Shelf, tmp_path: Path, uninterrupted: tuple[Tiny, History, Path]
) -> None:
    model, history = train(shelf, tmp_path, check_every=5)
    assert same(model, uninterrupted[0])
    assert [look.step for look in history.phases[0].looks] == [5, 10, 15, 20]


def test_patience_ends_a_phase_and_keeps_its_best_weights(shelf: Shelf, tmp_path: Path) -> None:
    settings = {"steps": 60, "check_every": 5, "learning_rate": 0.3}
    _, history = train(shelf, tmp_path, patience=2, **settings)
    single = history.phases[0]
    losses = {look.step: look.loss for look in single.looks}
    assert single.kept == min(losses, key=lambda step: losses[step])
    assert max(losses) == single.kept + 10
    assert max(losses) < 60


def test_the_average_differs_from_the_last_weights(
    shelf: Shelf, tmp_path: Path, uninterrupted: tuple[Tiny, History, Path]
) -> None:
    assert not same(train(shelf, tmp_path, average=0.9)[0], uninterrupted[0])


def test_a_phase_of_one_step_is_trained(shelf: Shelf, tmp_path: Path) -> None:
    _, history = train(shelf, tmp_path, steps=1)
    assert [phase.steps for phase in history.phases] == [1, 1]


def test_bfloat16_autocast_trains(shelf: Shelf, tmp_path: Path) -> None:
    model, _ = train(shelf, tmp_path, steps=3, precision="bf16-mixed")
    assert all(bool(torch.isfinite(one).all()) for one in model.state_dict().values())


def test_two_ranks_of_which_one_has_no_pet_give_the_gradient_of_one_process(
    shelf: Shelf, tmp_path: Path
) -> None:
    """The first moment of AdamW after one step is 0.05 of the gradient (1 - its first beta)."""
    cases = ("sub-001", "sub-002", "sub-003", "sub-004")
    shown = owned(shelf, cases)
    loader = StepLoader(shelf, cases, shown, batch=4, seed=3, chains={})
    second = loader.cases_at(0)[1::2]
    shown |= dict.fromkeys(second, Pattern.parse("mri"))
    loader = StepLoader(shelf, cases, shown, batch=4, seed=3, chains=make_loader(shelf).chains)
    assert set(loader.batch(0, rank=1, ranks=2).items) == {"mri"}
    moments = [
        _first_moments(shelf, loader, tmp_path / str(devices), devices=devices)
        for devices in (1, 2)
    ]
    assert len(moments[0]) == 2 * 6 + 2  # two encoders and the classifier
    for alone, shared in zip(*moments, strict=True):
        torch.testing.assert_close(alone, shared, rtol=0, atol=0.05 * 1e-6)


@pytest.mark.slow
def test_two_devices_train_through_every_phase(shelf: Shelf, tmp_path: Path) -> None:
    _, history = train(shelf, tmp_path, devices=2, patience=1)
    assert [phase.name for phase in history.phases] == ["single", "set"]
    assert all(phase.kept is not None for phase in history.phases)


def _first_moments(
    shelf: Shelf, loader: StepLoader, folder: Path, *, devices: int
) -> list[torch.Tensor]:
    torch.manual_seed(0)
    model = Frozen(shelf.modalities)
    model.last = 1
    with pytest.raises(Exception, match="the last step is over"):
        fit(
            model,
            loader,
            Views(shelf, owned(shelf, CASES[30:34]), batch=4),
            settings=TrainingSpec(steps=9, batch=4, devices=devices, checkpoint_every=1),
            seed=0,
            folder=folder,
            device="cpu",
        )
    saved = torch.load(folder / checkpoint.NAME, weights_only=True)
    (optimiser,) = saved["running"]["optimisers"]
    return [state["exp_avg"] for state in optimiser["state"].values()]


def _fit(model: Frozen, shelf: Shelf, folder: Path, *, steps: int) -> None:
    fit(
        model,
        make_loader(shelf),
        Views(shelf, owned(shelf, TRAIN[:4]), batch=4),
        settings=TrainingSpec(steps=steps, batch=8),
        seed=0,
        folder=folder,
        device="cpu",
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
