"""A frozen extractor through a whole training: each item once, and no bit of it moves."""

from __future__ import annotations

from pathlib import Path

import torch
from small_job import TRAIN, VALIDATION, make_loader, owned

from mmmed.models.hypermm.paper import HyperMMPaper, Options
from mmmed.training.fit import fit
from mmmed.training.loader import Views
from mmmed.training.randomness import seed_all
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf


def test_vgg_sees_each_item_once_in_two_phases_and_stays_as_it_was(
    shelf: Shelf, tmp_path: Path
) -> None:
    seed_all(0, "initialisation", 0)
    options = Options(weights="random", size=32, axis=0)
    model = HyperMMPaper(options, shelf.modalities, classes=2, standards={})
    before = {name: one.clone() for name, one in model.vgg.state_dict().items()}
    passes = []
    model.vgg.register_forward_hook(lambda _, given, __: passes.append(len(given[0])))
    shown = owned(shelf, (*TRAIN, *VALIDATION))
    fit(
        model,
        make_loader(shelf),
        Views(shelf, owned(shelf, VALIDATION), batch=4),
        settings=TrainingSpec(steps=6, batch=8, check_every=2, average=0.9),
        seed=0,
        folder=tmp_path,
        device="cpu",
    )
    slices = 8
    assert sum(passes) == slices * sum(len(pattern) for pattern in shown.values())
    assert all(torch.equal(one, before[name]) for name, one in model.vgg.state_dict().items())
