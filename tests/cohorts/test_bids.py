from __future__ import annotations

import pytest

from mmmed.cohorts.bids import read_bids
from mmmed.cohorts.reading import read
from mmmed.errors import DataError, NothingReadable, StudyError


def by_id(cohort):
    return {case.id: case for case in cohort.cases}


def names(case, modality):
    return [source.path.name for source in case.sources.get(modality, ())]


def test_cases_are_subject_and_session_with_what_they_own(bids):
    cohort = read(bids.spec(), "small")
    assert [case.id for case in cohort.cases] == [f"sub-{n}_ses-M000" for n in (1, 2, 3, 4)]
    assert cohort.modalities == ("mri", "pet")
    assert cohort.owned().to_numpy().tolist() == [
        [True, True],
        [True, False],
        [False, True],
        [True, True],
    ]
    assert cohort.faults == ()
    assert (cohort.classes, cohort.positive) == (("CN", "AD"), "AD")


def test_participants_say_who_a_case_is(bids):
    case = by_id(read_bids(bids.spec(), "small"))["sub-1_ses-M000"]
    assert (case.subject, case.session, case.site, case.label, case.part) == (
        "sub-1",
        "ses-M000",
        "A",
        0,
        "train",
    )
    assert dict(case.covariates) == {"age": 60.5, "sex": "F"}


def test_missing_cells_are_none(bids):
    cases = by_id(read_bids(bids.spec(), "small"))
    assert cases["sub-3_ses-M000"].covariates["age"] is None
    assert cases["sub-4_ses-M000"].site is None


def test_named_covariates_alone_are_recorded(bids):
    cohort = read_bids(bids.spec(covariates=["sex"]), "small")
    assert list(cohort.covariates().columns) == ["site", "sex"]


def test_a_tree_without_sessions_is_read(empty_bids):
    empty_bids.table("participants.tsv", "participant_id diagnosis", "sub-1 CN", "sub-2 AD")
    empty_bids.case("sub-1", None, "mri", "pet")
    empty_bids.case("sub-2", None, "pet")
    cohort = read_bids(empty_bids.spec(), "flat")
    assert [(case.id, case.session) for case in cohort.cases] == [("sub-1", None), ("sub-2", None)]


def test_several_sessions_are_several_cases_of_one_subject(bids):
    bids.case("sub-1", "ses-M012", "mri")
    bids.table(
        "sub-1/sub-1_sessions.tsv",
        "session_id diagnosis age",
        "ses-M000 n/a n/a",
        "ses-M012 AD 61.5",
    )
    cases = by_id(read_bids(bids.spec(), "long"))
    first, second = cases["sub-1_ses-M000"], cases["sub-1_ses-M012"]
    assert first.subject == second.subject == "sub-1"
    assert (first.label, second.label) == (0, 1)
    assert (first.covariates["age"], second.covariates["age"]) == (60.5, 61.5)


def test_several_runs_are_several_items(bids):
    bids.volume("sub-1/ses-M000/anat/sub-1_ses-M000_run-1_T1w.nii.gz")
    bids.volume("sub-1/ses-M000/anat/sub-1_ses-M000_run-2_T1w.nii")
    case = by_id(read_bids(bids.spec(), "runs"))["sub-1_ses-M000"]
    assert names(case, "mri") == [
        "sub-1_ses-M000_T1w.nii.gz",
        "sub-1_ses-M000_run-1_T1w.nii.gz",
        "sub-1_ses-M000_run-2_T1w.nii",
    ]


def test_entities_choose_among_files(bids):
    bids.volume("sub-1/ses-M000/pet/sub-1_ses-M000_trc-18FAV45_pet.nii.gz")
    case = by_id(read_bids(bids.spec(), "tracers"))["sub-1_ses-M000"]
    assert names(case, "pet") == ["sub-1_ses-M000_trc-18FFDG_pet.nii.gz"]


def test_a_null_entity_must_not_be_in_the_name(bids):
    bids.volume("sub-1/ses-M000/anat/sub-1_ses-M000_desc-defaced_T1w.nii.gz")
    mri = {"kind": "volume", "datatype": "anat", "suffix": "T1w", "entities": {"desc": None}}
    case = by_id(read_bids(bids.spec(modalities={"mri": mri}), "plain"))["sub-1_ses-M000"]
    assert names(case, "mri") == ["sub-1_ses-M000_T1w.nii.gz"]


