"""Cohorts of whole slides: what each case owns, and one line for whatever cannot be used."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoded_slides import write_dicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from slides import PINK, WHITE, landscape, write_tiff

from mmmed.cohorts.cohort import Cohort, require_modalities
from mmmed.cohorts.reading import read
from mmmed.cohorts.slide_folder import MICROSCOPY, find_slides, holds_slides
from mmmed.cohorts.slides import SlidesCohort, read_slides
from mmmed.errors import DataError, NothingReadable

TABLE = """case_id,slide_id,label,patient_id,age
P-1,a,benign,one,50
P-1,b.tif,benign,one,50
P-2,c,malignant,two,60
P-3,d,malignant,two,70
"""
SPEC = {
    "kind": "slides",
    "modalities": {"x20": {"mpp": 0.5}, "x40": {"mpp": 0.25}},
    "pixels": 32,
    "tiles": 3,
    "label": {"column": "label", "classes": ["benign", "malignant"]},
}


def put(root: Path, name: str, *, seed: int, mpp: float | None) -> Path:
    tint = landscape(192, 256, seed=seed).astype(int) // 8
    return write_tiff(root / name, (tint + PINK).astype(np.uint8), mpp=mpp, factors=(1, 2))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two slides of P-1 (40x and 20x), P-2 at 20x, P-3 whose file states no mpp."""
    folder = tmp_path / "slides"
    folder.mkdir()
    for seed, (name, mpp) in enumerate({"a": 0.25, "b": 0.5, "c": 0.5, "d": None}.items()):
        put(folder, f"{name}.tif", seed=seed, mpp=mpp)
    (folder / "slides.csv").write_text(TABLE)
    (folder / "mpp.csv").write_text("wsi,mpp\nd.tif,0.25\n")
    return folder


def cohort(root: Path, **changes: Any) -> Cohort:
    return read(SlidesCohort.model_validate({**SPEC, "root": root, **changes}), "glass")


def owned(found: Cohort) -> dict[str, tuple[str, ...]]:
    return {case.id: tuple(case.sources) for case in found.cases}


def faults(found: Cohort) -> list[str]:
    return [str(one) for one in found.faults]


def test_a_case_owns_the_magnifications_that_one_of_its_slides_offers(root: Path) -> None:
    found = cohort(root)
    assert owned(found) == {"P-1": ("x20", "x40"), "P-2": ("x20",), "P-3": ("x20", "x40")}
    assert faults(found) == []
    (aside,) = found.asides
    assert (aside.where, aside.modality, aside.status) == ("P-2", "x40", "never acquired")
    assert aside.reason == "scanned at 0.5 um per pixel, x40 is 0.25"


def test_cases_and_patients_are_those_of_the_table(root: Path) -> None:
    found = cohort(root)
    assert [case.label for case in found.cases] == [0, 1, 1]
    assert [case.subject for case in found.cases] == ["one", "two", "two"]
    assert [case.covariates["age"] for case in found.cases] == [50.0, 60.0, 70.0]
    paths = [one.path.name for one in found.cases[0].sources["x20"]]
    assert paths == ["a.tif"] * 3 + ["b.tif"] * 3


def test_tiles_of_all_magnifications_are_centred_on_the_same_points(root: Path) -> None:
    sources = cohort(root).cases[2].sources
    centres = {
        name: [(one.tile.x, one.tile.y) for one in mine if one.tile]
        for name, mine in sources.items()
    }
    assert centres["x20"] == centres["x40"]
    assert len(set(centres["x20"])) == 3
    assert {one.mpp for one in sources["x20"]} == {0.25}


def test_the_seed_and_not_the_threads_decides_which_tiles_are_taken(root: Path) -> None:
    assert cohort(root) == cohort(root)
    many = read_slides(SlidesCohort.model_validate({**SPEC, "root": root}), "glass", jobs=2)
    assert many == cohort(root)
    assert cohort(root).cases != cohort(root, seed=1).cases


def test_how_finely_the_slides_were_scanned_is_said(root: Path) -> None:
    assert cohort(root).notes == (
        "slides by um per pixel of their scan: 2 at 0.25, 2 at 0.5; 1 as the table says",
    )


def no_mpp(root: Path) -> None:
    (root / "mpp.csv").unlink()


