"""What early fusion does with what is not there."""

from __future__ import annotations

import pytest
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.errors import StudyError
from mmmed.modality import Modality
from mmmed.models.baselines.early_fusion import EarlyFusion, Options


def built(modalities, **chosen) -> EarlyFusion:
    return EarlyFusion(Options(**chosen), modalities, classes=2, standards={}).eval()


def test_an_absent_volume_is_a_channel_of_zeros(make_modalities):
    modalities = make_modalities("volume", 2)
    model = built(modalities)
    image = torch.randn(*modalities[0].shape)
    batch = pack([ModalitySet("a", "a", {"v0": [image]}, 0)], modalities=["v0", "v1"])
    stacked = torch.cat([image, torch.zeros_like(image)])[None]
    assert torch.equal(model(batch), model.classifier(model.backbones["volume"](stacked)))


def test_several_items_of_a_case_are_averaged(make_modalities):
    modalities = make_modalities("volume", 2)
    model = built(modalities)
    tiles = [torch.randn(*modalities[0].shape) for _ in range(2)]
    two = pack([ModalitySet("a", "a", {"v0": tiles}, 0)], modalities=["v0", "v1"])
    mean = pack(
        [ModalitySet("a", "a", {"v0": [(tiles[0] + tiles[1]) / 2]}, 0)], modalities=["v0", "v1"]
    )
    torch.testing.assert_close(model(two), model(mean))


def test_volumes_of_two_shapes_are_refused():
    modalities = (Modality("a", "volume", (1, 8, 8, 8)), Modality("b", "volume", (1, 8, 8, 9)))
    with pytest.raises(StudyError, match=r"a \(8, 8, 8\) and b \(8, 8, 9\), which differ"):
        built(modalities)


def test_volumes_and_images_meet_as_embeddings(mixed_modalities):
    model = built(mixed_modalities)
    assert set(model.backbones) == {"volume", "image", "vector"}
    assert model.classifier[-1].in_features == 64 + 64 + 64


def test_modalities_are_hidden_in_training(make_modalities, make_batch, monkeypatch):
    modalities = make_modalities("vector", 2)
    model = built(modalities, modality_dropout=0.9)
    seen = []
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda batch: seen.append(batch) or forward(batch))
    batch = make_batch(modalities)
    model.case_loss(batch)
    assert seen[0].presence.sum() < batch.presence.sum()
