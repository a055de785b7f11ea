"""Imputation through the trainer: resumed bit for bit, packaged without pickle."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_job import CASES, CHAINS, REST, TRAIN, VALIDATION, at, make_loader, owned

from mmmed.errors import StudyError
from mmmed.models.building import build, options
from mmmed.models.contract import Model
from mmmed.training import package
from mmmed.training.calibrate import calibrate
from mmmed.training.fit import fit
from mmmed.training.loader import StepLoader, Views
from mmmed.training.logits import logits
from mmmed.training.origin import Origin
from mmmed.training.randomness import seed_all
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf

KINDS = ("mean", "knn", "regression", "pix2pix", "cyclegan", "diffusion")
Whole = Callable[[str, float | None], Model]
SETTINGS = {"steps": 12, "batch": 8, "check_every": 6, "checkpoint_every": 5}


def train(
    shelf: Shelf, folder: Path, kind: str, *, report: object = None, **settings: object
) -> Model:
    seed_all(0, "initialisation", 0)
    model = build(
        options("imputation")(imputer={"kind": kind}), shelf.modalities, classes=2, standards={}
    )
    fit(
        model,
        make_loader(shelf),
        Views(shelf, owned(shelf, VALIDATION), batch=4),
        settings=TrainingSpec.model_validate({**SETTINGS, **settings}),
        seed=0,
        folder=folder,
        device="cpu",
        report=report,  # type: ignore[arg-type]
    )
    return model


@pytest.fixture(scope="module")
def whole(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A model of a kind, with or without averaged weights, trained without a pause; only read."""

    @functools.cache
    def trained(kind: str, average: float | None) -> Model:
        return train(shelf, tmp_path_factory.mktemp("whole"), kind, average=average)

    return trained


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("kind", "phase", "step", "average"),
    [
        ("knn", "head", 1, None),
        ("regression", "joint", 3, None),
        ("pix2pix", "imputer", 7, None),
        ("cyclegan", "imputer", 1, None),
        ("cyclegan", "imputer", 12, None),
        ("cyclegan", "imputer", 7, 0.9),
        ("cyclegan", "warm-up", 2, None),
        ("diffusion", "imputer", 7, None),
    ],
)
def test_a_resumed_training_ends_with_the_same_bits(
    shelf: Shelf,
    whole: Whole,
    tmp_path: Path,
    kind: str,
    phase: str,
    step: int,
    average: float | None,
) -> None:
    expected = whole(kind, average).state_dict()
    with pytest.raises(KeyboardInterrupt):
        train(shelf, tmp_path, kind, report=at(phase, step, interrupt), average=average)
    again = train(shelf, tmp_path, kind, average=average).state_dict()
    assert expected.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in expected.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_predicts_what_the_model_did(
    shelf: Shelf, whole: Whole, tmp_path: Path, kind: str
) -> None:
    model = whole(kind, None)
    calibrated = calibrate(
        model, shelf, REST, mirror=CHAINS, classes=("CN", "AD"), positive="AD", threshold=0.5,
        coverage=0.8,
    )  # fmt: skip
    package.save(
        tmp_path / "model",
        model=model,
        options=options("imputation")(imputer={"kind": kind}),
        chains=CHAINS,
        classes=("CN", "AD"),
        positive="AD",
        calibrated=calibrated,
        statistics={},
        origin=Origin(
            study={},
            reading={},
            seed=0,
            fold="holdout",
            train="complete",
            subjects={"train": TRAIN},
        ),
    )
    sets = [shelf.set(case, shelf.owned(case)) for case in CASES]
    expected = logits(model, sets, mirror=CHAINS, batch=1, device="cpu")
    found = package.load(tmp_path / "model").predict(sets)
    assert np.array_equal(np.array([one.logits for one in found]), expected)
    if kind == "knn":
        assert len(model.imputer.filler.donors) == 16  # 24 training cases, every third without PET
    if kind == "cyclegan":
        assert all(len(pool.kept) == 0 for pool in model.imputer.translator.pools.values())


def test_without_a_complete_training_case_nothing_is_trained(shelf: Shelf, tmp_path: Path) -> None:
    alone = {case: shelf.owned(case) for case in TRAIN[::3]}
    loader = StepLoader(shelf, list(alone), alone, batch=8, seed=0, chains=CHAINS)
    model = build(options("imputation")(), shelf.modalities, classes=2, standards={})
    with pytest.raises(StudyError, match="imputer regression: pet was never observed in training"):
        fit(
            model,
            loader,
            Views(shelf, owned(shelf, VALIDATION), batch=4),
            settings=TrainingSpec.model_validate(SETTINGS),
            seed=0,
            folder=tmp_path,
            device="cpu",
        )
    assert list(tmp_path.iterdir()) == []
