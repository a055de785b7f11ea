"""A simulated hospital with thin T1s, through `convert`, `check` and the choice, line by line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mmmed.conversion.folder import convert_folder
from mmmed.pipelines.check import check_data
from mmmed.simulation.hospital.writing import write
from mmmed.simulation.spec import AdSimulation, Subjects

SPEC = AdSimulation(subjects=Subjects.of_total(1), seed=3, voxel_mm=2.0)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "hospital"
    write(SPEC, out)
    return out


def rows(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#")


@pytest.fixture(scope="module")
def truth(hospital: Path) -> pd.DataFrame:
    return rows(hospital / "truth.tsv")


@pytest.fixture(scope="module")
def checked(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("checked")
    found = check_data(hospital, cohort=None, start=None, jobs=1, out=out)
    return out, "\n".join((*found.sentences, *found.faults))


def test_conversion_says_of_every_series_and_file_what_the_truth_says(
    hospital: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    convert_folder(hospital, tmp_path / "out")
    index = rows(tmp_path / "out" / "index.tsv")
    for _, row in truth.iterrows():
        if row["series"] == "n/a":
            found = index[index["path"] == row["path"]]
        else:
            found = index[(index["series"] == row["series"]) & (index["verdict"] != "set-aside")]
        wanted = {"ok", "refused"} if row["expected"] == "tilt" else {row["expected"]}
        assert set(found["verdict"]) <= wanted, (row["path"], found.to_dict("records"))
        assert len(found), row["path"]
    known = {*truth["series"], *truth["path"]}
    assert all(row["series"] in known or row["path"] in known for _, row in index.iterrows())


def test_the_choice_of_every_series_is_that_of_the_truth_and_for_its_reason(
    truth: pd.DataFrame, checked: tuple[Path, str]
) -> None:
    choice = rows(checked[0] / "choice.tsv")
    series = truth[truth["series"] != "n/a"]
    for _, row in series.iterrows():
        found = choice[choice["series"] == row["series"]]
        found = found[found["status"] != "set-aside"]
        said = row["path"], list(found["why"])
        assert set(found["chosen_for"]) == {"n/a" if row["chosen"] == "no" else row["chosen"]}, said
        if row["chosen"] == "no":
            assert row["why"] in " ".join(found["why"]), said
    assert {"mri", "pet", "no"} == set(series["chosen"])


def test_the_check_names_what_is_refused_and_counts_what_is_chosen(
    truth: pd.DataFrame, checked: tuple[Path, str]
) -> None:
    chosen = truth["chosen"].value_counts()
    assert f"{chosen['mri']} mri, {chosen['pet']} pet" in checked[1]
    assert "faults/half-copied/IM0048: unreadable" in checked[1]
    assert "different Patient IDs" in checked[1]
    assert "mri: faults/truncated/IM" in checked[1]
