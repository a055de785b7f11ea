"""The series of a simulated subject, as the rules of choice see them."""

from __future__ import annotations

import pytest

from mmmed.cohorts.choice import choose
from mmmed.cohorts.dicom_cohort import DICOM, load_dicom
from mmmed.readers.dicom.description import describe
from mmmed.simulation.hospital.enhanced import enhanced
from mmmed.simulation.hospital.files import slices
from mmmed.simulation.hospital.study import orders
from mmmed.simulation.spec import AdSimulation, Subjects
from mmmed.simulation.subjects import draw_subjects, participants

FINE = AdSimulation(subjects=Subjects.of_total(7), seed=5, voxel_mm=2.0)


@pytest.mark.parametrize("number", [1, 3, 7])
def test_the_t1_and_the_corrected_pet_are_chosen_and_the_others_are_told_why(number: int) -> None:
    """Subject 3 has an enhanced MRI, subject 7 an enhanced PET."""
    rules = load_dicom(DICOM, start=None)
    person = participants(draw_subjects(FINE))[number - 1]
    written = list(orders(FINE, person))
    facts = [describe([enhanced(one)] if one.enhanced else slices(one)) for one in written]
    told = choose(facts, rules)
    for one in written:
        own = [verdict for verdict in told if verdict.uid == one.uid]
        assert [verdict.modality for verdict in own if verdict.chosen] == [one.chosen] * bool(
            one.chosen
        )
        assert one.why in " ".join(verdict.why for verdict in own)
    assert [one.chosen for one in written if one.chosen] == ["mri", "pet"]
