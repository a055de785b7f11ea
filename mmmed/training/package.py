"""A model package: a folder that predicts on its own. No pickle, no trainer, no study.

weights.safetensors   every tensor (`weights`)
model.json            everything else (`manifest`), written last
MODEL_CARD.md         the same for people
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from mmmed.batch import ModalitySet
from mmmed.errors import RunError
from mmmed.evaluation.calibration import Calibration
from mmmed.evaluation.conformal import Conformal
from mmmed.evaluation.outlook import Outlook
from mmmed.evaluation.threshold import Rule
from mmmed.modality import Pattern
from mmmed.models import building
from mmmed.models.contract import Model
from mmmed.models.options import MethodOptions
from mmmed.record import atomic
from mmmed.record.table import Cell
from mmmed.training import card, manifest, weights
from mmmed.training.calibrate import Calibrated
from mmmed.training.counterfactual import Foresight, Reader
from mmmed.training.logits import batch_logits, in_batches
from mmmed.training.manifest import FORMAT, Manifest, Preparation, Shape, Subjects
from mmmed.training.origin import Origin
from mmmed.training.statistics import Statistics
from mmmed.transforms.chain import Chain

CARD = "MODEL_CARD.md"


@dataclass(frozen=True)
class Prediction:
    """What a package says of one view.

    Attributes:
        logits: (K,) before calibration.
        probabilities: (K,) calibrated.
        decision: a class.
        set: classes that cannot be ruled out, `CN|AD`, or why there is no set.
    """

    logits: tuple[float, ...]
    probabilities: tuple[float, ...]
    decision: str
    set: str

    def cells(self, classes: Sequence[str]) -> dict[str, Cell]:
        """As cells of a predictions table."""
        return {
            **{f"logit_{name}": one for name, one in zip(classes, self.logits, strict=True)},
            **{f"p_{name}": one for name, one in zip(classes, self.probabilities, strict=True)},
            "decision": self.decision,
            "set": self.set,
        }


@dataclass(frozen=True)
class Package:
    """A loaded model package.

    Attributes:
        manifest: what it says of itself.
        model: in evaluation mode.
        calibration: logits to probabilities.
        conformal: probabilities to sets.
        statistics: modality -> (mean (E,), precision (E, E)).
        device: where the model computes.
    """

    manifest: Manifest
    model: Model
    calibration: Calibration
    conformal: Conformal
    statistics: Mapping[str, tuple[np.ndarray, np.ndarray]]
    foresights: Mapping[str, Foresight]
    device: torch.device

    @property
    def reader(self) -> Reader:
        """Modality sets to probabilities and decisions."""
        known = self.manifest
        value = None if known.threshold is None else float(known.threshold["value"])
        return Reader(
            model=self.model,
            calibration=self.calibration,
            mirror=known.mirror,
            device=self.device,
            positive=None if known.positive is None else known.classes.index(known.positive),
            decide=Rule.of(value, known.positive, known.classes),
            seed=known.seed,
        )

    def outlook(self, shown: ModalitySet, found: Prediction) -> Outlook | None:
        """What a modality that a case lacks might make of its prediction.

        None where it lacks none, or the package says nothing of that.
        """
        lacking = [one.name for one in self.manifest.modalities if not shown.items.get(one.name)]
        if not lacking or not self.foresights:
            return None
        if len(lacking) > 1:
            reason = f"cannot tell: {len(lacking)} modalities are lacking"
            return Outlook(str(Pattern.of(lacking)), reason=reason)
        now = np.array(found.probabilities)
        return self.reader.tell(self.foresights[lacking[0]], shown, now)

    def predict(self, sets: Iterable[ModalitySet], batch: int = 1) -> list[Prediction]:
        """Predict cases under what they show, in their order.

        With `batch` 1, the default, no result depends on the other cases.

        Raises:
            PresenceError: a case shows nothing, or a modality the package does not know.
        """
        mirror = self.manifest.mirror
        predictions = []
        for shown in in_batches(sets, batch):
            scores = batch_logits(self.model, shown, mirror=mirror, device=self.device)
            patterns = [
                str(Pattern.of(name for name, mine in one.items.items() if mine)) for one in shown
            ]
            predictions += [
                self._prediction(scores[row : row + 1], pattern)
                for row, pattern in enumerate(patterns)
            ]
        return predictions

    def _prediction(self, scores: np.ndarray, pattern: str) -> Prediction:
        """From logits (1, K): one row at a time, so that no sum is taken over neighbours."""
        probabilities = self.calibration.probabilities(scores, [pattern])
        decided = self.reader.decide(probabilities)
        return Prediction(
            logits=tuple(map(float, scores[0])),
            probabilities=tuple(map(float, probabilities[0])),
            decision=self.manifest.classes[int(decided[0])],
            set=self.conformal.predict_set(probabilities[0], pattern),
        )


def save(
    folder: Path,
    *,
    model: Model,
    options: MethodOptions,
    chains: Mapping[str, Chain],
    classes: Sequence[str],
    positive: str | None,
    calibrated: Calibrated,
    statistics: Mapping[str, Statistics],
    origin: Origin,
    foresights: Mapping[str, Foresight] = MappingProxyType({}),
) -> Manifest:
    """Write a package; `model.json` comes last, so that a folder without it is not one.

    Args:
        folder: made where it is missing.
        model: trained.
        options: the method's.
        chains: modality -> its chain.
        classes: names, in the order of the logits.
        positive: the class the threshold is about.
        calibrated: what the calibration part settled.
        statistics: of the training part.
        origin: where the package comes from.
        foresights: modality -> what is known of it where a case lacks it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / manifest.NAME).unlink(missing_ok=True)
    digest = weights.write(folder / weights.NAME, model, statistics, foresights)
    threshold = calibrated.threshold
    written = Manifest(
        format=FORMAT,
        method=building.without_weights(options).model_dump(mode="json"),
        modalities=tuple(Shape(name=m.name, kind=m.kind, shape=m.shape) for m in model.modalities),
        classes=tuple(classes),
        positive=positive,
        seed=origin.seed,
        fold=origin.fold,
        train=origin.train,
        study=dict(origin.study),
        reading=dict(origin.reading),
        preparation={
            name: Preparation(chain=chain, digest=chain.digest) for name, chain in chains.items()
        },
        dicom=None if origin.dicom is None else dict(origin.dicom),
        calibration=calibrated.calibration.to_json(),
        conformal=calibrated.conformal.to_json(),
        threshold=None if threshold is None else asdict(threshold),
        threads=torch.get_num_threads(),
        performance=(),
        statistics={name: _described(one) for name, one in statistics.items()},
        subjects=Subjects.of(origin.subjects, salt=digest[:16]),
        tuning=None if origin.tuning is None else dict(origin.tuning),
        versions=manifest.versions(),
        weights=digest,
        counterfactual={name: one.to_json() for name, one in foresights.items()} or None,
    )
    _write(folder, written)
    return written


