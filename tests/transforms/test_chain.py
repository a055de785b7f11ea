from __future__ import annotations

import pytest

from mmmed import library
from mmmed.errors import StudyError
from mmmed.transforms.chain import Chain, load_chain


def write(tmp_path, text):
    path = tmp_path / "chain.yaml"
    path.write_text(text)
    return library.find("transforms", str(path), start=None)


@pytest.mark.parametrize("name", library.names("transforms", start=None))
def test_every_shipped_chain_is_loaded(name):
    chain = load_chain(library.find("transforms", name, start=None))
    assert chain.item == ("vector" if name == "vector" else "volume")


@pytest.mark.parametrize("name", ["brain-mri", "brain-pet"])
def test_brain_chains_prepare_on_the_template_and_mirror(name):
    chain = load_chain(library.find("transforms", name, start=None))
    assert [step.kind for step in chain.prepare] == ["register", "to-template", "z-score"]
    assert [step.kind for step in chain.augment] == ["flip", "roll", "gain", "offset"]
    assert chain.mirror


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("mmmed: 1\nitem: volume\nprepare:\n  - {kind: zscore, within: all}\n", ":4: .*z-score"),
        ("mmmed: 1\nitem: volume\nprepare:\n  - {kind: resize, shape: [4, 4]}\n", ":4: "),
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
