from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_job import CASES, CHAINS, REST, TRAIN, VALIDATION, owned

from mmmed.batch import ModalitySet, pack
from mmmed.cohorts.cohort import Case
from mmmed.errors import PresenceError, RunError
from mmmed.modality import Pattern
from mmmed.models.building import build, options
from mmmed.record import digest, table
from mmmed.training import package
from mmmed.training.attention import item_shares
from mmmed.training.calibrate import calibrate
from mmmed.training.logits import logits
from mmmed.training.origin import Origin
from mmmed.training.predicting import View, columns, score
from mmmed.training.shelf import Shelf
from mmmed.training.statistics import statistics

CLASSES = ("CN", "AD")


def save(shelf: Shelf, folder: Path) -> torch.nn.Module:
    chosen = options("late-sum")()
    torch.manual_seed(0)
    model = build(chosen, shelf.modalities, classes=2, standards={}).eval()
    calibrated = calibrate(
        model, shelf, REST, mirror=CHAINS, classes=CLASSES, positive="AD", threshold=0.5,
        coverage=0.8,
    )  # fmt: skip
    package.save(
        folder,
        model=model,
        options=chosen,
        chains=CHAINS,
        classes=CLASSES,
        positive="AD",
        calibrated=calibrated,
        statistics=statistics(model, shelf, train=owned(shelf, TRAIN), calibration=REST),
        origin=Origin(
            study={"study": "ad/small"},
            reading={"kind": "bids", "modalities": {}},
            seed=3,
            fold="holdout",
            train="complete",
            subjects={"train": TRAIN, "validation": VALIDATION, "calibration": REST},
        ),
    )
    return model


@pytest.fixture(scope="module")
def saved(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    save(shelf, folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def sets(shelf: Shelf) -> list[ModalitySet]:
    return [shelf.set(case, pattern) for case, pattern in owned(shelf, CASES).items()]


def test_a_package_is_three_files_and_no_pickle(saved: Path) -> None:
    names = sorted(path.name for path in saved.iterdir())
    assert names == ["MODEL_CARD.md", "model.json", "weights.safetensors"]


def test_a_loaded_package_predicts_what_the_model_did(shelf: Shelf, tmp_path: Path) -> None:
    model = save(shelf, tmp_path)
    expected = logits(model, sets(shelf), mirror=CHAINS, batch=1, device="cpu")
    found = package.load(tmp_path).predict(sets(shelf))
    assert np.array_equal(np.array([one.logits for one in found]), expected)


def test_probabilities_are_the_calibrated_ones_of_the_pattern(saved: Path, shelf: Shelf) -> None:
    loaded = package.load(saved)
    one = loaded.predict([shelf.set("sub-001", Pattern.parse("pet"))])[0]
    scaled = np.array(one.logits) / loaded.calibration.temperature
    scaled = scaled + loaded.calibration.own.get("pet", loaded.calibration.bias)
    expected = np.exp(scaled) / np.exp(scaled).sum()
    np.testing.assert_allclose(one.probabilities, expected)
    assert one.decision == ("AD" if expected[1] >= 0.5 else "CN")


def test_no_prediction_depends_on_neighbours_or_order(saved: Path, shelf: Shelf) -> None:
    loaded = package.load(saved)
    forward = loaded.predict(sets(shelf))
    backward = loaded.predict(sets(shelf)[::-1])[::-1]
    assert forward == backward
    assert forward[5] == loaded.predict(sets(shelf)[5:6])[0]


def test_batches_agree_with_single_cases_on_probabilities(saved: Path, shelf: Shelf) -> None:
    loaded = package.load(saved)
    one, many = (
        np.array([found.probabilities for found in loaded.predict(sets(shelf), batch=size)])
        for size in (1, 8)
    )
    np.testing.assert_allclose(one, many, atol=1e-5)


def test_an_unknown_modality_is_an_error(saved: Path) -> None:
    strange = ModalitySet("c", "s", {"ct": (torch.zeros(1, 8, 8, 8),)})
    with pytest.raises(PresenceError, match="'ct' was never seen in training"):
        package.load(saved).predict([strange])


def test_the_same_training_gives_the_same_bytes(shelf: Shelf, saved: Path, tmp_path: Path) -> None:
    save(shelf, tmp_path)
    for name in ("MODEL_CARD.md", "model.json", "weights.safetensors"):
        assert digest.of_file(tmp_path / name) == digest.of_file(saved / name)


def test_subjects_are_known_without_being_named(saved: Path) -> None:
    known = package.load(saved).manifest.subjects
    assert (known.part(TRAIN[0]), known.part(VALIDATION[0])) == ("train", "validation")
    assert known.part("sub-999") is None
    assert TRAIN[0] not in (saved / "model.json").read_text()


def test_statistics_travel_with_the_weights(saved: Path) -> None:
    loaded = package.load(saved)
    mean, precision = loaded.statistics["mri"]
    assert precision.shape == (len(mean), len(mean))
    assert loaded.manifest.statistics["mri"]["items"] == len(TRAIN)
    assert set(loaded.manifest.statistics["mri"]["distances"]) == {"0.5", "0.9", "0.95", "0.99"}


def flip_weight(folder: Path) -> None:
    path = folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def flip_manifest(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))


def make_newer(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))


def with_versions(folder: Path, **other: object) -> None:
    path = folder / "model.json"
    values = json.loads(path.read_text())
    values.pop("digest")
    values["versions"] |= other
    path.write_text(json.dumps({**values, "digest": digest.of_value(values)}))


def make_it_of_a_newer_mmmed(folder: Path) -> None:
    with_versions(folder, mmmed="999.0.0")


