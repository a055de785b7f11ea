"""What the calibration part settles: probabilities, conformal sets and the threshold.

Its cases met no gradient and no choice. They are seen under every pattern they own (forced
views), through the same mirroring as at prediction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from mmmed.batch import UNLABELLED
from mmmed.errors import DataError
from mmmed.evaluation.calibration import Calibration, fit_calibration
from mmmed.evaluation.conformal import Conformal, fit_conformal
from mmmed.evaluation.threshold import Threshold, fit_threshold
from mmmed.modality import Pattern, every_pattern
from mmmed.models.contract import Model
from mmmed.training.loader import forced
from mmmed.training.logits import logits
from mmmed.training.shelf import Shelf

BATCH = 16
"""Cases per forward pass; the views come in one order, so the result is the same every time."""


@dataclass(frozen=True, eq=False)
class ForcedViews:
    """The calibration part under every pattern that its cases own, pattern by pattern.

    Attributes:
        case: (n,) ids.
        pattern: (n,) what is shown.
        label: (n,) index of the true class.
        probabilities: (n, K), calibrated on these very views.
    """

    case: tuple[str, ...]
    pattern: tuple[str, ...]
    label: np.ndarray
    probabilities: np.ndarray

    def under(self, pattern: Pattern) -> dict[str, int]:
        """Case -> row of its view under a pattern."""
        return {
            case: row
            for row, (case, mine) in enumerate(zip(self.case, self.pattern, strict=True))
            if mine == str(pattern)
        }


@dataclass(frozen=True)
class Calibrated:
    """What turns logits into a decision.

    Attributes:
        calibration: logits to probabilities.
        conformal: probabilities to sets.
        threshold: probability of the positive class to a decision; None with K > 2 classes or no
            positive class, where the most probable class is decided for.
        views: what it was all settled on.
    """

    calibration: Calibration
    conformal: Conformal
    threshold: Threshold | None
    views: ForcedViews = field(compare=False, repr=False)


def calibrate(
    model: Model,
    shelf: Shelf,
    cases: Iterable[str],
    *,
    mirror: Iterable[str],
    classes: Sequence[str],
    positive: str | None,
    threshold: float | Mapping[str, float],
    coverage: float,
    device: torch.device | str = "cpu",
) -> Calibrated:
    """Calibrate on the labelled cases of the calibration part.

    Args:
        model: trained.
        shelf: prepared items.
        cases: the calibration part.
        mirror: modalities whose mirrored items are averaged in.
        classes: names, in the order of the logits.
        positive: the class the threshold is about.
        threshold: a probability, or `{sensitivity: s}` to be reached by cases under what they own.
        coverage: level of the conformal sets.
        device: where the model computes.

    Raises:
        DataError: no calibration case has a label.
    """
    owned = {case: shelf.owned(case) for case in cases if shelf.label[case] != UNLABELLED}
    if not owned:
        raise DataError("the calibration part holds no labelled case; give it a larger share")
    scores, label, pattern, natural, seen = _forced_views(model, shelf, owned, set(mirror), device)
    calibration = fit_calibration(scores, label, pattern)
    probabilities = calibration.probabilities(scores, pattern)
    chosen = None
    if positive is not None and len(classes) == 2:
        place = list(classes).index(positive)
        chosen = fit_threshold(threshold, probabilities[natural, place], label[natural] == place)
    return Calibrated(
        calibration=calibration,
        conformal=fit_conformal(probabilities, label, pattern, level=coverage, classes=classes),
        threshold=chosen,
        views=ForcedViews(tuple(seen), tuple(pattern), label, probabilities),
    )


def _forced_views(
    model: Model,
    shelf: Shelf,
    owned: Mapping[str, Pattern],
    mirror: set[str],
    device: torch.device | str,
) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray, list[str]]:
    """Logits (n, K), labels, patterns, which views show all that their case owns, and the cases."""
    scores, label, pattern, natural, seen = [], [], [], [], []
    for one in every_pattern(shelf.names):
        views = forced(shelf, owned, one, batch=BATCH)
        if not len(views):
            continue
        scores.append(logits(model, views.sets(), mirror=mirror, batch=BATCH, device=device))
        label += [shelf.label[case] for case in views.shown]
        pattern += [str(one)] * len(views)
        natural += [owned[case] == one for case in views.shown]
        seen += list(views.shown)
    return np.concatenate(scores), np.array(label), pattern, np.array(natural), seen
