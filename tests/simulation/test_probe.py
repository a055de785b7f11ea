"""How much of a burden ridge regression reads from images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeCV

from mmmed.readers.template import brain_mask
from mmmed.simulation.anatomy import atlas
from mmmed.simulation.probe import attainable, read_out
from mmmed.simulation.rendering import render
from mmmed.simulation.scanner import scanner_of
from mmmed.simulation.spec import AdSimulation, Subjects
from mmmed.simulation.subjects import draw_subjects, generator, participants


def test_read_out_is_ridge_with_the_penalty_of_leave_one_out() -> None:
    random = np.random.default_rng(0)
    train, test = random.standard_normal((60, 20)), random.standard_normal((30, 20))
    weights = random.standard_normal(20)
    z = train @ weights + 2.0 * random.standard_normal(60) + 5
    found = read_out(train, z, test)
    centred = train - train.mean(axis=0)
    trace = float((centred**2).sum())
    expected = RidgeCV(alphas=trace * np.logspace(-6, 0, 13)).fit(train, z).predict(test)
    np.testing.assert_allclose(found, expected, rtol=0.03, atol=0.1)


def test_attainable_scores_are_those_of_the_true_burdens_where_images_show_them() -> None:
    random = np.random.default_rng(1)
    label = np.arange(1200) % 2
    z = {
        name: random.standard_normal(1200) + shift * label
        for name, shift in (("mri", 1.466), ("pet", 1.987))
    }
    images = {name: np.outer(value, [1.0, -2.0, 0.5]) for name, value in z.items()}
    first, second = slice(0, 400), slice(400, 1200)
    found = attainable(
        {name: image[first] for name, image in images.items()},
        {name: value[first] for name, value in z.items()},
        {name: image[second] for name, image in images.items()},
        label_train=label[first],
        label_test=label[second],
    )
    # independent burdens of AUROC .85 and .92: d = hypot(1.466, 1.987), both = Phi(d / sqrt 2)
    assert found == pytest.approx({"mri": 0.85, "pet": 0.92, "mri+pet": 0.959}, abs=0.025)


def within_class_correlation(one: np.ndarray, other: np.ndarray, label: np.ndarray) -> float:
    """The correlation of two readings (n,) after the mean of each class is taken off."""
    off = [values - class_means(values, label) for values in (one, other)]
    return float(np.corrcoef(*off)[0, 1])


def independent_part(burden: np.ndarray, other_burden: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The part of a burden that neither the label nor the other burden tells, (n,)."""
    known = np.stack([np.ones_like(burden), label, other_burden], axis=1)
    return np.asarray(burden - known @ np.linalg.lstsq(known, burden, rcond=None)[0])


def class_means(values: np.ndarray, label: np.ndarray) -> np.ndarray:
    means = values[label == 1].mean(), values[label == 0].mean()
    return np.asarray(np.where(label == 1, *means))


@lru_cache(maxsize=1)
def _cohort(
    train: int, test: int, voxel_mm: float
) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    """Subjects and their z-scored images inside the template's brain."""
    parts = Subjects(train=train, validation=0, calibration=0, test=test)
    spec = AdSimulation(subjects=parts, seed=77, voxel_mm=voxel_mm, test="iid")
    table = draw_subjects(spec)
    inside = brain_mask(voxel_mm)
    images: dict[str, list[np.ndarray]] = {"mri": [], "pet": []}
    for person in participants(table):
        scans = render(
            person.subject,
            atlas(voxel_mm),
            scanner_of(person.site, seed=spec.seed, strength=spec.site_effects),
            generator(spec, "image", person.number),
            pet_anatomy=spec.pet_anatomy,
        )
        for name, volume in (("mri", scans.t1), ("pet", scans.pet)):
            values = volume[inside].astype(np.float32)
            images[name].append((values - values.mean()) / values.std())
    return table, {name: np.stack(rows) for name, rows in images.items()}


def _read(train: int, test: int, voxel_mm: float, image: str, *, leak: bool) -> float:
    """The correlation between a burden and what the image tells of it."""
    table, images = _cohort(train, test, voxel_mm)
    label = table["label"].to_numpy()
    own = table[f"z_{image}"].to_numpy()
    other = table["z_pet" if image == "mri" else "z_mri"].to_numpy()
    first, second = slice(0, train), slice(train, None)
    if not leak:
        found = read_out(images[image][first], own[first], images[image][second])
        return within_class_correlation(found, own[second], label[second])
    left = [independent_part(other[rows], own[rows], label[rows]) for rows in (first, second)]
    found = read_out(images[image][first], left[0], images[image][second])
    return float(np.corrcoef(found, left[1])[0, 1])


@pytest.mark.parametrize("image", ["mri", "pet"])
def test_a_few_coarse_images_already_show_their_burden(image: str) -> None:
    assert _read(240, 120, 8.0, image, leak=False) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize("image", ["mri", "pet"])
def test_700_images_show_their_burden_with_r_of_at_least_090(image: str) -> None:
    assert _read(700, 400, 4.0, image, leak=False) >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("image", ["mri", "pet"])
def test_neither_image_shows_the_burden_of_the_other(image: str) -> None:
    assert abs(_read(700, 400, 4.0, image, leak=True)) < 0.15


def test_a_pattern_needs_more_training_subjects_of_each_class_than_it_has_burdens() -> None:
    draws = np.random.default_rng(0)
    label = np.array([0, 0, 0, 0, 1, 1])
    images = {name: draws.normal(size=(6, 5)) for name in ("mri", "pet")}
    burdens = {name: draws.normal(size=6) + label for name in images}
    found = attainable(images, burdens, images, label_train=label, label_test=label)
    assert set(found) == {"mri", "pet"}
    assert all(0 <= auroc <= 1 for auroc in found.values())
