"""A hand-made linear reader of two vectors, saved and asked what a scan changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mmmed.batch import Batch, ModalitySet
from mmmed.cohorts.cohort import Case
from mmmed.modality import Modality, Pattern
from mmmed.models.building import build, options
from mmmed.models.contract import Model, Phase
from mmmed.models.standard import Standard
from mmmed.readers.source import Source
from mmmed.training import package
from mmmed.training.calibrate import calibrate
from mmmed.training.counterfactual import Foresight, Reader, foresights
from mmmed.training.origin import Origin
from mmmed.training.package import Package
from mmmed.training.predicting import View, score
from mmmed.training.shelf import Shelf
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepared import Prepared

CLASSES = ("CN", "AD")
MRI, BOTH = Pattern.of(["mri"]), Pattern.of(["mri", "pet"])
CHAIN = Chain.model_validate({"item": "vector"})


class Linear(Model):
    """Log-odds are the sum of each modality's first number; `foresees` PET as the MRI's second."""

    def __init__(self, modalities: tuple[Modality, ...], *, foresees: bool) -> None:
        super().__init__(modalities, 2)
        self.foresees = foresees

    def forward(self, batch: Batch) -> Tensor:
        total = torch.zeros(len(batch))
        for items in batch.items.values():
            total = total.index_add(0, items.owner, items.data[:, 0])
        return torch.stack([torch.zeros_like(total), total], dim=1)

    def surprise(self, batch: Batch, modality: str) -> Tensor | None:
        if not self.foresees or modality != "pet":
            return None
        return batch.items["pet"].data[:, :1] - batch.items["mri"].data[:, 1:]

    def plausible(self, batch: Batch, modality: str, surprises: Tensor) -> Tensor:  # noqa: ARG002
        odds = self(batch)[:, 1] + batch.items["mri"].data[:, 1] + surprises
        return torch.stack([torch.zeros_like(odds), odds], dim=-1)

    def phases(self, steps: int) -> tuple[Phase, ...]:  # noqa: ARG002 it learns nothing
        return ()

    def features(self, batch: Batch) -> dict[str, Tensor]:
        return {name: items.data for name, items in batch.items.items()}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """80 cases; the MRI's second number foretells the PET's evidence up to a little noise."""
    folder = tmp_path_factory.mktemp("vectors")
    random = np.random.default_rng(0)
    items: dict[str, Mapping[str, tuple[Prepared, ...]]] = {}
    for number in range(80):
        sign = 2 * (number % 2) - 1
        pet = 1.5 * sign + 1.7 * random.normal()
        vectors = {
            "mri": [sign + 1.4 * random.normal(), pet + 0.3 * random.normal()],
            "pet": [pet, 0.0],
        }
        items[f"c{number:02d}"] = {}
        for name, values in vectors.items():
            path = folder / f"{number}-{name}.npy"
            np.save(path, np.array(values, dtype=np.float32))
            items[f"c{number:02d}"] |= {name: (Prepared(Source(path), path, "", (2,)),)}
    return Shelf(
        modalities=tuple(Modality(name, "vector", (2,)) for name in ("mri", "pet")),
        items=items,
        label={case: number % 2 for number, case in enumerate(items)},
        subject={case: case for case in items},
    )


def learned(
    shelf: Shelf, *, foresees: bool, cases: int = 60
) -> tuple[Reader, dict[str, Foresight]]:
    model = Linear(shelf.modalities, foresees=foresees).eval()
    known = calibrate(
        model, shelf, sorted(shelf.label)[:cases], mirror=(), classes=CLASSES, positive="AD",
        threshold=0.5, coverage=0.8,
    )  # fmt: skip
    reader = Reader.of(
        model, known, mirror=(), classes=CLASSES, positive="AD", device="cpu", seed=4
    )
    return reader, foresights(reader, shelf, known.views)


def now(reader: Reader, shelf: Shelf, case: str) -> Any:
    odds = float(np.load(shelf.items[case]["mri"][0].path)[0])
    return reader.calibration.probabilities(np.array([[0.0, odds]]), ["mri"])[0]


def test_the_form_that_foretells_left_out_cases_better_is_taken(shelf: Shelf) -> None:
    reader, found = learned(shelf, foresees=True)
    pet, mri = found["pet"], found["mri"]
    assert pet.scores is not None
    assert pet.scores["own"] > pet.scores["law"] + 0.5
    assert pet.surprises is not None
    assert len(pet.surprises) == 60
    assert mri.surprises is None
    told = reader.tell(pet, shelf.set("c70", MRI), now(reader, shelf, "c70"))
    by_law = reader.tell(
        replace(pet, surprises=None), shelf.set("c70", MRI), now(reader, shelf, "c70")
    )
    assert told.high is not None
    assert told.low is not None
    assert by_law.high is not None
    assert by_law.low is not None
    assert told.high - told.low < by_law.high - by_law.low
    assert told.bits == by_law.bits


def test_spread_is_measured_on_cases_that_were_left_out(shelf: Shelf) -> None:
    _, found = learned(shelf, foresees=True)
    for one in found.values():
        assert one.held == pytest.approx(0.9, abs=0.07)


def test_what_is_said_of_a_case_depends_on_no_other(shelf: Shelf) -> None:
    reader, found = learned(shelf, foresees=False)
    cases = [f"c{number}" for number in range(60, 80)]
    alone = {
        case: reader.tell(found["pet"], shelf.set(case, MRI), now(reader, shelf, case))
        for case in cases
    }
    for case in reversed(cases):
        again = reader.tell(found["pet"], shelf.set(case, MRI), now(reader, shelf, case))
        assert again == alone[case]
    assert len({one.bits for one in alone.values()}) == len(cases)
    sure = max(cases, key=lambda case: abs(now(reader, shelf, case)[1] - 0.5))
    unsure = min(cases, key=lambda case: abs(now(reader, shelf, case)[1] - 0.5))
    assert alone[sure].stays > alone[unsure].stays  # type: ignore[operator]
    assert alone[sure].bits < alone[unsure].bits  # type: ignore[operator]


def test_too_few_pairs_say_so_and_nothing_else(shelf: Shelf) -> None:
    reader, found = learned(shelf, foresees=True, cases=10)
    told = reader.tell(found["pet"], shelf.set("c70", MRI), np.array([0.5, 0.5]))
    assert told.reason == "cannot tell: too few calibration pairs (n = 10)"
    assert told.stable is None
    assert told.bits is None


@pytest.fixture(scope="module")
def saved(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of an imputing classifier, whose own form is put beside its law."""
    chosen = options("imputation")()
    standards = {name: Standard(torch.zeros(2), torch.ones(2)) for name in shelf.names}
    torch.manual_seed(0)
    model = build(chosen, shelf.modalities, classes=2, standards=standards).eval()
    cases = sorted(shelf.label)[:60]
    known = calibrate(
        model, shelf, cases, mirror=(), classes=CLASSES, positive="AD", threshold=0.5, coverage=0.8
    )
    reader = Reader.of(
        model, known, mirror=(), classes=CLASSES, positive="AD", device="cpu", seed=4
    )
    found = foresights(reader, shelf, known.views)
    surprises = reader.surprises((shelf.set(case, BOTH) for case in cases), "pet")
    folder = tmp_path_factory.mktemp("package")
    package.save(
        folder,
        model=model,
        options=chosen,
        chains=dict.fromkeys(shelf.names, CHAIN),
        classes=CLASSES,
        positive="AD",
        calibrated=known,
        statistics={},
        origin=Origin(
            study={}, reading={"kind": "table"}, seed=4, fold="holdout", train="complete",
            subjects={},
        ),
        foresights={**found, "pet": replace(found["pet"], surprises=surprises)},
    )  # fmt: skip
    return folder