def background(root: Path) -> None:
    glass = np.full((192, 256, 3), WHITE, dtype=np.uint8)
    write_tiff(root / "d.tif", glass, mpp=0.25, factors=(1, 2))


def truncated(root: Path) -> None:
    whole = (root / "d.tif").read_bytes()
    (root / "d.tif").write_bytes(whole[:200])


def no_slide(root: Path) -> None:
    (root / "d.tif").write_text("<html>not found</html>")


def no_file(root: Path) -> None:
    (root / "d.tif").unlink()


def coarser(root: Path) -> None:
    (root / "mpp.csv").write_text("wsi,mpp\nd,2.0\n")


def contradiction(root: Path) -> None:
    (root / "slides.csv").write_text(TABLE + "P-3,e,benign,two,70\n")
    put(root, "e.tif", seed=9, mpp=0.5)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (no_mpp, "d.tif: states no um per pixel"),
        (background, "d.tif: "),
        (truncated, "d.tif: "),
        (no_slide, "d.tif: "),
        (no_file, "slide d of slides.csv has no file"),
        (coarser, "d.tif: was scanned at 2 um per pixel, coarser than all that is asked for"),
        (contradiction, "its rows of slides.csv contradict each other: label is benign and mal"),
    ],
)
def test_a_slide_that_cannot_be_used_costs_its_case_one_line_and_the_rest_goes_on(
    root: Path, damage: Callable[[Path], None], why: str
) -> None:
    damage(root)
    found = cohort(root)
    (told,) = faults(found)
    assert told.startswith("P-3: ")
    assert why in told
    assert "\n" not in told
    assert [case.id for case in found.cases] == ["P-1", "P-2"]


def test_a_row_of_um_per_pixel_that_names_no_slide_is_told(root: Path) -> None:
    (root / "mpp.csv").write_text("wsi,mpp\nd.tif,0.25\nc.tiff,0.25\n")
    assert "mpp.csv: 1 of 2 rows name no slide that is here, the first c.tiff" in cohort(root).notes


def test_a_case_of_two_patients_is_left_out_and_a_blank_one_is_the_other_row_s(root: Path) -> None:
    """Else the case would be its own subject, beside other cases of the same patient."""
    (root / "slides.csv").write_text(TABLE.replace("P-1,b.tif,benign,one", "P-1,b.tif,benign,"))
    assert cohort(root).cases[0].subject == "one"
    two = TABLE.replace("P-2,c,malignant,two", "P-2,c,malignant,three") + "P-2,e,malignant,two,60\n"
    put(root, "e.tif", seed=9, mpp=0.5)
    (root / "slides.csv").write_text(two)
    found = cohort(root)
    assert "P-2: its rows of slides.csv name 2 patients in patient_id; left out" in faults(found)
    assert [case.id for case in found.cases] == ["P-1", "P-3"]


def test_a_slide_that_no_row_names_is_said_and_left_out(root: Path) -> None:
    put(root, "z.tif", seed=8, mpp=0.5)
    assert faults(cohort(root)) == ["z.tif: is not in slides.csv; left out"]


def test_a_slide_of_two_cases_is_the_first_one_s(root: Path) -> None:
    (root / "slides.csv").write_text(TABLE + "P-4,a.tif,malignant,four,40\n")
    found = cohort(root)
    assert [case.id for case in found.cases] == ["P-1", "P-2", "P-3"]
    assert "slide a is another case's too" in faults(found)[0]


def test_one_content_under_two_cases_is_told_of(root: Path) -> None:
    (root / "c.tif").write_bytes((root / "b.tif").read_bytes())
    assert faults(cohort(root)) == [
        "P-2: slide c is the same as b of P-1; one of the two is wrongly filed"
    ]


def test_two_files_of_one_name_are_both_refused(root: Path) -> None:
    (root / "below").mkdir()
    put(root / "below", "c.tif", seed=7, mpp=0.5)
    found = cohort(root)
    assert "c: several slides of one name (c.tif and below/c.tif); keep one" in faults(found)
    assert [case.id for case in found.cases] == ["P-1", "P-3"]


def test_a_magnification_that_nobody_has_is_named(root: Path) -> None:
    finer = {**SPEC["modalities"], "x80": {"mpp": 0.125}}  # type: ignore[dict-item]
    found = cohort(root, modalities=finer)
    assert found.notes[1] == (
        "x80: no slide has 0.125 um per pixel, the finest was scanned at 0.25; "
        "leave x80 out of a study"
    )
    assert faults(found) == []
    with pytest.raises(DataError, match="no case owns x80"):
        require_modalities(found, finer)


