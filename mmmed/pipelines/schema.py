"""The JSON Schema of the YAML grammar."""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from mmmed.library import Folder
from mmmed.models import METHODS
from mmmed.pipelines.materialise import CohortFile
from mmmed.pipelines.study import study_type
from mmmed.transforms.chain import Chain


def text(folder: Folder) -> str:
    """The schema of one kind of YAML as readable JSON."""
    grammar = {
        "cohorts": lambda: TypeAdapter(CohortFile),
        "transforms": lambda: TypeAdapter(Chain),
        "pipelines": lambda: TypeAdapter(study_type([method.kind for method in METHODS])),
    }[folder]()
    return json.dumps(grammar.json_schema(), indent=2, sort_keys=True) + "\n"
