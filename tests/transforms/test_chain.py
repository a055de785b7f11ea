from __future__ import annotations

import pytest

from mmmed import library
from mmmed.errors import StudyError
from mmmed.transforms.chain import Chain, load_chain

TURNING = "augment: [{kind: quarter-turns}]\n"

EXTRACTING = """
mmmed: 1
item: volume
prepare: [{kind: register, template: pet}, {kind: brain-mask, by: hd-bet}]
"""

SPACING = {"kind": "spacing", "voxel_mm": (2.0, 2.0, 2.0)}


def write(tmp_path, text):
    path = tmp_path / "chain.yaml"
    path.write_text(text)
    return library.find("transforms", str(path), start=None)


@pytest.mark.parametrize("name", library.names("transforms", start=None))
def test_every_shipped_chain_is_loaded(name):
    chain = load_chain(library.find("transforms", name, start=None))
    items = {
        "vector": "vector",
        "photograph": "image",
        "histology": "image",
        "histology-paper": "image",
        "histology-small": "image",
        "tile": "image",
    }
    assert chain.item == items.get(name, "volume")


@pytest.mark.parametrize("name", ["brain-mri", "brain-pet"])
def test_brain_chains_prepare_on_the_template_and_mirror(name):
    chain = load_chain(library.find("transforms", name, start=None))
    assert [step.kind for step in chain.prepare] == ["register", "to-template", "z-score"]
    assert [step.kind for step in chain.augment] == ["flip", "roll", "gain", "offset"]
    assert chain.mirror


def test_a_pet_may_be_registered_through_another_modality():
    step = {"kind": "register", "template": "pet", "through": "mri"}
    assert Chain.model_validate({"item": "volume", "prepare": [step]}).through == "mri"
    alone = Chain.model_validate({"item": "volume", "prepare": [{**step, "through": None}]})
    assert alone.through is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            EXTRACTING,
            "HD-BET is for MRI",
        ),
        (
            "mmmed: 1\nitem: volume\nprepare:\n  - {kind: register, through: mri}\n",
            "`through` is for a PET",
        ),
        ("mmmed: 1\nitem: volume\nprepare:\n  - {kind: zscore, within: all}\n", ":4: .*z-score"),
        ("mmmed: 1\nitem: volume\nprepare:\n  - {kind: resize, shape: [4]}\n", ":4: "),
        (
            "mmmed: 1\nitem: volume\nprepare:\n  - {kind: resize, shape: [4, 4]}\n",
            "resize states 2 sizes; an item of kind volume has 3 axes",
        ),
        (
            "mmmed: 1\nitem: image\nprepare:\n  - {kind: crop-or-pad, shape: [4, 4, 4]}\n",
            "crop-or-pad states 3 sizes; an item of kind image has 2 axes",
        ),
        *(
            (
                f"mmmed: 1\nitem: image\nprepare:\n  - {{kind: {step}}}\n",
                f"{step.split(',')[0]} does not fit items of kind image",
            )
            for step in (
                "register",
                "to-template",
                "spacing, voxel_mm: [1, 1, 1]",
                "z-score, within: template-brain",
            )
        ),
        *(
            (
                f"mmmed: 1\nitem: volume\nprepare:\n  - {{kind: {step}}}\n",
                f"{step.split(',')[0]} does not fit items of kind volume",
            )
            for step in ("colour, to: grey", "shorter-side, pixels: 9")
        ),
        (
            "mmmed: 1\nitem: volume\naugment: [{kind: quarter-turns}]\n",
            "quarter-turns does not fit items of kind volume",
        ),
        (
            "mmmed: 1\nitem: image\n" + TURNING,
            "quarter-turns needs square images",
        ),
        (
            "mmmed: 1\nitem: image\nprepare: [{kind: resize, shape: [4, 5]}]\n" + TURNING,
            "quarter-turns needs square images",
        ),
        (
            "mmmed: 1\nitem: image\nprepare:\n  - {kind: normalise, mean: [0, 0], sd: [1]}\n",
            ":4: .*states 2 means and 1 sds",
        ),
        ("mmmed: 1\nitem: vector\naugment: [{kind: quarter-turns}]\n", "a vector has no space"),
        ("mmmed: 1\nitem: volume\naugment:\n  - {kind: z-score, within: all}\n", ":4: "),
        ("mmmed: 1\nitem: volume\nmirrored: true\n", ":3: mirrored: .*mirror"),
        ("item: volume\n", "state `mmmed: 1`"),
        ("mmmed: 1\nitem: vector\nmirror: true\n", "a vector has no space for mirror"),
        ("mmmed: 1\nitem: vector\naugment: [{kind: roll}]\n", "a vector has no space for roll"),
        (
            "mmmed: 1\nitem: vector\nprepare: [{kind: z-score, within: all}]\n",
            "a vector takes no z-score",
        ),
    ],
)
def test_faults_name_file_line_and_what_is_allowed(tmp_path, text, fault):
    with pytest.raises(StudyError, match=fault) as caught:
        load_chain(write(tmp_path, text))
    assert "chain.yaml:" in str(caught.value)


def test_the_digest_is_of_what_decides_the_prepared_bytes():
    values = {"item": "volume", "prepare": [{"kind": "z-score", "within": "all"}]}
    chain = Chain.model_validate(values)
    augmented = Chain.model_validate({**values, "augment": [{"kind": "flip"}], "mirror": True})
    other = Chain.model_validate({"item": "volume", "prepare": [{"kind": "clip"}]})
    assert chain.digest == augmented.digest != other.digest


@pytest.mark.parametrize(
    ("item", "steps", "space"),
    [
        ("volume", [{"kind": "to-template", "voxel_mm": 4.0}], (40, 48, 48)),
        ("volume", [{"kind": "resize", "shape": [4, 5, 6]}, {"kind": "clip"}], (4, 5, 6)),
        ("volume", [{"kind": "resize", "shape": [4, 5, 6]}, SPACING], None),
        ("image", [{"kind": "shorter-side", "pixels": 9}], None),
        (
            "image",
            [{"kind": "shorter-side", "pixels": 9}, {"kind": "crop-or-pad", "shape": [7, 8]}],
            (7, 8),
        ),
        ("image", [], None),
    ],
)
def test_the_space_is_that_of_the_last_step_that_settles_it(item, steps, space):
    assert Chain.model_validate({"item": item, "prepare": steps}, strict=False).space == space
