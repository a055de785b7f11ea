"""Operations of Tiny, counted by hand from its layers, and what counting leaves as it was."""

from __future__ import annotations

import copy

import pytest
import torch
from small_job import CHAINS, TRAIN, Tiny

from mmmed.batch import ModalitySet, pack
from mmmed.modality import Modality, Pattern
from mmmed.models import METHODS
from mmmed.models.building import build, options
from mmmed.models.contract import Model
from mmmed.training.loader import StepLoader
from mmmed.training.operations import operations, step_operations, training_operations
from mmmed.training.settings import TrainingSpec
from mmmed.training.shelf import Shelf

BATCH = 8
HEAD = 2 * 8 * 2
"""Of one row of 8 through a linear layer to 2: multiplications and additions."""


@pytest.fixture
def tiny(shelf: Shelf) -> Model:
    torch.manual_seed(0)
    return Tiny(shelf.modalities).eval()


@pytest.fixture
def loader(shelf: Shelf) -> StepLoader:
    shown = {case: shelf.owned(case) for case in TRAIN}
    return StepLoader(shelf, TRAIN, shown, batch=BATCH, seed=0, chains=CHAINS)


def test_a_convolution_counts_its_products_and_sums() -> None:
    layer = torch.nn.Conv3d(1, 4, 3, padding=1)
    assert operations(lambda: layer(torch.zeros(2, 1, 5, 6, 7))) == 2 * 2 * 4 * 27 * 5 * 6 * 7


def test_attention_counts_both_of_its_products() -> None:
    heads = torch.zeros(1, 2, 5, 4)
    attend = torch.nn.functional.scaled_dot_product_attention
    assert operations(lambda: attend(heads, heads, heads)) == 2 * (2 * 2 * 5 * 5 * 4)


def test_a_phase_behind_a_cache_counts_its_steps_and_the_filling(
    tiny: Model, loader: StepLoader, shelf: Shelf
) -> None:
    settings = TrainingSpec(steps=6, batch=BATCH, cached_copies=3)
    found = training_operations(tiny, loader, settings, steps={})
    assert list(found) == ["single", "set"]
    shown = loader.batch(6)  # the first batch of the second phase
    items = sum(len(one) for one in shown.items.values())
    forward_and_weights = 2 * HEAD * items  # nothing below the head gets a gradient
    with torch.no_grad():
        embedding = operations(lambda: tiny.embed(shown))
    filling = embedding * 3 * len(TRAIN) / BATCH
    assert found["set"] == pytest.approx(3 * forward_and_weights + filling)


def test_only_steps_that_were_taken_are_counted(tiny: Model, loader: StepLoader) -> None:
    settings = TrainingSpec(steps=6, batch=BATCH)
    whole = training_operations(tiny, loader, settings, steps={})
    half = training_operations(tiny, loader, settings, steps={"single": 3})
    assert half["single"] == whole["single"] / 2
    assert half["set"] == whole["set"]


def test_counting_changes_no_weight_no_mode_and_no_random_number(
    tiny: Model, loader: StepLoader
) -> None:
    before = copy.deepcopy(tiny.state_dict())
    generator = torch.get_rng_state()
    training_operations(tiny, loader, TrainingSpec(steps=6, batch=BATCH), steps={})
    assert torch.equal(torch.get_rng_state(), generator)
    after = tiny.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(module.training for module in tiny.modules())
    assert all(one.grad is None and one.requires_grad for one in tiny.parameters())


def test_a_lost_scan_costs_no_operation(tiny: Model, shelf: Shelf, loader: StepLoader) -> None:
    case = next(case for case in TRAIN if len(shelf.owned(case)) == 2)
    shown = {
        name: loader.pack([shelf.set(case, Pattern.parse(name))]) for name in ("mri", "mri+pet")
    }
    one, two = (operations(lambda batch=batch: tiny(batch)) for batch in shown.values())
    assert two == 2 * one > 0


VECTORS = (Modality("a", "vector", (3,)), Modality("b", "vector", (4,)))
READERS = [method.kind for method in METHODS if method.kind != "hypermm-paper"]
"""Those that read vectors."""


@pytest.mark.parametrize("kind", READERS)
def test_every_phase_and_prediction_of_every_method_can_be_counted(kind: str) -> None:
    torch.manual_seed(0)
    model = build(options(kind)(), VECTORS, classes=2, standards={}).eval()
    cases = [
        ModalitySet(
            case=f"s{number}",
            subject=f"s{number}",
            items={
                one.name: (torch.randn(one.shape),)
                for one in (VECTORS if number % 3 else VECTORS[: 1 + number % 2])
            },
            label=number % 2,
        )
        for number in range(12)
    ]
    batch = pack(cases, modalities=("a", "b"))
    for phase in model.phases(1):
        if phase.fit is not None:
            with torch.no_grad():
                phase.fit([batch], set(batch.subject))
        assert step_operations(model, phase, batch) > 0
    model.eval().requires_grad_(False)
    with torch.inference_mode():
        assert operations(lambda: model(batch)) > 0
