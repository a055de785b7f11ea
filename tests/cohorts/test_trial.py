"""The next best series where the best is refused: a T1 of 60 small slices, and others like it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import PositronEmissionTomographyImageStorage as PetImage
from slices import headers, save

from mmmed.cohorts import choice_table
from mmmed.cohorts.choice_table import CHOICE, recorded
from mmmed.cohorts.dicom import read_dicom
from mmmed.cohorts.dicom_cohort import DICOM, load_dicom
from mmmed.readers.dicom.single import refusal
from mmmed.record import table

RULES = load_dicom(DICOM, start=None)
TRIAL = partial(refusal, frozenset())


def put(folder: Path, number: int, *, broken: bool = False) -> None:
    """A T1; a broken one ends within the pixels of a slice, which no header shows."""
    said = {"SeriesDescription": "t1_mprage", "MRAcquisitionType": "3D", "StudyDate": "20260101"}
    series = headers(
        np.full((60, 4, 4), number, np.uint16),
        step=2.0,
        StudyInstanceUID="1.1",
        SeriesNumber=number,
        PixelSpacing=[1.0, 1.0],
        **said,
    )
    save(series, folder)
    if broken:
        first = min(folder.iterdir())
        first.write_bytes(first.read_bytes()[:-8])


def read(root: Path, out: Path, *, replaced: bool = True) -> tuple[str, dict[str, dict[str, str]]]:
    """The folder of the series that is the item, and the rows of `choice.tsv` by folder."""
    cohort = recorded(root, RULES, out=out, trial=TRIAL)
    (case,) = cohort.cases
    said = ["the next best series takes its place" in one.reason for one in cohort.faults]
    assert set(said) <= {replaced}
    rows = table.read(out / choice_table.NAME, CHOICE)
    return case.sources["mri"][0].path.parent.name, {row["path"].split("/")[0]: row for row in rows}


def test_the_next_best_takes_the_place_of_one_that_is_refused_and_both_say_why(
    tmp_path: Path,
) -> None:
    put(tmp_path / "in" / "best", 1, broken=True)
    put(tmp_path / "in" / "next", 2)
    put(tmp_path / "in" / "last", 3)
    chosen, rows = read(tmp_path / "in", tmp_path / "out")
    assert chosen == "next"
    assert {name: row["status"] for name, row in rows.items()} == {
        "best": "not chosen",
        "next": "chosen",
        "last": "not chosen",
    }
    assert "not chosen for mri: fit, but refused: best/" in rows["best"]["why"]
    assert "series 1 (t1_mprage) was preferred and is refused" in rows["next"]["why"]
    assert "the lower series number counts" in rows["last"]["why"]
    assert str(tmp_path) not in (tmp_path / "out" / choice_table.NAME).read_text()


def test_one_after_the_other_is_tried(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        put(tmp_path / "in" / f"of{number}", number, broken=number < 3)
    chosen, rows = read(tmp_path / "in", tmp_path / "out")
    assert chosen == "of3"
    assert rows["of3"]["why"].count("was preferred and is refused") == 2


@pytest.mark.parametrize("count", [1, 2])
def test_where_nothing_else_is_fit_the_best_stays_chosen_and_says_why_it_is_refused(
    tmp_path: Path, count: int
) -> None:
    for number in range(1, count + 1):
        put(tmp_path / "in" / f"of{number}", number, broken=True)
    chosen, rows = read(tmp_path / "in", tmp_path / "out", replaced=False)
    assert chosen == "of1"
    assert ("; refused: of1/" in rows["of1"]["why"]) == (count > 1)


def test_nothing_is_read_where_there_is_no_rival(tmp_path: Path) -> None:
    put(tmp_path / "in" / "only", 1, broken=True)
    asked: list[str] = []

    def trial(modality: str, source: object) -> None:
        asked.append(modality)

    recorded(tmp_path / "in", RULES, out=tmp_path / "out", trial=trial)
    assert asked == []


@pytest.mark.parametrize(("suv", "chosen"), [((), "activity"), (("pet",), "uptake")])
def test_the_cohort_of_a_study_takes_the_pet_whose_unit_its_chain_needs(
    tmp_path: Path, suv: tuple[str, ...], chosen: str
) -> None:
    """Becquerels without a dose come to no SUVbw; what is SUVbw already does."""
    said = {"SOPClassUID": PetImage, "Modality": "PT", "CorrectedImage": ["ATTN", "DECY"]}
    units = {"activity": {"Units": "BQML"}, "uptake": {"Units": "GML", "SUVType": "BW"}}
    for number, (name, unit) in enumerate(units.items(), start=1):
        series = headers(
            np.full((20, 4, 4), number, np.uint16),
            step=6.0,
            StudyInstanceUID="1.1",
            SeriesNumber=number,
            PixelSpacing=[1.0, 1.0],
            DecayCorrection="START",
            SeriesDescription="PET AC Brain",
            StudyDate="20260101",
            **said,
            **unit,
        )
        save(series, tmp_path / "in" / name)
    cohort = read_dicom(RULES.model_copy(update={"root": tmp_path / "in"}), "in", suv=suv)
    (case,) = cohort.cases
    assert case.sources["pet"][0].path.parent.name == chosen


def test_the_cohort_of_a_study_takes_the_next_best_too_and_says_so(tmp_path: Path) -> None:
    put(tmp_path / "in" / "best", 1, broken=True)
    put(tmp_path / "in" / "next", 2)
    cohort = read_dicom(RULES.model_copy(update={"root": tmp_path / "in"}), "in")
    assert cohort.cases[0].sources["mri"][0].path.parent.name == "next"
    (fault,) = cohort.faults
    assert (fault.where, fault.modality) == (cohort.cases[0].id, "mri")
    assert fault.reason.startswith("best/")
    assert fault.reason.endswith("the next best series takes its place")
