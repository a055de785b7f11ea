from __future__ import annotations

import gzip

import pytest

from mmmed.cohorts.ledger import counts, entries, ledger, look, sentences
from mmmed.cohorts.reading import read


@pytest.fixture
def looked(bids):
    bids.volume("sub-1/ses-M000/pet/sub-1_ses-M000_trc-18FFDG_pet.nii.gz", b"<html>no scan</html>")
    bids.volume("sub-3/ses-M000/pet/sub-3_ses-M000_trc-18FFDG_pet.nii.gz", b"")
    seen = []
    cohort = look(read(bids.spec(), "small"), jobs=2, progress=lambda *done: seen.append(done))
    assert seen == [(count, 6) for count in range(1, 7)]
    return cohort


def test_every_volume_is_read_and_the_unreadable_are_named(looked):
    assert [case.id for case in looked.cases] == [f"sub-{n}_ses-M000" for n in (1, 2, 4)]
    reasons = [str(fault) for fault in looked.faults]
    assert "web page" in reasons[0]
    assert reasons[0].startswith("sub-1_ses-M000 pet: ")
    assert reasons[2] == "sub-3_ses-M000: nothing of it can be read; left out"


def test_the_ledger_tells_present_absent_and_unreadable(looked):
    table = ledger(looked)
    assert table["mri"].tolist() == ["present", "present", "never acquired", "present"]
    assert table.loc["sub-2_ses-M000", "pet"] == "never acquired"
    assert table.loc["sub-1_ses-M000", "pet"].startswith("unreadable: ")
    columns = ["present", "never acquired", "unreadable"]
    assert counts(looked)[columns].to_numpy().tolist() == [[3, 1, 0], [1, 1, 2]]


def test_the_ledger_in_words(looked):
    assert sentences(looked) == [
        "small: CN against AD (positive: AD): diagnosis at each visit",
        "small: 3 cases of 3 subjects",
        "classes: 2 CN, 1 AD",
        "mri: 3 present, 1 never acquired, 0 unreadable",
        "pet: 1 present, 1 never acquired, 2 unreadable",
    ]


def test_a_sound_cohort_has_no_fault(bids):
    cohort = look(read(bids.spec(), "small"))
    assert cohort.faults == ()
    assert cohort == read(bids.spec(), "small")


def test_every_answer_has_its_reason(bids):
    bids.case("sub-4", "ses-M012", "mri")
    bids.case("sub-5", "ses-M000", "pet")
    with (bids.root / "participants.tsv").open("a") as file:
        file.write("sub-5\t70\tF\tA\tMCI\ttrain\nsub-6\t70\tF\tA\tCN\ttrain\n")
    bids.volume("sub-1/ses-M000/anat/sub-1_ses-M000_T1w.nii")
    label = {"column": "diagnosis", "classes": ["CN", "AD"], "exclude": ["MCI"]}
    found = entries(read(bids.spec(label=label, visits="baseline"), "small"))
    told = {(one.case, one.modality): (one.label, one.status, one.reason) for one in found}
    assert told["sub-1_ses-M000", "mri"][1] == "unreadable"
    assert told["sub-1_ses-M000", "pet"] == ("CN", "present", "")
    assert told["sub-4_ses-M012", "mri"] == (
        None,
        "excluded",
        "not the subject's first visit, which is ses-M000",
    )
    assert told["sub-5_ses-M000", "pet"] == (None, "excluded", "diagnosis is MCI")
    assert told["sub-5_ses-M000", "mri"][1] == "never acquired"
    assert told["sub-6", "mri"] == ("CN", "never acquired", "")


def test_one_image_under_two_subjects_is_a_fault_however_it_is_packed(bids):
    image = bids.root / "sub-1/ses-M000/anat/sub-1_ses-M000_T1w.nii.gz"
    copied = bids.root / "sub-4/ses-M000/anat/sub-4_ses-M000_T1w.nii.gz"
    copied.write_bytes(gzip.compress(gzip.decompress(image.read_bytes()), compresslevel=1))
    cohort = look(read(bids.spec(), "small"))
    (fault,) = cohort.faults
    assert fault.where == "sub-4_ses-M000"
    assert f"is the same image as {image} of sub-1" in fault.reason
    assert len(cohort.cases) == 4


def test_one_image_at_two_visits_of_a_subject_is_none(bids):
    bids.case("sub-1", "ses-M012")
    image = bids.root / "sub-1/ses-M000/anat/sub-1_ses-M000_T1w.nii.gz"
    bids.volume("sub-1/ses-M012/anat/sub-1_ses-M012_T1w.nii.gz", image.read_bytes())
    assert look(read(bids.spec(), "small")).faults == ()