def test_what_file_managers_leave_behind_is_ignored(bids):
    for name in ("._sub-1_ses-M000_T1w.nii.gz", ".DS_Store", "Thumbs.db", "notes.nii.gz"):
        bids.volume(f"sub-1/ses-M000/anat/{name}", b"x")
    bids.volume("._sub-9/anat/sub-9_T1w.nii.gz", b"x")
    bids.volume("sub-1/.ses-x/anat/sub-1_ses-x_T1w.nii.gz", b"x")
    assert read_bids(bids.spec(), "clean") == read_bids(bids.spec(), "clean")
    assert read_bids(bids.spec(), "clean").faults == ()


def test_two_files_for_one_item_are_refused_both(bids):
    bids.volume("sub-1/ses-M000/anat/sub-1_ses-M000_T1w.nii")
    cohort = read_bids(bids.spec(), "twice")
    assert "mri" not in by_id(cohort)["sub-1_ses-M000"].sources
    assert [str(fault) for fault in cohort.faults] == [
        (
            "sub-1_ses-M000 mri: two files for one item: sub-1_ses-M000_T1w.nii and "
            "sub-1_ses-M000_T1w.nii.gz; keep one"
        )
    ]


def test_a_file_named_for_another_case_is_a_fault(bids):
    bids.volume("sub-2/ses-M000/pet/sub-1_ses-M000_trc-18FFDG_pet.nii.gz")
    cohort = read_bids(bids.spec(), "stray")
    assert "pet" not in by_id(cohort)["sub-2_ses-M000"].sources
    assert "is named for sub-1_ses-M000" in str(cohort.faults[0])


def test_clinical_variables_come_from_the_phenotype_table(bids):
    bids.table(
        "phenotype/clinical.tsv",
        "participant_id mmse apoe",
        "sub-1 29 0",
        "sub-2 n/a n/a",
        "sub-3 20 high",
    )
    modalities = {
        "mri": {"kind": "volume", "datatype": "anat", "suffix": "T1w"},
        "clinical": {"kind": "vector", "table": "clinical", "columns": ["mmse", "apoe"]},
    }
    cohort = read_bids(bids.spec(modalities=modalities), "clinical")
    assert dict(cohort.kinds) == {"clinical": "vector", "mri": "volume"}
    (source,) = by_id(cohort)["sub-1_ses-M000"].sources["clinical"]
    assert (source.row, source.columns, source.identifier) == (
        "sub-1",
        ("mmse", "apoe"),
        "participant_id",
    )
    assert "clinical" not in by_id(cohort)["sub-2_ses-M000"].sources
    assert "sub-3_ses-M000 clinical: clinical.tsv: column 'apoe' is 'high'" in str(cohort.faults[0])


def test_a_phenotype_table_with_sessions_is_joined_by_both_ids(bids):
    bids.table(
        "phenotype/clinical.tsv",
        "participant_id session_id mmse",
        "sub-1 ses-M000 29",
        "sub-2 ses-M012 28",
    )
    modalities = {**bids.spec().modalities, "clinical": {"kind": "vector", "table": "clinical"}}
    cases = by_id(read_bids(bids.spec(modalities=modalities), "clinical"))
    assert cases["sub-1_ses-M000"].sources["clinical"][0].row == "sub-1_ses-M000"
    assert "clinical" not in cases["sub-2_ses-M000"].sources


def test_no_pet_at_all_can_be_read(empty_bids):
    empty_bids.table("participants.tsv", "participant_id diagnosis", "sub-1 CN", "sub-2 AD")
    empty_bids.case("sub-1", None, "mri")
    empty_bids.case("sub-2", None, "mri")
    cohort = read_bids(empty_bids.spec(), "no-pet")
    assert cohort.modalities == ("mri", "pet")
    assert not cohort.owned()["pet"].any()


def test_an_empty_folder_is_nothing_readable(empty_bids, tmp_path):
    with pytest.raises(NothingReadable, match=r"holds no sub-\* folder"):
        read_bids(empty_bids.spec(), "empty")
    with pytest.raises(NothingReadable, match="is no folder"):
        read_bids(empty_bids.spec(root=tmp_path / "none"), "none")