def test_without_a_table_every_slide_is_a_case_of_its_own(root: Path) -> None:
    (root / "slides.csv").unlink()
    found = cohort(root, label=None)
    assert [case.id for case in found.cases] == ["a", "b", "c", "d"]
    assert {case.label for case in found.cases} == {-1}
    with pytest.raises(DataError, match=r"slides\.csv: is not there"):
        cohort(root)


def test_a_faulty_table_of_um_per_pixel_is_named(root: Path) -> None:
    (root / "mpp.csv").write_text("wsi,mpp\nd.tif,forty\n")
    with pytest.raises(DataError, match=r"line 2: d\.tif: 'forty' is no number"):
        cohort(root)


def test_a_folder_without_slides_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingReadable, match="holds no whole slide"):
        cohort(tmp_path)
    assert not holds_slides(tmp_path)


def test_a_series_of_slide_microscopy_is_one_slide_by_no_name(tmp_path: Path) -> None:
    """Two files of one series and one of another; a file of another kind is no slide."""
    uids = [generate_uid() for _ in range(2)]
    kinds = [MICROSCOPY, MICROSCOPY, MICROSCOPY, "1.2.840.10008.5.1.4.1.1.4"]
    (tmp_path / "DOE JANE").mkdir()
    for number, (kind, uid) in enumerate(zip(kinds, [*uids, uids[0], uids[0]], strict=True)):
        said = Dataset()
        said.SOPClassUID, said.SOPInstanceUID = kind, generate_uid()
        said.StudyInstanceUID, said.SeriesInstanceUID, said.Modality = "1.2.3", uid, "SM"
        said.PatientName = "DOE^JANE"
        said.file_meta = FileMetaDataset()
        said.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        said.save_as(tmp_path / "DOE JANE" / f"{number}.dcm", enforce_file_format=True)
    found = find_slides(tmp_path, [])
    assert sorted(len(one.files) for one in found.values()) == [1, 2]
    assert not any("DOE" in one.where or "DOE" in one.id for one in found.values())
    assert all(uid in {name for one in found.values() for name in one.names} for uid in uids)
    assert holds_slides(tmp_path)


def test_slides_of_zeiss_and_dicom_named_by_a_uid_are_found(tmp_path: Path) -> None:
    (tmp_path / "z.CZI").write_bytes(b"ZISRAWFILE")
    uid = "1.2.826.0.1.3680043.8.498.77"
    write_dicom(tmp_path / f"{uid}.64", landscape(64, 64), mpp=0.5, series=uid)
    (tmp_path / "notes.txt").write_text("no slide")
    found = find_slides(tmp_path, [])
    assert len(found) == 2
    assert {one.path.name for one in found.values()} == {"z.CZI", f"{uid}.64"}


def test_a_folder_of_two_series_is_the_name_of_neither(tmp_path: Path) -> None:
    folder = tmp_path / "S-1"
    folder.mkdir()
    for uid in ("1.2.826.0.1.3680043.8.498.7", "1.2.826.0.1.3680043.8.498.8"):
        write_dicom(folder / f"{uid}.dcm", landscape(64, 64), mpp=0.5, series=uid)
    first, second = find_slides(tmp_path, []).values()
    assert "S-1" not in first.names | second.names
    assert first.names
    assert second.names
    (folder / "1.2.826.0.1.3680043.8.498.8.dcm").unlink()
    (alone,) = find_slides(tmp_path, []).values()
    assert "S-1" in alone.names


def test_a_pipe_among_slides_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.svs")
    assert not holds_slides(tmp_path)


@pytest.mark.shared
def test_a_real_slide_offers_what_its_scan_has(data: Path) -> None:
    asked = {"x5": {"mpp": 2.0}, "x20": {"mpp": 0.5}, "x40": {"mpp": 0.25}}
    found = cohort(data / "wsi-svs", label=None, modalities=asked, pixels=64)
    assert owned(found) == {"cmu-1-small-region": ("x5", "x20")}
    assert found.notes == (
        "slides by um per pixel of their scan: 1 at 0.499",
        (
            "x40: no slide has 0.25 um per pixel, the finest was scanned at 0.499; "
            "leave x40 out of a study"
        ),
    )
