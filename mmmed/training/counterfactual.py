"""Would another scan change the call? What a package knows of each modality that a case may lack.

pair        a calibration case that owns every modality, seen with and without this one
law         of what predictions become, fitted on pairs (`evaluation.foreseen`); any method has it
own         the method's own form, where it foresees embeddings: what it foresees of this case and,
            one by one, the surprises that the pairs had; their spread is thus measured on cases
            that nothing was fitted on
foresight   the form that gave left-out pairs the higher log density, and how often its intervals
            held them; the expected information is the law's in either form, as only pairs with
            their classes tell what a prediction that moves is worth

It speaks of cases that lack one modality of all, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.evaluation.calibration import Calibration
from mmmed.evaluation.foreseen import Floats, Integers, Law, fit_law, why_not
from mmmed.evaluation.outlook import LEVEL, Outlook, Thens, outlook
from mmmed.evaluation.threshold import Rule
from mmmed.modality import Pattern
from mmmed.models.contract import Model
from mmmed.training.calibrate import Calibrated, ForcedViews
from mmmed.training.logits import both_ways, in_batches
from mmmed.training.randomness import key
from mmmed.training.shelf import Shelf

MOST_SURPRISES = 200
"""Pairs whose surprises a package keeps."""

GROUPS = 100
"""Pairs are left out one by one up to this many, in groups beyond."""

STREAM = "counterfactual"
BATCH = 16
"""Cases per forward pass."""


@dataclass(frozen=True, eq=False)
class Foresight:
    """What is known of one modality that a case may lack.

    Attributes:
        modality: its name.
        reason: why nothing can be said; None where the law is known.
        law: of what predictions become.
        surprises: (S, E) of pairs, where the method's own form is the better one.
        scores: form -> mean log density of left-out pairs.
        held: share of left-out pairs inside their interval.
    """

    modality: str
    reason: str | None = None
    law: Law | None = None
    surprises: Floats | None = None
    scores: Mapping[str, float] | None = None
    held: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain values, without the surprises, which lie beside the weights."""
        return {
            "reason": self.reason,
            "law": self.law.to_json() if self.law else None,
            "scores": dict(self.scores) if self.scores else None,
            "held": self.held,
            "level": LEVEL,
        }

    @classmethod
    def from_json(
        cls, modality: str, value: Mapping[str, Any], surprises: Floats | None
    ) -> Foresight:
        """Back from `to_json`."""
        return cls(
            modality=modality,
            reason=value["reason"],
            law=Law.from_json(value["law"]) if value["law"] else None,
            surprises=surprises,
            scores=value["scores"],
            held=value["held"],
        )


