"""A small training world, the same for every test of training."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from small_job import make_shelf

from mmmed.training.shelf import Shelf


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """40 cases on disk with 8^3 volumes, every third without PET."""
    return make_shelf(tmp_path_factory.mktemp("shelf"))
