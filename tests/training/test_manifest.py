from __future__ import annotations

import hashlib

from mmmed.training.manifest import Subjects, versions


def test_a_subject_is_found_in_its_part_and_nowhere_else() -> None:
    subjects = Subjects.of({"train": ["sub-1", "sub-2"], "calibration": ["sub-3"]}, salt="s")
    assert [subjects.part(one) for one in ("sub-2", "sub-3", "sub-4")] == [
        "train",
        "calibration",
        None,
    ]


def test_only_salted_hashes_are_kept() -> None:
    subjects = Subjects.of({"train": ["sub-1"]}, salt="abc")
    assert subjects.parts["train"] == (hashlib.sha256(b"abc\x00sub-1").hexdigest()[:32],)
    assert "sub-1" not in subjects.model_dump_json()


def test_the_versions_a_prediction_depends_on_are_named() -> None:
    assert {"mmmed", "python", "torch", "monai", "numpy", "nibabel"} <= set(versions())