def test_subjects_without_images_are_nothing_readable(empty_bids):
    empty_bids.table("participants.tsv", "participant_id diagnosis", "sub-1 CN")
    (empty_bids.root / "sub-1").mkdir()
    with pytest.raises(NothingReadable, match="no case can be used"):
        read_bids(empty_bids.spec(), "bare")


def test_a_missing_root_says_how_to_name_it(bids):
    with pytest.raises(StudyError, match=r"--set cohort.root=DIR"):
        read_bids(bids.spec(root=None), "small")


def test_a_label_outside_the_classes_names_the_case_and_what_is_allowed(bids):
    bids.table(
        "participants.tsv",
        "participant_id diagnosis",
        "sub-1 CN",
        "sub-2 MCI",
        "sub-3 AD",
        "sub-4 ad",
    )
    with pytest.raises(DataError) as caught:
        read_bids(bids.spec(), "odd")
    advice = "allowed: CN, AD; list it under `label.exclude` to leave such cases out"
    assert str(caught.value).splitlines() == [
        f"case sub-2_ses-M000: diagnosis is 'MCI'; {advice}",
        f"case sub-4_ses-M000: diagnosis is 'ad'; {advice}",
    ]


def test_excluded_labels_leave_without_a_fault(bids):
    bids.table(
        "participants.tsv",
        "participant_id diagnosis",
        "sub-1 CN",
        "sub-2 MCI",
        "sub-3 AD",
        "sub-4 CN",
    )
    label = {"column": "diagnosis", "classes": ["CN", "AD"], "exclude": ["MCI"]}
    cohort = read_bids(bids.spec(label=label), "two")
    assert [case.subject for case in cohort.cases] == ["sub-1", "sub-3", "sub-4"]
    assert cohort.faults == ()


def test_a_case_without_a_label_is_a_fault(bids):
    bids.table("participants.tsv", "participant_id diagnosis", "sub-1 CN", "sub-2 n/a", "sub-3 AD")
    cohort = read_bids(bids.spec(), "gaps")
    assert [str(fault) for fault in cohort.faults] == [
        "sub-2_ses-M000: has no diagnosis; left out",
        "sub-4_ses-M000: has no diagnosis; left out",
    ]


def test_without_label_every_case_is_unlabelled(bids):
    (bids.root / "participants.tsv").unlink()
    cohort = read_bids(bids.spec(label=None), "plain")
    assert set(cohort.labels()) == {-1}
    assert (cohort.classes, cohort.positive) == ((), None)


def test_labels_need_participants(bids):
    (bids.root / "participants.tsv").unlink()
    with pytest.raises(DataError, match=r"participants\.tsv: is not there"):
        read_bids(bids.spec(), "plain")


def test_all_of_one_class_is_refused(bids):
    bids.table(
        "participants.tsv", "participant_id diagnosis", *(f"sub-{n} CN" for n in (1, 2, 3, 4))
    )
    with pytest.raises(DataError, match="no case of class AD; all 4 cases are CN"):
        read_bids(bids.spec(), "one")


def test_a_participant_without_files_is_a_fault(bids):
    with (bids.root / "participants.tsv").open("a") as file:
        file.write("sub-9\t70\tF\tA\tCN\ttrain\n")
    cohort = read_bids(bids.spec(), "ghost")
    assert [fault.where for fault in cohort.faults] == ["sub-9"]


def test_a_participant_in_two_rows_is_left_out(bids):
    with (bids.root / "participants.tsv").open("a") as file:
        file.write("sub-1\t70\tF\tA\tAD\ttrain\n")
    cohort = read_bids(bids.spec(), "double")
    assert "sub-1_ses-M000" not in by_id(cohort)
    assert "sub-1: stands twice in participants.tsv; keep one row" in map(str, cohort.faults)


def test_a_subject_id_with_html_stays_text(bids):
    name = "sub-<b>x<b>"
    bids.case(name, None, "mri")
    with (bids.root / "participants.tsv").open("a") as file:
        file.write(f"{name}\t70\tF\tA\tCN\ttrain\n")
        file.write("../../etc/passwd\t70\tF\tA\tCN\ttrain\n")
        file.write("sub-<script>alert(1)</script>\t70\tF\tA\tCN\ttrain\n")
    cohort = read_bids(bids.spec(), "html")
    assert by_id(cohort)[name].label == 0
    assert {fault.where for fault in cohort.faults} == {
        "../../etc/passwd",
        "sub-<script>alert(1)</script>",
    }


