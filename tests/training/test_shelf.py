from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_job import make_shelf

from mmmed.errors import PresenceError
from mmmed.modality import Pattern
from mmmed.training.shelf import Shelf

BOTH, MRI = Pattern.parse("mri+pet"), Pattern.parse("mri")


def test_a_hidden_file_is_never_opened(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    before = shelf.set("sub-001", MRI)
    (tmp_path / "sub-001_pet.npy").unlink()
    after = shelf.set("sub-001", MRI)
    assert list(after.items) == ["mri"]
    assert torch.equal(before.items["mri"][0], after.items["mri"][0])


def test_a_pattern_that_is_not_owned_is_an_error(shelf: Shelf) -> None:
    with pytest.raises(PresenceError, match="sub-000: shows mri\\+pet but owns no pet"):
        shelf.set("sub-000", BOTH)


def test_owned_is_what_lies_on_the_shelf(shelf: Shelf) -> None:
    assert (shelf.owned("sub-000"), shelf.owned("sub-001")) == (MRI, BOTH)


def test_a_loaded_item_can_be_changed_without_changing_the_file(shelf: Shelf) -> None:
    first = shelf.set("sub-001", MRI).items["mri"][0]
    kept = first.clone()
    first.zero_()
    assert torch.equal(shelf.set("sub-001", MRI).items["mri"][0], kept)
