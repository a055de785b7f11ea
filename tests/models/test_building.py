"""From a name to options, from options to a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.errors import StudyError
from mmmed.modality import Modality
from mmmed.models.backbones.backbone import ResNet
from mmmed.models.building import build, options, weights_file, without_weights

VECTOR = (Modality("x", "vector", (3,)),)


def test_an_unknown_method_is_refused_with_the_nearest_name():
    with pytest.raises(StudyError, match="'hyperm'; did you mean 'hypermm'"):
        options("hyperm")


def test_one_class_is_refused():
    with pytest.raises(StudyError, match="two classes"):
        build(options("hypermm")(), VECTOR, classes=1, standards={})


def test_no_modality_is_refused():
    with pytest.raises(StudyError, match="at least one modality"):
        build(options("late-sum")(), (), classes=2, standards={})


DENSENET = {"kind": "densenet"}


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        ("late-sum", {"backbone": DENSENET}),
        ("mmp", {"tokens": {"kind": "grid", "backbone": DENSENET}}),
    ],
)
def test_items_too_small_for_a_backbone_are_refused_with_the_size_that_it_needs(kind, chosen):
    photo = (Modality("photo", "image", (1, 40, 28)), *VECTOR)
    with pytest.raises(StudyError, match=r"densenet needs 29 .* photo has 40 x 28; ") as told:
        build(options(kind)(**chosen), photo, classes=2, standards={})
    assert len(str(told.value).splitlines()) == 1


def test_a_package_s_options_name_no_file_of_weights():
    backbone = ResNet(kind="resnet", depth=10, weights=Path("there.pt"))
    bare = without_weights(options("late-sum")(backbone=backbone))
    assert bare.model_dump()["backbone"] == {"kind": "resnet", "depth": 10, "weights": None}


def test_a_file_is_found_and_left_out_however_deep_it_stands():
    backbone = {"kind": "resnet", "depth": 10, "weights": "there.pt"}
    tokens = {"kind": "grid", "backbone": backbone}
    chosen = options("joint-embedding")(encoder={"tokens": tokens})
    assert weights_file(chosen) == Path("there.pt")
    bare = without_weights(chosen)
    assert weights_file(bare) is None
    assert bare.encoder.tokens.backbone.depth == 10


def test_options_without_weights_stay_as_they_are():
    chosen = options("hypermm")()
    assert without_weights(chosen) is chosen


def test_the_file_of_weights_is_found_in_the_options_that_name_one():
    backbone = ResNet(kind="resnet", weights=Path("there.pt"))
    assert weights_file(options("late-sum")(backbone=backbone)) == Path("there.pt")
    assert weights_file(options("late-sum")(backbone=ResNet(kind="resnet"))) is None
    assert weights_file(options("hypermm")()) is None
    patches = {"kind": "patches"}
    chosen = options("joint-embedding")(encoder={"tokens": patches, "weights": "there.pt"})
    assert weights_file(chosen) == Path("there.pt")
    assert weights_file(options("hypermm-paper")(weights="there.pth")) == Path("there.pth")
    assert weights_file(options("hypermm-paper")(weights="random")) is None
