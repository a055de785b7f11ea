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


def test_the_warm_up_shows_every_item_alone(make_modalities, make_batch):
    """Its losses are those of each modality alone, with the zeros of early fusion beside it."""
    modalities = make_modalities("volume", 2)
    model = built(modalities)
    batch = make_batch(modalities)
    losses = model.item_loss(batch)
    assert set(losses) == {"v0 class", "v1 class"}
    for place, name in enumerate(("v0", "v1")):
        items = batch.items[name]
        stacked = torch.zeros(len(items), 2, *modalities[0].space)
        stacked[:, place] = items.data[:, 0]
        logits = model.classifier(model.backbones["volume"](stacked))
        label = batch.label[items.owner]
        expected = torch.nn.functional.cross_entropy(logits, label, reduction="sum")
        torch.testing.assert_close(losses[f"{name} class"].sum, expected)
        assert losses[f"{name} class"].count == len(items)


def test_the_warm_up_comes_first_and_is_the_longest(make_modalities):
    first, second = built(make_modalities("volume", 2)).phases(100)
    assert (first.name, first.steps, second.name, second.steps) == ("warm-up", 100, "fusion", 20)


def test_without_a_warm_up_the_fusion_has_all_the_steps(make_modalities):
    (only,) = built(make_modalities("volume", 2), warm_up=False).phases(100)
    assert (only.name, only.steps, only.turns[0].rate) == ("fusion", 100, 1.0)