def test_a_broken_link_is_an_item_that_cannot_be_read(bids):
    path = bids.root / "sub-2/ses-M000/pet/sub-2_ses-M000_trc-18FFDG_pet.nii.gz"
    path.parent.mkdir()
    path.symlink_to("../annex/gone")
    assert "pet" in by_id(read_bids(bids.spec(), "annex"))["sub-2_ses-M000"].sources


@pytest.mark.shared
def test_the_bids_pet_examples_are_laid_out_as_published(data, empty_bids):
    modalities = {
        "mri": {"kind": "volume", "datatype": "anat", "suffix": "T1w"},
        "pet": {"kind": "volume", "datatype": "pet", "suffix": "pet"},
    }
    spec = empty_bids.spec(root=data / "bids-pet" / "pet002", modalities=modalities, label=None)
    cohort = read_bids(spec, "pet002")
    assert [case.id for case in cohort.cases] == [
        f"sub-0{n}_ses-{session}" for n in (1, 2) for session in ("baseline", "rescan")
    ]
    assert cohort.owned().all(axis=None)
    assert cohort.cases[0].covariates["age"] == 21.5086


def test_ids_are_found_with_and_without_their_prefix(empty_bids):
    empty_bids.table("participants.tsv", "participant_id diagnosis", "1 CN", "sub-2 AD")
    for subject in ("sub-1", "sub-2"):
        empty_bids.case(subject, "ses-M000", "mri")
        empty_bids.table(f"{subject}/{subject}_sessions.tsv", "session_id age", "M00 70")
    cohort = read_bids(empty_bids.spec(), "plain")
    assert list(cohort.labels()) == [0, 1]
    assert list(cohort.covariates()["age"]) == [70.0, 70.0]
    assert cohort.faults == ()


def test_two_diagnoses_for_one_session_are_a_fault_and_none_is_taken(bids):
    rows = ("session_id diagnosis", "ses-M000 CN", "ses-M00 AD")
    bids.table("sub-1/sub-1_sessions.tsv", *rows)
    cohort = read_bids(bids.spec(), "twice")
    assert "sub-1_ses-M000" not in by_id(cohort)
    assert [str(fault) for fault in cohort.faults] == [
        "sub-1_ses-M000: two rows of sub-1_sessions.tsv differ in diagnosis; keep one",
        "sub-1_ses-M000: has no diagnosis; left out",
    ]


def test_a_session_that_its_table_lacks_does_not_get_the_baselines_diagnosis(bids):
    bids.case("sub-1", "ses-M024", "mri")
    bids.table("sub-1/sub-1_sessions.tsv", "session_id diagnosis", "ses-M000 CN", "ses-M012 AD")
    cohort = read_bids(bids.spec(), "gap")
    assert [str(fault) for fault in cohort.faults] == ["sub-1_ses-M024: has no diagnosis; left out"]
    only_in_table = [one for one in cohort.asides if one.where == "sub-1_ses-M012"]
    assert {one.status for one in only_in_table} == {"never acquired"}


def test_scans_beside_sessions_and_two_names_for_one_session_are_faults(bids):
    bids.volume("sub-1/anat/sub-1_T1w.nii.gz")
    bids.case("sub-2", "ses-M00", "mri")
    cohort = read_bids(bids.spec(), "mixed")
    first, second, *_ = map(str, cohort.faults)
    assert first == "sub-1: anat stands beside its sessions; move it into one"
    assert second == "sub-2: ses-M00 and ses-M000 name one session; keep one"
    assert [case.subject for case in cohort.cases] == ["sub-1", "sub-3", "sub-4"]


def test_the_baseline_is_the_first_session_with_a_scan(bids):
    bids.case("sub-2", "ses-M006", "pet")
    bids.case("sub-3", "ses-M100", "pet")
    cohort = read_bids(bids.spec(visits="baseline"), "first")
    assert [case.session for case in cohort.cases] == ["ses-M000"] * 4
    later = {(one.where, one.modality): one.status for one in cohort.asides}
    assert later["sub-2_ses-M006", "pet"] == "excluded"
    assert later["sub-2_ses-M006", "mri"] == "never acquired"
    assert cohort.rule == "CN against AD (positive: AD): diagnosis at each subject's first visit"
