"""Translation before the encoders: shape, range, and better than a constant (G3, G4)."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from mmmed.batch import ModalitySet, pack
from mmmed.modality import Modality
from mmmed.models.imputers.building import imputer_of
from mmmed.models.imputers.options import CycleGan, Diffusion, Pix2Pix

SHAPE = (1, 9, 8, 10)
PAIR = (Modality("mri", "volume", SHAPE), Modality("pet", "volume", SHAPE))
KINDS = {"pix2pix": Pix2Pix(kind="pix2pix"), "cyclegan": CycleGan(kind="cyclegan")}
KINDS["diffusion"] = Diffusion(kind="diffusion", widths=(4, 8), draws=5, shrink=2, pairs=2)
over_kinds = pytest.mark.parametrize("kind", KINDS)


def made(kind):
    torch.manual_seed(0)
    return imputer_of(KINDS[kind], PAIR, widths={}).eval()


def paired(count, *, seed):
    """PET is MRI turned upside down in intensity, plus a little of its own."""
    random = torch.Generator().manual_seed(seed)
    sets = []
    for number in range(count):
        coarse = torch.randn((1, 1, 3, 3, 3), generator=random)
        mri = functional.interpolate(coarse, size=SHAPE[1:], mode="trilinear")[0]
        pet = 0.5 - mri + 0.05 * torch.randn(SHAPE, generator=random)
        items = {"mri": [mri], "pet": [pet]}
        sets.append(ModalitySet(case=str(number), subject=str(number), items=items, label=0))
    return pack(sets, modalities=("mri", "pet"))


def without_pet(batch):
    return batch.show(torch.tensor([[True, False]]).expand(len(batch), 2))


@over_kinds
def test_g3_what_is_imputed_has_the_shape_of_its_modality(kind):
    batch = without_pet(paired(3, seed=0))
    assert made(kind).complete(batch).batch.items["pet"].data.shape == (3, *SHAPE)


@over_kinds
def test_g3_what_is_imputed_lies_within_the_training_volumes_range(kind):
    imputer, training = made(kind), paired(4, seed=0)
    training = training.map(lambda name, data: data.clamp(-0.01, 0.01) if name == "pet" else data)
    imputer.fit(batches(training), set(training.subject))
    found = imputer.complete(without_pet(paired(6, seed=1))).batch.items["pet"].data
    assert float(imputer.lowest[1]) == pytest.approx(-0.01)
    assert found.min() >= -0.01
    assert found.max() <= 0.01
    assert torch.equal(imputer.highest[0], training.items["mri"].data.max())


def batches(batch):
    """Case by case, so that ranges are taken over several batches."""
    return [batch.select(torch.tensor([row])) for row in range(len(batch))]


@pytest.mark.parametrize(("kind", "steps"), [("pix2pix", 150), ("diffusion", 80)])
def test_g4_what_is_learned_from_pairs_beats_every_constant_on_new_ones(kind, steps, train):
    imputer, training, later = made(kind), paired(24, seed=0), paired(12, seed=1)
    imputer.pairs = 24
    (phase,) = imputer.phases(steps)
    train(imputer, phase, training, steps=phase.steps, rate=1e-2)
    found = imputer.complete(without_pet(later)).batch.items["pet"].data
    truth = later.items["pet"].data
    error = (found - truth).abs().mean()
    constant = (truth - training.items["pet"].data.mean()).abs().mean()
    image = (truth - training.items["pet"].data.mean(dim=0)).abs().mean()
    assert error < 0.7 * min(constant, image)


@over_kinds
def test_translators_work_on_the_grid_and_are_interpolated_back(kind):
    imputer, batch = made(kind), paired(2, seed=0)
    assert imputer.shrunk(batch).items["mri"].data.shape == (2, 1, 5, 4, 5)
    assert imputer.draw(imputer.shrunk(batch))["pet"].shape == (2, 1, 5, 4, 5)


def test_the_grid_holds_the_means_of_cubes():
    batch = paired(1, seed=0)
    small = made("pix2pix").shrunk(batch).items["mri"].data
    torch.testing.assert_close(
        small[0, 0, 0, 0, 0], batch.items["mri"].data[0, 0, :2, :2, :2].mean()
    )


@over_kinds
def test_a_step_learns_from_at_most_so_many_pairs(kind):
    imputer, batch = made(kind), paired(9, seed=0)
    assert len(imputer.draw(imputer.shrunk(batch))["mri"]) == imputer.pairs


@over_kinds
def test_turns_have_the_betas_of_the_official_code(kind):
    (phase,) = made(kind).phases(10)
    expected = [None] if kind == "diffusion" else [(0.5, 0.999)] * 2
    assert [turn.betas for turn in phase.turns] == expected
    assert (phase.select, phase.augmented) == ("last", False)
