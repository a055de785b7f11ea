"""Rows of `metrics.json` as tables that read well in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmmed.evaluation.images import RATES
from mmmed.modality import natural_sorted

Row = Mapping[str, Any]

MOST_PATTERNS = 8
"""Patterns that are told one by one; of more, only the means by size are."""


def robustness_table(rows: Sequence[Row], *, metric: str = "auroc") -> str:
    """Method x share hidden, the observed tables; one block per test protocol.

    A cell is the value, its interval and, on simulated data, the share of the oracle above chance.
    """
    chosen = [row for row in rows if row["table"] == "observed" and row["metric"] == metric]
    blocks = []
    for protocol in sorted({row["protocol"] for row in chosen}):
        part = [row for row in chosen if row["protocol"] == protocol]
        rates = sorted({row["rate"] for row in part}, key=lambda rate: -1 if rate is None else rate)
        cells = {(row["method"], row["rate"]): cell(row) for row in part}
        heads = ["method", *("all" if rate is None else f"{rate:.0%} hidden" for rate in rates)]
        lines = [
            [method, *(cells.get((method, rate), "") for rate in rates)]
            for method in dict.fromkeys(row["method"] for row in part)
        ]
        lines += _best(part, "rate", rates)
        blocks.append(f"{caption(part, metric)} ({protocol})\n\n{markdown(heads, lines)}")
    return "\n\n".join(blocks)


def pattern_table(
    rows: Sequence[Row], *, metric: str = "auroc", attainable: Mapping[str, float] | None = None
) -> str:
    """Method x pattern, the forced tables; method x size where they are too many to be read.

    Args:
        rows: of `metrics.json`.
        metric: the one shown.
        attainable: pattern -> AUROC that a ridge read-out of the images attains, on simulated
            data; a line of its own beside the ceiling.
    """
    part = readable([row for row in rows if row["metric"] == metric])
    if not part:
        return ""
    names = natural_sorted({row["pattern"] for row in part})
    patterns = sorted(names, key=lambda name: name.count("+"))
    cells = {(row["method"], row["pattern"]): cell(row) for row in part}
    counts = {row["pattern"]: row["n"] for row in part}
    heads = ["method", *(f"{name} (n = {counts[name]})" for name in patterns)]
    lines = [
        [method, *(cells.get((method, name), "") for name in patterns)]
        for method in dict.fromkeys(row["method"] for row in part)
    ]
    lines += _best(part, "pattern", patterns)
    if attainable:
        lines.append(["ridge read-out", *(number(attainable.get(name)) for name in patterns)])
    return f"{caption(part, metric)}\n\n{markdown(heads, lines)}"


def rate_table(rows: Sequence[Row]) -> str:
    """Method and magnification x recognition rate, of images that were also scored one by one.

    Args:
        rows: `images` of `metrics.json`.
    """
    if not rows:
        return ""
    lines = [
        [line["method"], line["modality"], *map(rate_cell, line["rates"].values()), counted(line)]
        for line in rate_lines(rows)
    ]
    heads = ["method", "images", *RATES, "n"]
    about = "Recognition rates [interval], threshold as stated; images one by one, and as a set"
    return f"{about}\n\n{markdown(heads, lines)}"


def rate_lines(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One line per method and modality, its rates side by side; None where one is not there."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        line = lines.setdefault(
            (row["method"], row["modality"]),
            {
                "method": row["method"],
                "modality": row["modality"],
                "rates": dict.fromkeys(RATES),
            },
        )
        line["rates"][row["rate"]] = row
    return list(lines.values())


def rate_cell(row: Row | None) -> str:
    """`.931 [.890, .960]`, or `n/a`."""
    if row is None:
        return number(None)
    interval = "" if row["low"] is None else f" [{number(row['low'])}, {number(row['high'])}]"
    return f"{number(row['value'])}{interval}"


def counted(line: Mapping[str, Any]) -> str:
    """`120 images of 16 patients`."""
    images = line["rates"][RATES[0]]
    return f"{images['n']} images of {images['n_subjects']} patients" if images else number(None)


def readable(rows: Sequence[Row]) -> list[Row]:
    """The rows of the forced tables, or of the sizes where the patterns are too many."""
    kinds = {kind: [row for row in rows if row["table"] == kind] for kind in ("forced", "sizes")}
    many = len({row["pattern"] for row in kinds["forced"]}) > MOST_PATTERNS
    return kinds["sizes" if many else "forced"]


def cell(row: Row) -> str:
    """`.931 [.890, .960] 93 %`, or why there is no number."""
    if row["value"] is None:
        return f"none: {row['reason']}"
    text = number(row["value"])
    if row["low"] is not None:
        text += f" [{number(row['low'])}, {number(row['high'])}]"
    if row["fraction"] is not None:
        text += f" {row['fraction']:.0%}"
    return f"{text} ({row['remark']})" if row["remark"] else text


def number(value: float | None) -> str:
    """Three decimals, without the leading zero: `.931`."""
    if value is None:
        return "n/a"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def caption(rows: Sequence[Row], metric: str) -> str:
    """What a table of these rows shows, in one line."""
    name = NAMES.get(metric, metric)
    positive = rows[0]["positive"]
    about = (
        f" of {positive}" if positive and metric not in ("accuracy", "balanced_accuracy") else ""
    )
    kind = {
        "forced": "forced: each case that owns the pattern, the rest hidden",
        "sizes": "forced, any k modalities: mean over all patterns of k",
        "observed": "observed: each case under what it has",
    }[rows[0]["table"]]
    share = ", share of the oracle above chance" if any(row["fraction"] for row in rows) else ""
    return f"{name}{about} [interval]{share}; {kind}"


def markdown(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns line up in a terminal."""
    table = [list(heads), *(list(line) for line in lines)]
    widths = [max(len(line[i]) for line in table) for i in range(len(heads))]
    written = ["| " + " | ".join(_padded(line, widths)) + " |" for line in table]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([written[0], rule, *written[1:]])


NAMES = {
    "auroc": "AUROC",
    "ap": "Average precision",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
}


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [text.ljust(width) for text, width in zip(line, widths, strict=True)]


def _best(rows: Sequence[Row], column: str, places: Sequence[Any]) -> list[list[str]]:
    """Lines of what is known to be attainable, by the places of a column; none where unknown."""
    lines = []
    for title, name in (("oracle, same cases", "oracle"), ("ceiling", "ceiling")):
        known = {row[column]: row[name] for row in rows if row[name] is not None}
        if known:
            lines.append([title, *(number(known.get(place)) for place in places)])
    return lines
