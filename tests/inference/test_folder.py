from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mmmed.errors import NothingReadable, RunError
from mmmed.inference.folder import QUARANTINE, Counts, predict_folder
from mmmed.modality import Pattern
from mmmed.progress import Silent
from mmmed.readers.source import Source
from mmmed.record import cache, table
from mmmed.training import package
from mmmed.training.shelf import Shelf
from mmmed.transforms.prepare import prepare

Write = Callable[..., Path]


def predictions(out: Path) -> dict[str, dict[str, str]]:
    rows = table.read(out / "predictions.tsv", table.PREDICTIONS)
    return {row["case_id"]: row for row in rows}


def quarantine(out: Path) -> dict[tuple[str, str], str]:
    rows = table.read(out / "quarantine.tsv", QUARANTINE)
    return {(row["case_id"], row["modality"]): row["reason"] for row in rows}


def test_every_new_case_is_predicted_under_what_it_owns(
    model: Path, bids: Path, tmp_path: Path
) -> None:
    counts = predict_folder(model, bids, tmp_path / "out")
    found = predictions(tmp_path / "out")
    assert {case: row["pattern"] for case, row in found.items()} == {
        "sub-03": "mri+pet",
        "sub-04": "mri",
        "sub-05": "pet",
    }
    assert counts == Counts(predicted=3, partly_read=0, refused=2, unreadable=0)


def test_predictions_are_those_of_the_package_on_the_prepared_items(
    model: Path, bids: Path, tmp_path: Path
) -> None:
    predict_folder(model, bids, tmp_path / "out")
    loaded = package.load(model)
    source = Source(bids / "sub-04" / "anat" / "sub-04_T1w.nii.gz")
    chain = loaded.manifest.preparation["mri"].chain
    (item,) = prepare([source], chain, kind="volume", cache=cache.folder())
    shelf = Shelf(
        modalities=tuple(one.modality for one in loaded.manifest.modalities),
        items={"c": {"mri": (item,)}},
        label={"c": -1},
        subject={"c": "c"},
    )
    (expected,) = loaded.predict([shelf.set("c", Pattern.parse("mri"))])
    row = predictions(tmp_path / "out")["sub-04"]
    assert [row["logit_CN"], row["logit_AD"]] == [repr(one) for one in expected.logits]
    assert [row["p_CN"], row["p_AD"]] == [repr(one) for one in expected.probabilities]
    assert (row["decision"], row["set"]) == (expected.decision, expected.set)


def test_cases_of_known_subjects_are_refused_as_leakage(
    model: Path, bids: Path, tmp_path: Path
) -> None:
    predict_folder(model, bids, tmp_path / "out")
    reasons = quarantine(tmp_path / "out")
    assert set(reasons) == {("sub-01", "n/a"), ("sub-02", "n/a")}
    assert all("leakage" in one and "calibration part" in one for one in reasons.values())


def test_a_case_with_one_unreadable_scan_is_predicted_from_the_rest(
    model: Path, bids: Path, tmp_path: Path
) -> None:
    (bids / "sub-03" / "pet" / "sub-03_trc-18FFDG_pet.nii.gz").write_text("<html>")
    counts = predict_folder(model, bids, tmp_path / "out")
    assert predictions(tmp_path / "out")["sub-03"]["pattern"] == "mri"
    reason = quarantine(tmp_path / "out")["sub-03", "pet"]
    assert reason.startswith("sub-03/pet/sub-03_trc-18FFDG_pet.nii.gz: ")
    assert (counts.predicted, counts.partly_read, counts.unreadable) == (3, 1, 0)


def test_an_unreadable_case_costs_no_other(model: Path, bids: Path, tmp_path: Path) -> None:
    (bids / "sub-04" / "anat" / "sub-04_T1w.nii.gz").write_bytes(b"")
    counts = predict_folder(model, bids, tmp_path / "out")
    assert set(predictions(tmp_path / "out")) == {"sub-03", "sub-05"}
    assert (counts.predicted, counts.unreadable) == (2, 1)


def test_no_prediction_depends_on_the_other_cases(
    model: Path, bids: Path, tmp_path: Path, write: Write
) -> None:
    predict_folder(model, bids, tmp_path / "many")
    write(tmp_path / "lonely", "sub-04", "mri")
    predict_folder(model, tmp_path / "lonely", tmp_path / "one")
    assert predictions(tmp_path / "one")["sub-04"] == predictions(tmp_path / "many")["sub-04"]


def test_predicting_twice_gives_the_same_bytes(model: Path, bids: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        predict_folder(model, bids, tmp_path / out)
    for name in ("predictions.tsv", "quarantine.tsv", "summary.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_summary_names_the_package(model: Path, bids: Path, tmp_path: Path) -> None:
    predict_folder(model, bids, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["weights"] == package.load(model).manifest.weights
    assert (summary["predicted"], summary["refused"]) == (3, 2)


def test_a_folder_in_which_nothing_can_be_read_says_so_and_why(
    model: Path, tmp_path: Path, write: Write
) -> None:
    write(tmp_path / "bids2", "sub-09", "mri").write_text("<html>")
    with pytest.raises(NothingReadable, match=r"no case can be read \(sub-09 mri: "):
        predict_folder(model, tmp_path / "bids2", tmp_path / "out")
    assert ("sub-09", "mri") in quarantine(tmp_path / "out")


def test_a_folder_of_known_subjects_alone_is_properly_refused(
    model: Path, tmp_path: Path, write: Write
) -> None:
    write(tmp_path / "bids2", "sub-01", "mri")
    counts = predict_folder(model, tmp_path / "bids2", tmp_path / "out")
    assert counts == Counts(predicted=0, partly_read=0, refused=1, unreadable=0)
    assert predictions(tmp_path / "out") == {}


@pytest.mark.parametrize("content", [[], ["notes"]])
def test_a_folder_without_cases_is_no_input(
    model: Path, tmp_path: Path, content: list[str]
) -> None:
    for path in (tmp_path / "empty", *(tmp_path / "empty" / one for one in content)):
        path.mkdir()
    with pytest.raises(NothingReadable, match="sub-"):
        predict_folder(model, tmp_path / "empty", tmp_path / "out")


def test_what_is_no_package_is_refused(bids: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="name the folder of a model package"):
        predict_folder(bids, bids, tmp_path / "out")


def test_predictions_are_made_with_the_threads_the_package_was_made_with(
    model: Path, bids: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(2)
    predict_folder(model, bids, tmp_path / "out")
    assert torch.get_num_threads() == package.load(model).manifest.threads == 1


def test_progress_ends_at_its_total(model: Path, bids: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    class Listening(Silent):
        def __call__(self, task: str, done: int, total: int) -> None:
            assert task == "predict"
            told.append((done, total))

    predict_folder(model, bids, tmp_path / "out", listener=Listening())
    assert told[-1] == (7, 7)  # four scans and three cases
    assert told == sorted(told)
