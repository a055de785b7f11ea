"""The table of simulated subjects."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mmmed.mechanism import Mcar, Mnar
from mmmed.simulation.law import Gaussian, Subgroup
from mmmed.simulation.spec import AdSimulation, Subjects
from mmmed.simulation.subjects import draw_subjects, participants


def test_the_default_cohort_has_300_50_100_200_subjects_half_of_them_ad() -> None:
    table = draw_subjects(AdSimulation())
    assert table["part"].value_counts().to_dict() == {
        "train": 300,
        "test": 200,
        "calibration": 100,
        "validation": 50,
    }
    assert (table.groupby("part")["label"].mean() == 0.5).all()
    assert table.index[0] == "sub-001_ses-M000"
    assert table.index.is_unique
    assert table[["mri", "pet"]].to_numpy().all()


def test_test_burdens_are_matched_to_the_law_and_others_are_not() -> None:
    table = draw_subjects(AdSimulation())
    for label in (0, 1):
        expected = Gaussian().component(label, False)
        for part, is_matched in (("test", True), ("train", False)):
            rows = table[(table["part"] == part) & (table["label"] == label)]
            z = rows[["z_mri", "z_pet"]].to_numpy()
            close = np.allclose(z.mean(axis=0), expected.mean, atol=1e-9) and np.allclose(
                np.cov(z, rowvar=False, ddof=0), expected.covariance, atol=1e-9
            )
            assert close == is_matched


def test_an_iid_test_set_is_not_matched_and_the_other_parts_stay() -> None:
    matched, iid = (draw_subjects(AdSimulation(test=test)) for test in ("matched", "iid"))
    rows = iid[(iid["part"] == "test") & (iid["label"] == 0)]
    assert abs(rows["z_mri"].mean()) > 1e-6
    other = matched["part"] != "test"
    assert matched[other].equals(iid[other])


def test_a_seed_gives_one_cohort_and_another_seed_another() -> None:
    assert draw_subjects(AdSimulation(seed=1)).equals(draw_subjects(AdSimulation(seed=1)))
    one, two = (draw_subjects(AdSimulation(seed=seed)) for seed in (1, 2))
    assert not np.isclose(one["z_mri"], two["z_mri"]).any()


def test_natural_absence_hides_its_rate_in_every_part() -> None:
    table = draw_subjects(AdSimulation(missing=Mcar(modality="pet", rate=0.3)))
    assert (~table["pet"]).groupby(table["part"]).sum().to_dict() == {
        "train": 90,
        "validation": 15,
        "calibration": 30,
        "test": 60,
    }
    assert table["mri"].all()


def test_natural_absence_may_depend_on_the_burden() -> None:
    missing = Mnar(modality="pet", rate=0.5, column="z_pet", slope=4.0)
    table = draw_subjects(AdSimulation(missing=missing))
    assert table["z_pet"][~table["pet"]].mean() > table["z_pet"][table["pet"]].mean() + 1


def test_participants_own_the_scans_that_are_on_disk() -> None:
    table = draw_subjects(
        AdSimulation(subjects=Subjects.of_total(20), missing=Mcar(modality="pet", rate=0.5))
    )
    people = participants(table)
    assert [person.name for person in people][:2] == ["sub-001", "sub-002"]
    assert [("pet" in person.scans) for person in people] == table["pet"].tolist()


@pytest.mark.parametrize("total", [1, 13, 65, 650, 1300])
def test_a_total_is_split_in_the_default_proportions(total: int) -> None:
    counts = Subjects.of_total(total)
    assert counts.total == total
    assert counts.test == total * 200 // 650


def test_ids_grow_with_the_cohort() -> None:
    parts = Subjects(train=1000, validation=0, calibration=0, test=0)
    assert draw_subjects(AdSimulation(subjects=parts))["subject"].iloc[0] == "sub-0001"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"subjects": {"train": 0, "validation": 0, "calibration": 0, "test": 0}}, "all parts"),
        ({"missing": {"kind": "mcar", "modality": "pet", "rate": [0.1, 0.2]}}, "one rate"),
        ({"law": Subgroup(column="site", value="Z")}, "site 'Z' is not among A, B, C"),
        ({"voxel_mm": 0.1}, "voxel_mm"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_cohort_that_cannot_be_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AdSimulation.model_validate(settings)
