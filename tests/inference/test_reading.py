"""What prediction reads of a folder, by the settings a package was trained with."""

from __future__ import annotations

from pathlib import Path

from mmmed.inference.reading import read_cohort
from mmmed.training import package


def test_a_table_named_by_an_absolute_path_is_looked_for_in_the_folder(
    model: Path, bids: Path, tmp_path: Path
) -> None:
    scan = next(bids.rglob("*_T1w.nii.gz"))
    for place, case in ("training", "old"), ("new", "fresh"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "cases.csv").write_text(f"case_id,mri\n{case},{scan}\n")
    settings = {
        "kind": "table",
        "table": str(tmp_path / "training" / "cases.csv"),
        "modalities": {"mri": {"kind": "volume", "columns": ["mri"]}},
    }
    manifest = package.load(model).manifest.model_copy(update={"reading": settings})
    cohort = read_cohort(manifest, tmp_path / "new")
    assert [case.id for case in cohort.cases] == ["fresh"]
