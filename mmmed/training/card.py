"""`MODEL_CARD.md`: what a package is, for the people who decide whether to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmmed.evaluation.conformal import Conformal
from mmmed.models import METHODS
from mmmed.training.manifest import Manifest

WARNING = "Research software. It is not a medical device, and nothing it says is a diagnosis."


def text(package: Manifest) -> str:
    """The card of a package, as Markdown."""
    names = ", ".join(one.name for one in package.modalities)
    sections = (
        f"# {package.name}: {' or '.join(package.classes)} from {names}",
        WARNING,
        _made(package),
        _seen(package),
        _said(package),
        _performance(package),
    )
    return "\n\n".join(sections) + "\n"


def _made(package: Manifest) -> str:
    paper = next((one.paper for one in METHODS if one.kind == package.kind), "unpublished")
    lines = [
        "## How it was made",
        f"- method: {package.name}, of kind {package.kind} ({paper})",
        f"- study: {package.study.get('study', 'none')}, fold {package.fold}, seed {package.seed}",
        f"- hidden while it was made: {package.train}",
        *_trained(package.study.get("training", {})),
        *_tuned(package.tuning),
        *(
            f"- {part}: {len(known)} subjects"
            for part, known in sorted(package.subjects.parts.items())
        ),
        f"- program: {', '.join(f'{name} {one}' for name, one in package.versions.items())}",
        f"- weights: SHA-256 {package.weights}",
        "",
        "A subject of these parts is refused at prediction.",
    ]
    return "\n".join(lines)


def _trained(settings: Mapping[str, Any]) -> list[str]:
    """Precision and devices, which act on the weights; none where no study is known."""
    if not settings:
        return []
    return [
        f"- precision: {settings['precision']}",
        f"- machines: {settings['nodes']}, devices per machine: {settings['devices']}",
        f"- cases per step, split over all devices: {settings['batch']}",
    ]


def _tuned(tuning: Mapping[str, Any] | None) -> list[str]:
    """Which of how many trials it is; none where nothing was chosen."""
    if tuning is None:
        return []
    told = ", ".join(f"{key} {value}" for key, value in tuning["settings"].items())
    best = f"best {tuning['by']} of the validation part among {tuning['trials']}"
    return [
        f"- settings: trial {tuning['chosen']}, the {best} ({told or 'the settings as they stand'})"
    ]


def _seen(package: Manifest) -> str:
    lines = ["## What it reads", "Any non-empty subset of:"]
    for one in package.modalities:
        chain = package.preparation[one.name].chain
        steps = ", ".join(step.kind for step in chain.prepare) or "as it is"
        mirror = "; logits are averaged with the mirrored item's" if chain.mirror else ""
        lines.append(
            f"- {one.name}: {one.kind} {'x'.join(map(str, one.shape))}, prepared: {steps}{mirror}"
        )
    return "\n".join(lines)


def _said(package: Manifest) -> str:
    conformal = Conformal.from_json(package.conformal)
    reason = package.calibration.get("reason")
    lines = ["## What its numbers mean"]
    lines.append(f"- probabilities: {reason or 'calibrated on the calibration part'}")
    if package.threshold is not None:
        lines.append(
            f"- decision: {package.positive} from a probability of {package.threshold['value']:.4g}"
        )
    lines += [f"- {conformal.describe(pattern)}" for pattern in conformal.cells]
    lines += [_lacking(name, one) for name, one in (package.counterfactual or {}).items()]
    return "\n".join(lines)


def _lacking(modality: str, known: Mapping[str, Any]) -> str:
    """What it says of cases that lack one modality, and how far that held."""
    head = f"- without {modality}: "
    if known["law"] is None:
        return f"{head}cannot tell what it would change: {known['reason']}"
    return (
        f"{head}says what {modality} might change; of {known['law']['n']} calibration cases, each "
        f"left out in turn, {known['held']:.0%} lay in their {known['level']:.0%} interval"
    )


def _performance(package: Manifest) -> str:
    if not package.performance:
        return "## Performance\nNot stated: the run that made it has not scored it."
    lines = [
        "## Performance",
        "On the test part of its run.",
        "",
        "| pattern | metric | value | low | high | n |",
        "|---|---|---|---|---|---|",
    ]
    for row in package.performance:
        cells = [_cell(row.get(key)) for key in ("pattern", "metric", "value", "low", "high", "n")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "n/a" if value is None else str(value).replace("|", "\\|")
