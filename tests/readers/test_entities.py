from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmed.errors import DataError
from mmmed.readers.entities import Entities, build, case_id, parse

LABELS = st.text("abcXYZ019", min_size=1, max_size=8)
KEYS = st.sampled_from(["acq", "rec", "run", "space", "trc", "desc"])


@given(
    subject=LABELS,
    session=st.none() | LABELS,
    others=st.dictionaries(KEYS, LABELS),
    suffix=st.sampled_from(["T1w", "pet"]),
    ending=st.sampled_from([".nii", ".nii.gz", ".json"]),
)
def test_parse_undoes_build(subject, session, others, suffix, ending):
    entities = Entities(subject, session, suffix, ending, others)
    parsed = parse(build(entities))
    assert (parsed.subject, parsed.session, parsed.suffix) == (subject, session, suffix)
    assert (dict(parsed.others), parsed.ending) == (others, ending)


def test_a_published_name_is_taken_apart():
    parsed = parse("sub-01_ses-M000_trc-18FFDG_rec-acdyn_pet.nii.gz")
    assert parsed.case == "sub-01_ses-M000"
    assert dict(parsed.others) == {"trc": "18FFDG", "rec": "acdyn"}
    assert (parsed.suffix, parsed.ending) == ("pet", ".nii.gz")


@pytest.mark.parametrize(
    "name",
    [
        "T1w.nii.gz",
        "ses-1_sub-2_T1w.nii",
        "sub-1_T1w",
        "sub-1",
        "sub-_T1w.nii",
        "sub-1_.nii",
        "sub-1_sub-2_T1w.nii",
        "sub-1_run_T1w.nii",
        "sub-1-2_T1w.nii",
        ".DS_Store",
        "._sub-1_T1w.nii",
    ],
)
def test_other_names_are_no_bids_names(name):
    with pytest.raises(DataError, match="no BIDS name"):
        parse(name)


def test_a_label_with_html_is_read_as_text_and_never_written():
    parsed = parse("sub-<b>x<b>_T1w.nii")
    assert parsed.subject == "<b>x<b>"
    with pytest.raises(DataError, match="letters and digits"):
        build(parsed)


@pytest.mark.parametrize("subject", ["../up", "a/b", "a\\b"])
def test_a_label_cannot_hold_a_path(subject):
    with pytest.raises(DataError):
        parse(f"sub-{subject}_T1w.nii")


def test_a_case_is_named_with_and_without_session():
    assert case_id("001", "M000") == "sub-001_ses-M000"
    assert case_id("001", None) == "sub-001"
