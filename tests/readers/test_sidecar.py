from __future__ import annotations

import json

import pytest

from mmmed.errors import DataError
from mmmed.readers import sidecar
from mmmed.readers.sidecar import declared_space, read_sidecar, sidecar_path


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_sidecar_stands_beside_its_image(tmp_path, ending):
    image = tmp_path / f"sub-1_T1w{ending}"
    assert sidecar_path(image) == tmp_path / "sub-1_T1w.json"
    sidecar_path(image).write_text('{"Units": "Bq/mL"}')
    assert read_sidecar(image) == {"Units": "Bq/mL"}


def test_no_sidecar_says_nothing(tmp_path):
    assert read_sidecar(tmp_path / "sub-1_T1w.nii") == {}


@pytest.mark.parametrize("text", [b"{", b"[1]", b"\xff\xfe{}", b"<html>", b"[" * 100_000])
def test_a_sidecar_that_is_no_json_object_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(DataError, match=r"a\.json: "):
        read_sidecar(tmp_path / "a.nii")


def test_a_huge_sidecar_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sidecar, "LARGEST", 10)
    (tmp_path / "a.json").write_text(json.dumps({"a": "b" * 20}))
    with pytest.raises(DataError, match="larger than 10 bytes"):
        read_sidecar(tmp_path / "a.nii")


@pytest.mark.parametrize(
    ("name", "content", "space"),
    [
        ("sub-1_T1w", {"SpatialReference": "MNI152NLin2009aSym"}, "sidecar MNI152NLin2009aSym"),
        ("sub-1_space-MNI152NLin2009cSym_T1w", {}, "name MNI152NLin2009cSym"),
        ("sub-1_T1w", {"SpatialReference": "orig"}, None),
        ("sub-1_T1w", {"SpatialReference": ["MNI152NLin2009aSym"]}, None),
        ("sub-1_space-T1w_pet", {}, None),
        ("volume", {}, None),
    ],
)
def test_the_template_space_is_declared_by_sidecar_or_name(tmp_path, name, content, space):
    (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert declared_space(tmp_path / f"{name}.nii.gz") == space
