"""The JSON Schema of the YAML grammar."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import get_args

from mmmed import config
from mmmed.config import Spec
from mmmed.library import Folder
from mmmed.models import METHODS
from mmmed.pipelines.materialise import CohortFile
from mmmed.pipelines.study import study_type
from mmmed.transforms.chain import Chain


def text(folder: Folder) -> str:
    """The schema of one kind of YAML as readable JSON."""
    return json.dumps(config.schema(*_held(folder)), indent=2, sort_keys=True) + "\n"


def _held(folder: Folder) -> Sequence[type[Spec]]:
    """The Specs that a YAML of a folder may hold."""
    if folder == "cohorts":
        return get_args(get_args(CohortFile)[0])
    if folder == "transforms":
        return [Chain]
    return [study_type([method.kind for method in METHODS])]