def asked(loaded: Package, shelf: Shelf, *patterns: Pattern) -> Any:
    case = Case("c70", "c70", None, None, 0, None, {}, {})
    cases = {"c70": case}
    views = [View(case="c70", protocol="p", rate=None, pattern=one) for one in patterns]
    return score(loaded, shelf, cases, views, split="test").outlooks


def test_a_package_says_what_a_lacking_scan_might_change(saved: Path, shelf: Shelf) -> None:
    loaded = package.load(saved)
    (row,) = asked(loaded, shelf, MRI)
    assert (row["lacking"], row["pattern"]) == ("pet", "mri")
    assert row["would_low"] <= row["would_high"]
    assert row["would_bits"] >= 0
    assert row["would_change"] == ("no" if row["would_stay"] >= 0.95 else "yes")
    assert row["then_AD"] is None
    with_truth = asked(loaded, shelf, MRI, BOTH)
    assert {**with_truth[0], "then_AD": None, "then_CN": None, "decides_then": None} == row
    assert 0 < with_truth[0]["then_AD"] < 1


def test_a_card_says_how_often_intervals_held(saved: Path) -> None:
    text = (saved / "MODEL_CARD.md").read_text()
    assert "- without pet: says what pet might change; of 60 calibration cases, each left" in text
    assert "in their 90% interval" in text


def test_a_package_that_knows_nothing_of_it_says_nothing(saved: Path, shelf: Shelf) -> None:
    loaded = replace(package.load(saved), foresights={})
    assert asked(loaded, shelf, MRI) == []
    assert loaded.outlook(shelf.set("c70", MRI), loaded.predict([shelf.set("c70", MRI)])[0]) is None


def test_a_case_that_lacks_nothing_is_told_nothing(saved: Path, shelf: Shelf) -> None:
    assert asked(package.load(saved), shelf, BOTH) == []


def test_a_case_that_lacks_two_modalities_cannot_be_told(saved: Path, shelf: Shelf) -> None:
    loaded = package.load(saved)
    third = loaded.manifest.modalities[0].model_copy(update={"name": "other"})
    wider = loaded.manifest.model_copy(update={"modalities": (*loaded.manifest.modalities, third)})
    case = ModalitySet("c1", "c1", {"mri": (torch.zeros(2),)}, label=0)
    told = replace(loaded, manifest=wider).outlook(case, loaded.predict([case])[0])
    assert told is not None
    assert told.modality == "other+pet"
    assert told.reason == "cannot tell: 2 modalities are lacking"


def test_what_a_package_says_lies_in_plain_values_and_tensors(saved: Path) -> None:
    known = json.loads((saved / "model.json").read_text())["counterfactual"]
    assert set(known) == {"mri", "pet"}
    assert known["pet"]["law"]["n"] == 60
    assert sorted(path.name for path in saved.iterdir()) == [
        "MODEL_CARD.md", "model.json", "weights.safetensors",
    ]  # fmt: skip
