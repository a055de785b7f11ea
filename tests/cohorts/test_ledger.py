from __future__ import annotations

import pytest

from mmmed.cohorts.ledger import counts, ledger, look, sentences
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
    assert table["mri"].tolist() == ["present", "present", "absent", "present"]
    assert table.loc["sub-2_ses-M000", "pet"] == "absent"
    assert table.loc["sub-1_ses-M000", "pet"].startswith("unreadable: ")
    assert counts(looked).to_numpy().tolist() == [[3, 1, 0], [1, 1, 2]]


def test_the_ledger_in_words(looked):
    assert sentences(looked) == [
        "small: 3 cases of 3 subjects",
        "classes: 2 CN, 1 AD",
        "mri: 3 present, 1 naturally absent, 0 unreadable",
        "pet: 1 present, 1 naturally absent, 2 unreadable",
    ]


def test_a_sound_cohort_has_no_fault(bids):
    cohort = look(read(bids.spec(), "small"))
    assert cohort.faults == ()
    assert cohort == read(bids.spec(), "small")