def state_performance(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the results of the run to a package and to its card.

    Args:
        folder: of the package.
        rows: plain values: `pattern`, `metric`, `value`, `low`, `high`, `n`, ...
    """
    known = manifest.read(folder)
    _write(folder, known.model_copy(update={"performance": tuple(dict(row) for row in rows)}))


def load(folder: Path, device: torch.device | str = "cpu") -> Package:
    """The package in a folder, ready to predict.

    Raises:
        RunError: a file is missing or not as it was written, or a newer program wrote it.
    """
    known = manifest.read(folder)
    tensors = weights.read(folder / weights.NAME, known)
    options = building.options(known.kind)(**known.method)
    model = building.build(
        options,
        tuple(one.modality for one in known.modalities),
        classes=len(known.classes),
        standards={},
    )
    if not weights.fill(model, weights.below("model.", tensors)):
        raise RunError(
            f"{folder}: its weights do not fit {known.kind} as this mmmed builds it "
            f"(trained with mmmed {known.versions.get('mmmed')}); install that version"
        )
    means, precisions = weights.below("mean.", tensors), weights.below("precision.", tensors)
    surprises = {name: one.numpy() for name, one in weights.below("surprise.", tensors).items()}
    return Package(
        manifest=known,
        model=model.to(device).eval(),
        calibration=Calibration.from_json(known.calibration),
        conformal=Conformal.from_json(known.conformal),
        statistics={name: (means[name].numpy(), precisions[name].numpy()) for name in means},
        foresights={
            name: Foresight.from_json(name, one, surprises.get(name))
            for name, one in (known.counterfactual or {}).items()
        },
        device=torch.device(device),
    )


def _write(folder: Path, written: Manifest) -> None:
    atomic.write_text(folder / CARD, card.text(written))
    written.save(folder)


def _described(one: Statistics) -> dict[str, Any]:
    return {
        "items": one.items,
        "distances": {str(level): value for level, value in one.distances.items()},
        "intensities": list(one.intensities),
    }