def make_it_of_no_version(folder: Path) -> None:
    with_versions(folder, mmmed="latest")


def truncate(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(path.read_text()[:-100])


def lose_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()


def lose_manifest(folder: Path) -> None:
    (folder / "model.json").unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip_weight, "weights.safetensors: is not the file model.json names"),
        (flip_manifest, "model.json: was changed after it was written"),
        (make_newer, r"written by a newer mmmed \(package format 2; this program reads 1\)"),
        (make_it_of_a_newer_mmmed, r"written by a newer mmmed \(999.0.0; .*\); update mmmed"),
        (make_it_of_no_version, "versions.mmmed: is no version"),
        (truncate, "model.json: is damaged"),
        (lose_weights, "weights.safetensors: No such file"),
        (lose_manifest, "model.json: No such file or directory; name the folder of a model"),
    ],
)
def test_a_harmed_package_is_refused_in_one_line(
    copy: Path, harm: Callable[[Path], None], message: str
) -> None:
    harm(copy)
    with pytest.raises(RunError, match=message) as caught:
        package.load(copy)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_other_versions_are_one_line_of_warning_and_do_not_stop(
    copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    package.load(copy)
    assert caplog.messages == []
    with_versions(copy, mmmed="0.0.1", torch="1.0", numpy="1.0")
    assert package.load(copy).manifest.versions["torch"] == "1.0"
    (line,) = caplog.messages
    assert "\n" not in line
    for words in ("mmmed 0.0.1 (here ", f"torch 1.0 (here {torch.__version__})", "numpy 1.0 (here"):
        assert words in line


def test_weights_of_another_architecture_are_refused(copy: Path) -> None:
    path = copy / "model.json"
    values = json.loads(path.read_text())
    values.pop("digest")
    values["method"] = {"kind": "late-fusion"}
    path.write_text(json.dumps({**values, "digest": digest.of_value(values)}))
    with pytest.raises(RunError, match="do not fit late-fusion"):
        package.load(copy)


def test_performance_is_stated_in_manifest_and_card(copy: Path) -> None:
    row = {"pattern": "mri", "metric": "auroc", "value": 0.85, "low": 0.8, "high": 0.9, "n": 200}
    package.state_performance(copy, [row])
    assert package.load(copy).manifest.performance == (row,)
    assert "| mri | auroc | 0.850 | 0.800 | 0.900 | 200 |" in (copy / "MODEL_CARD.md").read_text()


def test_the_card_says_what_a_reader_must_know(saved: Path) -> None:
    text = (saved / "MODEL_CARD.md").read_text()
    for part in (
        "not a medical device",
        "of kind late-sum (Kittler",
        "train: 24 subjects",
        "mirrored",
        "80% sets",
    ):
        assert part in text


def test_rows_name_the_job_and_predict_each_view_once(saved: Path, shelf: Shelf) -> None:
    loaded = package.load(saved)
    case = Case("sub-001", "sub-001", None, "A", 1, None, {}, {})
    mri = Pattern.parse("mri")
    views = [View("sub-001", "every-pattern", None, mri), View("sub-001", "mcar", 0.5, mri)]
    told: list[tuple[int, int]] = []
    scored = score(
        loaded, shelf, {case.id: case}, views, split="test", progress=lambda *one: told.append(one)
    )
    rows = scored.predictions
    assert told == [(1, 1)]
    assert [row["protocol"] for row in rows] == ["every-pattern", "mcar"]
    first = rows[0]
    assert set(first) == {*table.PREDICTIONS.columns, *columns(CLASSES)}
    stated = (first["owned"], first["pattern"], first["label"], first["seed"], first["fold"])
    assert stated == ("mri+pet", "mri", "AD", 3, "holdout")
    assert scored.attention == []


def test_shares_are_those_of_a_case_and_its_mirror_image_averaged(
    saved: Path, shelf: Shelf
) -> None:
    torch.manual_seed(0)
    attending = build(
        options("hypermm")(agg="attention"), shelf.modalities, classes=2, standards={}
    ).eval()
    torch.nn.init.normal_(attending.head.agg.attention.score.weight, std=30)  # type: ignore[union-attr]
    loaded = replace(package.load(saved), model=attending)
    one = shelf.set("sub-001", Pattern.parse("mri+pet"))
    items = {name: [own.flip(1) for own in mine] for name, mine in one.items.items()}
    with torch.no_grad():
        straight, turned = (
            attending.attention(pack([way], modalities=shelf.names))
            for way in (one, replace(one, items=items))
        )
    expected = [float(straight[name] + turned[name]) / 2 for name in shelf.names]
    told = item_shares(loaded, one)
    assert told is not None
    assert [told[name][0] for name in shelf.names] == pytest.approx(expected, abs=1e-6)
    assert expected != pytest.approx([float(straight[name]) for name in shelf.names], abs=1e-5)


@pytest.fixture(scope="module")
def imported() -> list[str]:
    """What of trainer, tracking and studies is imported for prediction, and then for a study."""
    code = (
        "import sys\n"
        "names = {'lightning', 'mlflow', 'mmmed.pipelines'}\n"
        "import mmmed.training.package, mmmed.inference.folder\n"
        "print(*names & set(sys.modules))\n"
        "import mmmed.pipelines.run\n"
        "print(*names & set(sys.modules))\n"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()


def test_prediction_imports_no_trainer_and_no_tracking(imported: list[str]) -> None:
    assert imported[0] == ""


def test_a_study_imports_the_trainer_when_it_trains(imported: list[str]) -> None:
    assert imported[1] == "mmmed.pipelines"
