from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.distance import mahalanobis
from small_job import CASES, REST, TRAIN, Tiny, owned

from mmmed.modality import Modality, Pattern
from mmmed.readers.source import Source
from mmmed.training.shelf import Shelf
from mmmed.training.statistics import standards, statistics
from mmmed.transforms.prepared import Prepared


def vectors(folder, values: np.ndarray) -> Shelf:
    items = {}
    for number, row in enumerate(values.astype(np.float32)):
        path = folder / f"{number}.npy"
        np.save(path, row)
        items[f"c{number}"] = {"clinical": (Prepared(Source(path), path, "", row.shape),)}
    return Shelf(
        modalities=(Modality("clinical", "vector", values.shape[1:]),),
        items=items,
        label=dict.fromkeys(items, 0),
        subject={case: case for case in items},
    )


def test_a_standard_is_mean_and_standard_deviation_of_the_training_part(tmp_path) -> None:
    shelf = vectors(tmp_path, np.array([[1.0, 5.0], [3.0, 5.0], [100.0, 100.0]]))
    clinical = Pattern.parse("clinical")
    found = standards(shelf, {"c0": clinical, "c1": clinical})["clinical"]
    assert found.mean.tolist() == [2.0, 5.0]
    assert found.scale.tolist() == [1.0, 1.0]  # the second does not vary


def test_volumes_have_no_standard(shelf: Shelf) -> None:
    assert standards(shelf, owned(shelf, TRAIN)) == {}


def test_distances_are_mahalanobis_distances_of_the_calibration_items(shelf: Shelf) -> None:
    torch.manual_seed(0)
    model = Tiny(shelf.modalities).eval()
    found = statistics(model, shelf, train=owned(shelf, TRAIN), calibration=REST)["pet"]
    own = [shelf.set(case, Pattern.parse("pet")) for case in REST if "pet" in shelf.owned(case)]
    with torch.no_grad():
        rows = [model.encoders["pet"](one.items["pet"][0][None])[0].numpy() for one in own]
    expected = [mahalanobis(row, found.mean, found.precision) for row in rows]
    assert found.items == 16
    np.testing.assert_allclose(found.distances[0.5], np.median(expected), rtol=1e-5)
    np.testing.assert_allclose(found.distances[0.99], np.quantile(expected, 0.99), rtol=1e-5)


def test_intensities_are_the_range_of_the_training_items(shelf: Shelf) -> None:
    model = Tiny(shelf.modalities).eval()
    found = statistics(model, shelf, train=owned(shelf, TRAIN), calibration=REST)["mri"]
    data = torch.stack([shelf.set(c, Pattern.parse("mri")).items["mri"][0] for c in TRAIN])
    assert found.intensities == (float(data.min()), float(data.max()))


def test_a_modality_with_too_few_items_has_no_statistics(shelf: Shelf) -> None:
    model = Tiny(shelf.modalities).eval()
    found = statistics(model, shelf, train=owned(shelf, CASES[:13]), calibration=REST)
    assert list(found) == ["mri"]
