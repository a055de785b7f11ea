"""Training on a folder of DICOM, and predicting another with what came of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import PositronEmissionTomographyImageStorage as PetImage
from slices import headers, save

PATIENTS = 26
COHORT = """\
mmmed: 1
kind: dicom-series
pairing: {anchor: mri, window_days: 180}
label: {column: diagnosis, classes: [CN, AD]}
tables: [{file: people.csv, subject: PatientID, session: null}]
modalities:
  mri: {require: [{say: is no MR, rule: {kind: value, fact: modality, of: [MR]}}]}
  pet: {require: [{say: is no PET, rule: {kind: value, fact: modality, of: [PT]}}]}
"""
CHAIN = """\
mmmed: 1
item: volume
prepare: [{kind: resize, shape: [8, 8, 8]}, {kind: z-score, within: all}]
"""
TRAIN = (
    "train-ad", "in", "--cohort", "hospital", "--method", "late-sum", "--no-baselines",
    "--folds", "2", "--jobs", "1",
    "--set", "transforms={mri: plain, pet: plain}",
    "--set", "training={steps: 2, batch: 4}",
    "--set", "evaluation={positive: AD, interval: {draws: 100}}",
)  # fmt: skip
PET = {
    "SOPClassUID": PetImage,
    "Modality": "PT",
    "Units": "BQML",
    "CorrectedImage": ["ATTN", "DECY"],
    "DecayCorrection": "START",
    "StudyDate": "20260301",
}


def patient(root: Path, number: int) -> None:
    """An MRI, and of every other patient a PET two months later."""
    name = f"patient {number}"
    random = np.random.default_rng(number)
    pixels = random.integers(0, 4096, (8, 8, 8)).astype(np.uint16)
    common = {"PatientID": name, "PatientName": f"Zacharias^{number}"}
    folder = root / f"Zacharias {number}"
    save(headers(pixels, StudyDate="20260101", **common), folder / "a")
    if number % 2:
        save(headers(pixels, **PET, **common), folder / "b")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a cohort and a chain of its own, and a folder of DICOM."""
    place = tmp_path_factory.mktemp("hospital")
    for path, text in {"cohorts/hospital.yaml": COHORT, "transforms/plain.yaml": CHAIN}.items():
        (place / path).parent.mkdir()
        (place / path).write_text(text)
    (place / "pipelines").mkdir()
    people = ["PatientID,diagnosis"]
    for number in range(PATIENTS):
        patient(place / "in", number)
        people.append(f"patient {number},{'AD' if number % 3 else 'CN'}")
    (place / "in" / "people.csv").write_text("\n".join(people) + "\n")
    for number in range(90, 93):
        patient(place / "new", number)
    for part in ("in/Zacharias 2/a", "new/Zacharias 92/a"):
        shutil.copyfile(place / part / "slice-003.dcm", place / part / "slice-004.dcm")
    return place


@pytest.fixture(scope="module")
def run(attempt_in, place: Path) -> Path:
    done = attempt_in(place, *TRAIN, "--out", "run")
    assert done.code == 0, done.err
    return place / "run"


@pytest.mark.parametrize(
    ("steps", "refused"),
    [("", True), (", {kind: z-score, within: all}", False)],
    ids=["SUVbw", "any unit"],
)
def test_the_chain_of_a_study_tells_which_unit_of_a_pet_will_do(
    attempt, tmp_path: Path, steps: str, refused: bool
) -> None:
    """Two PETs of a DICOM Study: becquerels without a dose, and SUVbw, which has the second place.

    Two patients are no study; how their PETs were chosen is told all the same.
    """
    resize = "{kind: resize, shape: [8, 8, 8]}"
    texts = {
        "cohorts/hospital.yaml": COHORT,
        "transforms/own.yaml": f"mmmed: 1\nitem: volume\nprepare: [{resize}{steps}]\n",
        "pipelines/README.md": "",
        "in/people.csv": "PatientID,diagnosis\none,CN\ntwo,AD\n",
    }
    for name, text in texts.items():
        path = tmp_path / "place" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    pixels = np.ones((8, 8, 8), np.uint16)
    units = ({"Units": "BQML"}, {"Units": "GML", "SUVType": "BW"})
    for study, patient in (("1.1", "one"), ("1.2", "two")):
        for number, unit in enumerate(units, start=1):
            said = {**PET, **unit, "PatientID": patient, "StudyInstanceUID": study}
            series = headers(pixels, SeriesNumber=number, **said)
            save(series, tmp_path / "place" / "in" / patient / str(number))
    cohort = f"cohort={{name: hospital, root: {tmp_path / 'place' / 'in'}}}"
    done = attempt("check", "ad/train", "--set", cohort, "--set", "transforms={pet: own}")
    assert ("the next best series takes its place" in done.out) == refused, done


def told(folder: Path) -> str:
    """All that a folder says, but for the table that finds the files again."""
    kinds = (".tsv", ".json", ".html", ".yaml", ".md")
    found = (path for path in folder.rglob("*") if path.suffix in kinds)
    return "".join(path.read_text(errors="replace") for path in found if path.name != "choice.tsv")


def test_cases_are_paired_and_labelled_by_patient_id_which_stays_in_its_table(run: Path) -> None:
    rows = [line.split("\t") for line in (run / "cases.tsv").read_text().splitlines()[1:]]
    assert len([row for row in rows if row[0].startswith("sub-")]) == PATIENTS - 1
    said = told(run)
    assert "Zacharias" not in said
    assert "patient 1" not in said


def test_what_is_left_out_is_told_without_a_name_of_folder_or_file(run: Path, place: Path) -> None:
    notes = json.loads((run / "metrics.json").read_text())["notes"]
    (note,) = [one for one in notes if "left out: sub-" in one and " mri: " in one]
    assert "Zacharias" not in note


def test_how_the_values_of_every_pet_came_about_is_in_the_run(run: Path) -> None:
    records = json.loads((run / "derivations.json").read_text())
    assert len(records) == PATIENTS // 2
    assert {one["modality"] for one in records} == {"pet"}
    assert {one["derivation"]["unit"] for one in records} == {"relative"}
    assert "derivations.json" in json.loads((run / "chain.json").read_text())["links"][0]["files"]


def test_the_chain_holds_the_digest_of_every_file_of_a_series_and_no_name(
    run: Path, place: Path
) -> None:
    stated = json.loads((run / "chain.json").read_text())["links"][0]["inputs"]
    known = {value for key, value in stated.items() if key.startswith("data: DICOM ")}
    files = (place / "in" / "Zacharias 1").rglob("*.dcm")
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in files} < known


def test_a_package_reads_another_folder_by_the_rules_it_was_trained_by(
    run: Path, place: Path, attempt_in
) -> None:
    (place / "cohorts" / "hospital.yaml").unlink()
    done = attempt_in(place, "predict", run / "model", "new", "--out", "out")
    assert done.code == 0, done.err
    assert done.out.startswith("2 predicted (0 from a part of their files)")
    assert "Zacharias" not in told(place / "out")
    assert (place / "out" / "choice.tsv").read_text().count("\tchosen\t") == 4
    (record,) = json.loads((place / "out" / "derivations.json").read_text())
    assert record["derivation"]["unit"] == "relative"


def test_patients_of_the_training_are_met_again_as_such(run: Path, place: Path, attempt_in) -> None:
    attempt_in(place, "predict", run / "model", "in", "--out", "again")
    assert "leakage: its subject was in the" in (place / "again" / "quarantine.tsv").read_text()
