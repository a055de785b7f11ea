"""The JSON Schema of the YAML grammar."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from mmmed.library import Folder
from mmmed.models import METHODS
from mmmed.pipelines.materialise import CohortFile
from mmmed.pipelines.study import study_type
from mmmed.transforms.chain import Chain


def text(folder: Folder) -> str:
    """The schema of one kind of YAML as readable JSON."""
    return json.dumps(_grammar(folder).json_schema(), indent=2, sort_keys=True) + "\n"


def _grammar(folder: Folder) -> TypeAdapter[Any]:
    if folder == "cohorts":
        return TypeAdapter(CohortFile)
    if folder == "transforms":
        return TypeAdapter(Chain)
    return TypeAdapter(study_type([method.kind for method in METHODS]))
