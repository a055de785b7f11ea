"""What is stated as true of a cohort."""

from __future__ import annotations

import pytest

from mmmed.mechanism import Complete, EveryPattern, Listed, Mcar, Mnar
from mmmed.simulation.law import Redundant, Subgroup
from mmmed.simulation.population import Population
from mmmed.simulation.spec import AdSimulation, Subjects
from mmmed.simulation.subjects import draw_subjects
from mmmed.simulation.truth import ceilings, truth

SMALL = AdSimulation(subjects=Subjects.of_total(26))
ATROPHIED = SMALL.model_copy(update={"pet_anatomy": "atrophied"})
HALF = Mcar(modality="pet", rate=0.5)


def test_ceilings_of_a_study_are_a_row_per_table() -> None:
    protocols = [EveryPattern(kind="every-pattern"), Mcar(modality="pet", rate=(0.0, 0.5))]
    rows = ceilings(SMALL, [*protocols, Complete()])["rows"]
    assert [(row["protocol"], row["rate"], row["pattern"]) for row in rows] == [
        ("every-pattern", None, "mri"),
        ("every-pattern", None, "pet"),
        ("every-pattern", None, "mri+pet"),
        ("mcar", 0.0, "mixed"),
        ("mcar", 0.5, "mixed"),
        ("complete", None, "mixed"),
    ]
    aurocs = [row["ceiling_images"]["auroc"] for row in rows]
    assert aurocs == pytest.approx([0.85, 0.92, 0.9455, 0.9455, 0.9046, 0.9455], abs=5e-5)
    assert all(row["ceiling_images"]["error"] == 0 for row in rows)


def test_a_listed_protocol_has_no_ceiling() -> None:
    assert ceilings(SMALL, [Listed(kind="list", file="hidden.tsv")])["rows"] == []


def test_log_odds_of_a_case_are_worked_out_by_hand() -> None:
    case = truth(SMALL, draw_subjects(SMALL))["cases"]["sub-001_ses-M000"]
    distance = 1.4657  # sqrt(2) * Phi^-1(.85)
    by_hand = distance * case["z_mri"] - distance**2 / 2
    assert case["log_odds"]["mri"] == pytest.approx(by_hand, abs=1e-3)


def test_an_atrophied_pet_has_no_ceiling_of_its_own() -> None:
    known = truth(ATROPHIED, draw_subjects(ATROPHIED))
    assert known["ceilings"]["pet"] is None
    assert known["ceilings"]["mri+pet"]["ceiling_images"]["auroc"] == pytest.approx(
        0.9455, abs=1e-4
    )
    assert set(known["cases"]["sub-001_ses-M000"]["log_odds"]) == {"mri", "mri+pet"}


def test_an_atrophied_pet_spoils_only_mixtures_that_show_it_alone() -> None:
    rows = ceilings(ATROPHIED, [HALF, Mcar(modality="any", rate=0.5)])["rows"]
    assert rows[0]["ceiling_images"]["auroc"] == pytest.approx(0.9046, abs=1e-4)
    assert "ceiling_images" not in rows[1]


def test_where_covariates_tell_ceilings_stand_with_and_without_them() -> None:
    for settings in ({"population": Population(age_gap=5)}, {"law": Subgroup(strength=0.2)}):
        spec = SMALL.model_copy(update=settings)
        (row,) = ceilings(spec, [HALF])["rows"]
        without = row["without_covariates"]["ceiling_images"]["auroc"]
        assert row["ceiling_images"]["auroc"] > without + 0.002


def test_notes_say_what_the_pet_is_worth() -> None:
    spec = SMALL.model_copy(update={"law": Redundant()})
    assert "the PET tells 0.000 bits" in ceilings(spec, [])["notes"][0]


def test_notes_mark_matched_atrophied_and_tied_cohorts() -> None:
    tied = {"population": Population(age_gap=5), "pet_anatomy": "atrophied"}
    said = " ".join(ceilings(SMALL.model_copy(update=tied), [])["notes"])
    assert "conditional on such a set" in said
    assert "no ceiling is known for the PET alone" in said
    assert "know age, sex and site" in said
    iid = " ".join(ceilings(SMALL.model_copy(update={"test": "iid"}), [])["notes"])
    assert "conditional" not in iid


def test_natural_absence_is_in_the_ceiling_on_disk() -> None:
    spec = SMALL.model_copy(update={"missing": HALF})
    on_disk = truth(spec, draw_subjects(spec))["ceiling_on_disk"]["ceiling_images"]["auroc"]
    assert on_disk == pytest.approx(0.9046, abs=5e-5)


def test_absence_as_evidence_raises_the_second_ceiling() -> None:
    (row,) = ceilings(SMALL, [Mnar(modality="pet", rate=0.5, column="z_pet", slope=2.0)])["rows"]
    assert row["ceiling_all"]["auroc"] > row["ceiling_images"]["auroc"] + 0.002
