from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from mmmed.cohorts.bids import BidsCohort, read_bids
from mmmed.cohorts.label import Label
from mmmed.cohorts.views import View, ViewsCohort, read_views
from mmmed.pipelines.preparation import Stocked, stock
from mmmed.transforms.chain import Chain


def vectors(root: Path) -> Stocked:
    for name, width in (("one", 3), ("two", 2)):
        table = np.random.default_rng(width).normal(size=(4, width)).round(3)
        lines = [",".join([*map(str, row), str(place % 2)]) for place, row in enumerate(table)]
        header = ",".join([*map(str, range(width)), "label"])
        (root / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    spec = ViewsCohort(
        kind="views",
        root=root,
        modalities={name: View(kind="vector", file=Path(f"{name}.csv")) for name in ("one", "two")},
        label=Label(column="last", classes=("0", "1")),
    )
    chains = {name: Chain(item="vector") for name in spec.modalities}
    return stock(
        read_views(spec, "small"), chains, cache=root / "cache", jobs=1, report=lambda *_: None
    )


def test_the_inputs_of_vectors_are_the_digests_of_their_whole_tables(tmp_path: Path) -> None:
    assert vectors(tmp_path).inputs == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "one.csv", tmp_path / "two.csv")
    }


def test_the_inputs_of_volumes_are_the_digests_of_files_sidecars_and_tables(
    sound: Path, tmp_path: Path
) -> None:
    spec = BidsCohort.model_validate(
        {
            "kind": "bids",
            "root": sound,
            "modalities": {"mri": {"kind": "volume", "datatype": "anat", "suffix": "T1w"}},
            "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
        }
    )
    chains = {"mri": Chain(item="volume")}
    found = stock(
        read_bids(spec, "small"), chains, cache=tmp_path, jobs=1, report=lambda *_: None
    ).inputs
    files = [*sound.glob("sub-*/**/*_T1w.*"), sound / "participants.tsv"]
    assert found == {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
