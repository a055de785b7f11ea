"""What images show: their own burden, the nuisances, and nothing of the other burden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmmed.readers import template
from mmmed.simulation.anatomy import Atlas, atlas
from mmmed.simulation.rendering import PetAnatomy, Scans, Subject, render
from mmmed.simulation.scanner import Scanner, scanner_of

USUAL = Subject(z_mri=0.5, z_pet=0.5, age=73.0, sex="F")
QUIET = Scanner(t1_noise=0.0, pet_counts=10_000)


@pytest.fixture(scope="module")
def brain() -> Atlas:
    return atlas(4)


def _render(
    brain: Atlas,
    subject: Subject = USUAL,
    *,
    scanner: Scanner = QUIET,
    seed: int = 0,
    pet_anatomy: PetAnatomy = "shared",
) -> Scans:
    return render(subject, brain, scanner, np.random.default_rng(seed), pet_anatomy=pet_anatomy)


def test_the_same_generator_gives_the_same_images(brain: Atlas) -> None:
    one, two = _render(brain), _render(brain)
    np.testing.assert_array_equal(one.t1, two.t1)
    np.testing.assert_array_equal(one.pet, two.pet)
    assert one.pet_slope == two.pet_slope


def test_the_t1_does_not_know_the_pet_burden(brain: Atlas) -> None:
    other = _render(brain, replace(USUAL, z_pet=3.0))
    np.testing.assert_array_equal(_render(brain).t1, other.t1)


def test_the_pet_does_not_know_the_mri_burden(brain: Atlas) -> None:
    other = _render(brain, replace(USUAL, z_mri=3.0))
    np.testing.assert_array_equal(_render(brain).pet, other.pet)


def test_an_atrophied_pet_shows_the_mri_burden(brain: Atlas) -> None:
    one = _render(brain, pet_anatomy="atrophied")
    other = _render(brain, replace(USUAL, z_mri=3.0), pet_anatomy="atrophied")
    place = _near(24, -18, -18)
    assert other.pet[place].mean() < 0.9 * one.pet[place].mean()


def test_the_mri_burden_darkens_the_hippocampus_in_the_t1(brain: Atlas) -> None:
    healthy, ill = (_render(brain, replace(USUAL, z_mri=z)) for z in (-1.0, 3.0))
    hippocampus, elsewhere = _near(26, -18, -18), _near(0, -85, 5)
    assert ill.t1[hippocampus].mean() < 0.85 * healthy.t1[hippocampus].mean()
    assert ill.t1[elsewhere].mean() == pytest.approx(healthy.t1[elsewhere].mean(), rel=0.02)


def test_the_mri_burden_widens_the_ventricles(brain: Atlas) -> None:
    healthy, ill = (_render(brain, replace(USUAL, z_mri=z)) for z in (-1.0, 3.0))
    region = _near(14, -2, 18, mm=16)
    dark = 0.55 * np.percentile(healthy.t1[template.brain_mask(4)], 95)
    assert (ill.t1[region] < dark).sum() > 1.3 * (healthy.t1[region] < dark).sum()


def test_the_pet_burden_lowers_posterior_uptake_linearly_even_below_the_average(
    brain: Atlas,
) -> None:
    precuneus = _near(0, -50, 30)
    uptake = [
        _render(brain, replace(USUAL, z_pet=z)).pet[precuneus].mean()
        for z in (-3.0, -1.0, 1.0, 3.0)
    ]
    steps = np.diff(uptake)
    assert (steps < -0.1 * uptake[0]).all()
    np.testing.assert_allclose(steps, steps[0], rtol=0.05)


def test_age_thins_the_frontal_cortex_in_both_images(brain: Atlas) -> None:
    young, old = (_render(brain, replace(USUAL, age=age)) for age in (55.0, 91.0))
    frontal = _near(34, 40, 24)
    assert old.t1[frontal].mean() < 0.95 * young.t1[frontal].mean()
    assert old.pet[frontal].mean() < 0.9 * young.pet[frontal].mean()


def test_men_have_larger_heads(brain: Atlas) -> None:
    women, men = (_render(brain, replace(USUAL, sex=sex)) for sex in ("F", "M"))
    assert (men.t1 > 0).sum() > (women.t1 > 0).sum()


def test_outside_the_head_images_are_zero(brain: Atlas) -> None:
    scans = _render(brain, scanner=Scanner())
    outside = np.ones(brain.grid.shape, dtype=bool)
    outside.reshape(-1)[brain.support] = False
    assert not scans.t1[outside].any()
    assert not scans.pet[outside].any()


def test_counts_are_as_noisy_as_poisson_says(brain: Atlas) -> None:
    few, many = (
        _render(brain, scanner=Scanner(pet_counts=counts)).pet / counts for counts in (20, 20_000)
    )
    mask = template.brain_mask(4)
    relative = (few - many)[mask] ** 2 / (many[mask] / 20)
    assert relative.mean() == pytest.approx(1.0, abs=0.05)


def test_sites_differ_and_are_the_same_for_a_seed() -> None:
    assert scanner_of("A", seed=0, strength=1) == scanner_of("A", seed=0, strength=1)
    assert scanner_of("A", seed=0, strength=1) != scanner_of("B", seed=0, strength=1)
    assert scanner_of("A", seed=0, strength=1) != scanner_of("A", seed=1, strength=1)


def test_without_site_effects_all_scanners_are_the_usual_one() -> None:
    for site in "ABC":
        assert scanner_of(site, seed=0, strength=0) == Scanner()


@pytest.mark.parametrize("voxel_mm", [8.0, 2.0])
def test_other_voxel_sizes_show_the_same_brain(voxel_mm: float, brain: Atlas) -> None:
    other = _render(atlas(voxel_mm))
    usual = _render(brain)
    litres = [
        (scans.t1 > 0.4 * np.percentile(scans.t1, 95)).sum() * mm**3 / 1e6
        for scans, mm in ((other, voxel_mm), (usual, 4))
    ]
    assert litres[0] == pytest.approx(litres[1], rel=0.1)


def _near(x: float, y: float, z: float, *, mm: float = 8.0) -> np.ndarray:
    """The voxels of the 4 mm grid within some mm of a place, on either side."""
    centres = template.grid(4).centres
    distance = [
        np.linalg.norm(centres - np.array(place, dtype=np.float32), axis=-1)
        for place in ((x, y, z), (-x, y, z))
    ]
    return np.minimum(*distance) <= mm
