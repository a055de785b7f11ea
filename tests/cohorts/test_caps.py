from __future__ import annotations

import pytest
from pydantic import ValidationError

from mmmed.cohorts.caps import CapsCohort, CapsVolumes
from mmmed.cohorts.reading import read
from mmmed.errors import DataError, NothingReadable
from mmmed.readers.sidecar import declared_space

GRID = "space-MNI152NLin2009cSym_desc-Crop_res-1x1x1"
FOLDER = "subjects/sub-CLNC1/ses-M000"


def files(cohort, case, modality):
    (found,) = (one for one in cohort.cases if one.id == case)
    return [source.path.name for source in found.sources.get(modality, ())]


def test_cases_are_participant_and_session_with_labels_of_clinicadl(caps):
    cohort = read(caps.spec(), "caps")
    assert [case.id for case in cohort.cases] == [f"sub-CLNC{n}_ses-M000" for n in (1, 2, 3)]
    assert list(cohort.labels()) == [0, 1, 1]
    assert list(cohort.covariates()["age"]) == [71.5, 80.0, 66.0]
    assert cohort.owned()["pet"].tolist() == [True, False, True]
    assert cohort.faults == ()


@pytest.mark.parametrize("source", ["sub-CLNC1_ses-M000", "sub-CLNC1_ses-M000_T1w"])
def test_names_of_old_and_new_versions_declare_their_space(caps, source):
    path = caps.volume(f"{FOLDER}/t1_linear/{source}_{GRID}_T1w.nii.gz")
    assert declared_space(path) == "name MNI152NLin2009cSym"


def test_names_with_the_suffix_of_the_source_are_read(caps):
    caps.volume(
        f"subjects/sub-CLNC2/ses-M000/pet_linear/sub-CLNC2_ses-M000_trc-18FFDG_pet_{GRID}"
        "_suvr-pons_pet.nii.gz"
    )
    assert files(read(caps.spec(), "caps"), "sub-CLNC2_ses-M000", "pet")


def test_cropped_and_uncropped_images_are_told_apart(caps):
    plain = GRID.replace("desc-Crop_", "")
    caps.volume(f"{FOLDER}/t1_linear/sub-CLNC1_ses-M000_{plain}_T1w.nii.gz")
    uncropped = {"mri": {"kind": "volume", "pipeline": "t1-linear", "cropped": False}}
    case = "sub-CLNC1_ses-M000"
    assert files(read(caps.spec(), "caps"), case, "mri") == [f"{case}_{GRID}_T1w.nii.gz"]
    found = read(caps.spec(modalities=uncropped, label=None), "caps")
    assert files(found, case, "mri") == [f"{case}_{plain}_T1w.nii.gz"]


def test_pet_of_another_tracer_region_or_space_is_no_item(caps):
    folder, case = "subjects/sub-CLNC2/ses-M000/pet_linear", "sub-CLNC2_ses-M000"
    caps.volume(f"{folder}/{case}_trc-18FAV45_{GRID}_suvr-pons_pet.nii.gz")
    caps.volume(f"{folder}/{case}_trc-18FFDG_{GRID}_suvr-cerebellumPons2_pet.nii.gz")
    caps.volume(f"{folder}/{case}_trc-18FFDG_space-T1w_pet.nii.gz")
    caps.volume(f"{folder}/._{case}_trc-18FFDG_{GRID}_suvr-pons_pet.nii.gz", b"x")
    cohort = read(caps.spec(), "caps")
    assert files(cohort, case, "pet") == []
    assert cohort.faults == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"pipeline": "pet-linear"},
        {"pipeline": "pet-linear", "tracer": "18FFDG"},
        {"pipeline": "t1-linear", "reference": "pons"},
    ],
)
def test_a_modality_is_one_tracer_over_one_region(fields):
    with pytest.raises(ValidationError, match="tracer"):
        CapsVolumes.model_validate({"kind": "volume", **fields})


def test_two_files_for_one_item_and_a_file_of_another_case_are_faults(caps):
    caps.volume(f"{FOLDER}/t1_linear/sub-CLNC1_ses-M000_{GRID}_T1w.nii")
    caps.volume(f"{FOLDER}/pet_linear/sub-CLNC9_ses-M000_trc-18FFDG_{GRID}_suvr-pons_pet.nii.gz")
    twice, stray = sorted(map(str, read(caps.spec(), "caps").faults))
    assert "mri: two files for one item" in twice
    assert "is named for sub-CLNC9_ses-M000" in stray


def test_missing_mods_tell_what_was_not_processed_from_what_was_never_acquired(caps):
    caps.case("sub-CLNC4", "ses-M000", "mri")
    caps.table(
        "missing_mods/missing_mods_ses-M000.tsv",
        "participant_id t1w pet_trc-18FFDG",
        "sub-CLNC1 1 0",
        "sub-CLNC2 1 1",
        "sub-CLNC3 1 1",
        "sub-CLNC4 1 0",
    )
    cohort = read(caps.spec(label=None), "caps")
    asides = {(one.where, one.modality): (one.status, one.reason) for one in cohort.asides}
    table = "missing_mods_ses-M000.tsv"
    assert asides == {
        ("sub-CLNC2_ses-M000", "pet"): ("excluded", f"{table} says 1, but no such file is here"),
        ("sub-CLNC4_ses-M000", "pet"): ("never acquired", f"{table} says 0"),
    }
    (fault,) = cohort.faults
    assert str(fault).startswith(f"sub-CLNC1_ses-M000 pet: {table} says 0, but there is a file")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["participant_id t1w", "sub-CLNC1 yes"], "t1w is 'yes', neither 0 nor 1"),
        (["participant_id t1w", "sub-CLNC1 1", "sub-CLNC1 0"], "stands in two rows"),
        (["subject t1w", "sub-CLNC1 1"], "'participant_id' is missing"),
    ],
)
def test_broken_tables_of_missing_modalities_are_refused(caps, rows, words):
    caps.table("missing_mods/missing_mods_ses-M000.tsv", *rows)
    with pytest.raises(DataError, match=words):
        read(caps.spec(), "caps")


def test_labels_are_needed_where_they_are_asked_for(caps):
    (caps.root / "labels.tsv").unlink()
    with pytest.raises(DataError, match=r"labels\.tsv: is not there"):
        read(caps.spec(), "caps")
    optional = [{"file": "labels.tsv", "optional": True}]
    with pytest.raises(DataError, match=r"none is there; one must hold the labels \(diagnosis\)"):
        read(caps.spec(tables=optional), "caps")


def test_a_folder_without_subjects_is_nothing_readable(bids):
    spec = {"kind": "caps", "root": bids.root, "modalities": {"mri": {"kind": "volume",
            "pipeline": "t1-linear"}}}  # fmt: skip
    with pytest.raises(NothingReadable, match=r"holds no subjects/sub-\* folder; name a CAPS"):
        read(CapsCohort.model_validate(spec), "caps")