@dataclass(frozen=True)
class Reader:
    """What turns modality sets into probabilities and decisions.

    Attributes:
        model: in evaluation mode.
        calibration: logits to probabilities.
        mirror: modalities whose mirrored items are averaged in.
        device: where the model computes.
        positive: index of the class decisions are about; None where there is none.
        decide: probabilities to decisions.
        seed: of draws.
    """

    model: Model
    calibration: Calibration
    mirror: frozenset[str]
    device: torch.device | str
    positive: int | None
    decide: Rule
    seed: int

    @classmethod
    def of(
        cls,
        model: Model,
        calibrated: Calibrated,
        *,
        mirror: Iterable[str],
        classes: Sequence[str],
        positive: str | None,
        device: torch.device | str,
        seed: int,
    ) -> Reader:
        """Of a model that has just been calibrated."""
        threshold = calibrated.threshold
        return cls(
            model=model.eval(),
            calibration=calibrated.calibration,
            mirror=frozenset(mirror),
            device=device,
            positive=None if positive is None else list(classes).index(positive),
            decide=Rule.of(threshold.value if threshold else None, positive, classes),
            seed=seed,
        )

    @property
    def everything(self) -> Pattern:
        """All modalities of the model."""
        return Pattern.of(one.name for one in self.model.modalities)

    def tell(self, foresight: Foresight, one: ModalitySet, now: Floats) -> Outlook:
        """What is said of a case that lacks this modality and is predicted `now`, (K,)."""
        law, modality = foresight.law, foresight.modality
        if law is None:
            return Outlook(modality, reason=f"cannot tell: {foresight.reason}")
        noise = law.noise(self.generator(modality, one.case))
        if foresight.surprises is None:
            thens = Thens.of_law(law, now, noise)
        else:
            thens = Thens.alike(self.plausible([one], modality, foresight.surprises)[:, 0])
        return outlook(
            modality,
            thens,
            now,
            bits=law.bits(now, noise),
            positive=self.positive,
            decide=self.decide,
        )

    def generator(self, modality: str, case: str) -> np.random.Generator:
        """Of what is drawn for a case, whichever cases stand beside it."""
        return np.random.default_rng(key(self.seed, STREAM, modality, case))

    @torch.inference_mode()
    def surprises(self, sets: Iterable[ModalitySet], modality: str) -> Floats | None:
        """(n, E) of cases that show everything; None where the method foresees nothing."""
        rows = []
        for chosen in in_batches(sets, BATCH):
            found = [self.model.surprise(way, modality) for way in self._ways(chosen)]
            told = [one for one in found if one is not None]
            if not told:
                return None
            rows.append(torch.stack(told).mean(dim=0).double().cpu().numpy())
        return np.concatenate(rows)

    @torch.inference_mode()
    def plausible(self, sets: Sequence[ModalitySet], modality: str, surprises: Floats) -> Floats:
        """(S, n, K) probabilities of cases that lack this modality alone, one per surprise."""
        drawn = torch.from_numpy(surprises).float().to(self.device)
        each = [self.model.plausible(way, modality, drawn) for way in self._ways(sets)]
        logits = torch.stack(each).mean(dim=0).double().cpu().numpy()
        flat = logits.reshape(-1, logits.shape[-1])
        found = self.calibration.probabilities(flat, [str(self.everything)] * len(flat))
        return found.reshape(logits.shape)

    def _ways(self, sets: Sequence[ModalitySet]) -> list[Any]:
        """The batch as it is and, where its cases show a modality of `mirror`, mirrored."""
        names = [one.name for one in self.model.modalities]
        ways = zip(*(both_ways(one, self.mirror) for one in sets), strict=True)
        return [pack(way, modalities=names).to(self.device) for way in ways]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Calibration cases that own everything.

    Attributes:
        case: (n,) ids.
        label: (n,).
        now: (n, K) probabilities without one modality.
        then: (n, K) with it.
    """

    case: tuple[str, ...]
    label: Integers
    now: Floats
    then: Floats

    def without(self, rows: Integers) -> tuple[Floats, Floats, Integers]:
        """Now, then and label of the others."""
        kept = np.setdiff1d(np.arange(len(self.case)), rows)
        return self.now[kept], self.then[kept], self.label[kept]


def foresights(reader: Reader, shelf: Shelf, views: ForcedViews) -> dict[str, Foresight]:
    """Modality -> what the calibration part tells of it; empty where there is only one."""
    if len(reader.everything) == 1:
        return {}
    whole = views.under(reader.everything)
    found = {}
    for modality in reader.everything:
        rest = views.under(reader.everything - Pattern.of([modality]))
        rows, fewer = list(whole.values()), [rest[case] for case in whole]
        pairs = Pairs(
            case=tuple(whole),
            label=views.label[rows],
            now=views.probabilities[fewer],
            then=views.probabilities[rows],
        )
        found[modality] = foresee(reader, shelf, pairs, modality)
    return found


def foresee(reader: Reader, shelf: Shelf, pairs: Pairs, modality: str) -> Foresight:
    """What the calibration part tells of one modality."""
    reason = why_not(pairs.label, pairs.now.shape[1])
    if reason is not None:
        return Foresight(modality, reason=reason)
    forms = {"law": _left_out(reader, pairs, modality)}
    surprises = reader.surprises(
        (shelf.set(case, reader.everything) for case in pairs.case[:MOST_SURPRISES]), modality
    )
    if surprises is not None:
        forms["own"] = _own_left_out(reader, shelf, pairs, modality, surprises)
    scores = {name: float(np.mean([score for score, _ in each])) for name, each in forms.items()}
    best = max(scores, key=lambda name: scores[name])
    return Foresight(
        modality,
        law=fit_law(pairs.now, pairs.then, pairs.label),
        surprises=surprises if best == "own" else None,
        scores=scores,
        held=float(np.mean([inside for _, inside in forms[best]])),
    )


def _left_out(reader: Reader, pairs: Pairs, modality: str) -> list[tuple[float, bool]]:
    """Log density of each pair, and whether its interval holds it, by the law of the others."""
    groups = np.arange(len(pairs.case)) % min(len(pairs.case), GROUPS)
    found = []
    for group in range(int(groups.max()) + 1):
        rows = np.flatnonzero(groups == group)
        others = pairs.without(rows)
        law = fit_law(*others)
        for row in map(int, rows):
            noise = law.noise(reader.generator(modality, pairs.case[row]))
            thens = Thens.of_law(law, pairs.now[row], noise)
            score = law.log_density(pairs.now[row], pairs.then[row])
            found.append((score, _holds(reader, thens, pairs, row)))
    return found


def _own_left_out(
    reader: Reader, shelf: Shelf, pairs: Pairs, modality: str, surprises: Floats
) -> list[tuple[float, bool]]:
    """The same by the method's own form: what it foresees and the surprises of the others."""
    rest = reader.everything - Pattern.of([modality])
    sets = (shelf.set(case, rest) for case in pairs.case[: len(surprises)])
    found = []
    row = 0
    for chosen in in_batches(sets, BATCH):
        drawn = reader.plausible(chosen, modality, surprises)  # (S, b, K)
        for place in range(len(chosen)):
            thens = Thens.alike(np.delete(drawn[:, place], row, axis=0))
            found.append((thens.log_density(pairs.then[row]), _holds(reader, thens, pairs, row)))
            row += 1
    return found


def _holds(reader: Reader, thens: Thens, pairs: Pairs, row: int) -> bool:
    of = reader.positive
    if of is None:
        of = int(reader.decide(pairs.now[row : row + 1])[0])
    low, high = thens.interval(of)
    return bool(low <= pairs.then[row, of] <= high)
