"""The pictures and checks of a cohort's scans, of those that failed as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmmed import library
from mmmed.readers import template
from mmmed.readers.source import Source
from mmmed.record import table
from mmmed.transforms.chain import Chain, load_chain
from mmmed.transforms.gallery import QUALITY, scans, write
from mmmed.transforms.prepare import prepare

CHAIN = load_chain(library.find("transforms", "brain-mri", start=None))


@pytest.fixture
def shown(save_volume, tmp_path: Path):
    """Of one case a head twice, of another noise and a file that is not there."""
    head = save_volume("head.nii.gz", data=np.asarray(template.t1(4.0)))
    noise = save_volume("noise.nii.gz", space=None)
    lost = Source(tmp_path / "lost.nii.gz")
    sources = [head, noise, lost]
    done = prepare(sources, CHAIN, kind="volume", cache=tmp_path / "cache")
    outcomes = {("mri", one.source): one for one in done}
    owned = [("sub-2", "mri", (noise, lost)), ("sub-1", "mri", (head, head))]
    return scans(owned, {"mri": CHAIN}, outcomes)


def test_every_scan_has_a_row_and_every_placed_one_a_picture(shown, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    write(shown, tmp_path / "out", progress=lambda *one: heard.append(one))
    rows = table.read(tmp_path / "out" / "quality.tsv", QUALITY)
    said = [(row["case_id"], row["verdict"], row["montage"]) for row in rows]
    assert said == [
        ("sub-1", "pass", "qc/sub-1_mri.png"),
        ("sub-1", "pass", "qc/sub-1_mri-2.png"),
        ("sub-2", "refused", "n/a"),
        ("sub-2", "fail", "qc/sub-2_mri.png"),
    ]
    assert rows[2]["reason"].startswith("lost.nii.gz: ")
    names = {path.name for path in (tmp_path / "out" / "qc").iterdir()}
    assert names == {"sub-1_mri.png", "sub-1_mri-2.png", "sub-2_mri.png"}
    assert heard[-1] == (4, 4)


def test_what_no_chain_registers_is_not_shown(save_volume, tmp_path: Path) -> None:
    source = save_volume("head.nii.gz")
    plain = Chain.model_validate(
        {"item": "volume", "prepare": [{"kind": "resize", "shape": [4] * 3}]}
    )
    assert scans([("sub-1", "mri", (source,))], {"mri": plain}, {}) == ()
    write((), tmp_path / "out")
    assert not (tmp_path / "out").exists()
