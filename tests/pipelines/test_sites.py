"""Simulated sites: each left out once, and absence that goes with age, site and severity."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.mechanism import Mar, Mnar
from mmmed.pipelines.materialise import materialise
from mmmed.pipelines.plan import FoldPlan, plan
from mmmed.pipelines.resolve import resolve
from mmmed.pipelines.study import load_study
from mmmed.progress import Silent
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.truth import ceilings

MAR = "kind: mar, modality: pet, slopes: {age: 1.0, site=B: 1.0}"
MNAR = "kind: mnar, modality: pet, column: z_pet, slope: 1.5"
SETTINGS = (
    "cohort.simulation={subjects: {train: 40, validation: 10, calibration: 10, test: 20}}",
    "splits={kind: leave-one-site-out}",
    f"protocols.train=[{{{MAR}, rate: [0.25, 0.5]}}, {{{MNAR}, rate: 0.5}}]",
    f"protocols.test=[{{kind: every-pattern}}, {{{MAR}, rate: 0.5}}]",
)


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str | None], list[FoldPlan]]:
    """The site of every case, and the plan of a study that leaves each site out once."""
    resolved = resolve(load_study("ad/train", settings=SETTINGS, start=None), start=None)
    cache: Path = tmp_path_factory.mktemp("cache")
    cohort, truth = materialise(resolved.cohort, cache=cache, jobs=1, listener=Silent())
    sites = {case.id: case.site for case in cohort.cases}
    return sites, list(plan(resolved.study, cohort, truth=truth))


def test_each_site_is_tested_by_models_that_never_met_it(folds) -> None:
    sites, planned = folds
    names = {f"site-{site}" for site in sites.values()}
    trainings = {"mar 0.25", "mar 0.5", "mnar 0.5"}
    assert {(one.fold.name, one.train) for one in planned} == {
        (name, train) for name in names for train in trainings
    }
    assert len(names) > 1
    for one in planned:
        tested = {f"site-{sites[case]}" for case in one.fold.cases("test")}
        assert tested == {one.fold.name}
        others = one.fold.cases("train", "validation", "calibration")
        assert one.fold.name not in {f"site-{sites[case]}" for case in others}


def test_absence_by_site_inside_a_single_site_hides_as_many_as_asked(folds) -> None:
    for one in folds[1]:
        mine = [view for view in one.views if view.protocol == "mar"]
        rows = [
            row for row in one.presence if row["protocol"] == "mar" and row["modality"] == "pet"
        ]
        status = [row["status"] for row in rows]
        assert len(mine) == len(status)
        assert abs(status.count("hidden") - status.count("shown")) <= 1


def test_test_protocols_of_one_kind_have_ceilings_of_their_own() -> None:
    protocols = [
        Mar(name="by-age", modality="pet", rate=0.5, slopes={"age": 1.0}),
        Mar(name="by-site", modality="pet", rate=0.5, slopes={"site=B": 1.0}),
        Mnar(modality="pet", rate=0.5, column="z_pet", slope=1.5),
    ]
    rows = ceilings(AdSimulation(), protocols)["rows"]
    assert [row["protocol"] for row in rows] == ["by-age", "by-site", "mnar"]
    assert all(0.5 < row["ceiling_images"]["auroc"] < 1 for row in rows)
    mnar = rows[-1]
    assert mnar["ceiling_all"]["auroc"] > mnar["ceiling_images"]["auroc"]
