"""The JSON Schemas under docs/ are those of the grammar."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mmmed.library import FOLDERS
from mmmed.pipelines.schema import text

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [(folder, path) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.yaml"))]


def schema_in_docs(folder: str) -> str:
    return (ROOT / "docs" / "schema" / f"{folder}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_schema_in_docs_is_current(folder) -> None:
    assert schema_in_docs(folder) == text(folder), (
        f"run: mmmed schema {folder} > docs/schema/{folder}.json"
    )


@pytest.mark.parametrize(("folder", "path"), SHIPPED, ids=lambda one: getattr(one, "stem", one))
def test_a_shipped_file_fits_the_schema_in_docs(folder, path) -> None:
    schema = json.loads(schema_in_docs(folder))
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_schema_refuses_a_key_with_a_typo_and_a_file_without_its_number(folder) -> None:
    schema = json.loads(schema_in_docs(folder))
    path = next(path for one, path in SHIPPED if one == folder)
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    for wrong in (values | {"sedes": [0]}, {key: values[key] for key in values if key != "mmmed"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
