"""The series of a simulated subject, as the rules of choice see them."""

from __future__ import annotations

from mmmed import config, library
from mmmed.cohorts.choice import SeriesChoice, choose
from mmmed.readers.dicom.description import describe
from mmmed.simulation.hospital.files import enhanced, slices
from mmmed.simulation.hospital.study import orders
from mmmed.simulation.spec import AdSimulation, Subjects
from mmmed.simulation.subjects import draw_subjects, participants

FINE = AdSimulation(subjects=Subjects.of_total(1), seed=5, voxel_mm=2.0)


def test_the_t1_and_the_corrected_pet_are_chosen_and_the_others_are_told_why() -> None:
    rules = config.validate(
        config.read(library.find("cohorts", "dicom-series", start=None).path),
        SeriesChoice,
        drop=["mmmed"],
    )
    (person,) = participants(draw_subjects(FINE))
    written = list(orders(FINE, person))
    facts = [describe([enhanced(one)] if one.enhanced else slices(one)) for one in written]
    told = {(one.uid, one.modality): one for one in choose(facts, rules)}
    by_folder = {
        one.folder: told[one.uid, "mri" if "/mr/" in one.folder else "pet"] for one in written
    }
    assert {folder for folder, one in by_folder.items() if one.chosen} == {
        "sub-001/mr/2",
        "sub-001/pet/2",
    }
    assert "derived" in by_folder["sub-001/mr/3"].why
    assert "attenuation" in by_folder["sub-001/pet/3"].why
