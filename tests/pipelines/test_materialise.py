"""Simulated cohorts in the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.pipelines import materialise
from mmmed.pipelines.study import CohortChoice
from mmmed.progress import Silent


def test_a_cohort_is_written_once_per_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = materialise.choose(CohortChoice(name="toy-xor"), start=None)

    def truth() -> Path | None:
        return materialise.materialise(chosen, cache=tmp_path, jobs=1, listener=Silent())[1]

    first = truth()
    assert truth() == first
    monkeypatch.setattr(materialise, "FORMAT", materialise.FORMAT + 1)
    assert truth() != first
    assert len(list((tmp_path / "simulated").iterdir())) == 2
