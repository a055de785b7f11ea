"""The JSON Schemas under docs/ are those of the grammar."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.library import FOLDERS
from mmmed.pipelines.schema import text

DOCS = Path(__file__).resolve().parents[2] / "docs" / "schema"


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_schema_in_docs_is_current(folder) -> None:
    assert (DOCS / f"{folder}.json").read_text(encoding="utf-8") == text(folder), (
        f"run: mmmed schema {folder} > docs/schema/{folder}.json"
    )
