"""What a lost scan costs: per tenth of a clinic, per scan, and to the people who lose it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmmed.audit.finding.phrase import bounds, counted, gap, listed, signed
from mmmed.audit.finding.place import FORCED, Place
from mmmed.audit.folder import Row
from mmmed.audit.statistics import Statistics
from mmmed.audit.words import Absence
from mmmed.evaluation.text import number

TENTH = 0.1


def lost(hidden: Sequence[Absence]) -> str:
    """What a protocol hides, by name: `pet`."""
    return listed(_modalities(hidden)) or "scan"


def costs(
    statistics: Statistics, place: Place, method: str, *, hidden: Sequence[Absence]
) -> Iterator[str]:
    """The sentences about one method; none where nothing was hidden.

    Args:
        statistics: of the run.
        place: where the method stands.
        method: its name.
        hidden: what the protocol of the place hides in the test part, at each rate.
    """
    whole = None
    for curve in statistics.curves:
        if place.holds(curve) and curve["method"] == method and curve["slope"] is not None:
            rates = [float(one) for one in str(curve["rates"]).split()]
            whole = _end_to_end(statistics, place, method, rates[-1])
            verdict = "" if whole is None else f"; from end to end {_judged(whole, statistics)}"
            yield f"{_per_tenth(curve, statistics, place, hidden)}{verdict}."
    people = _to_people(statistics, place, method, hidden)
    if people is not None and (whole is None or people["value"] != whole["value"]):
        yield (
            f"Where all lose {lost(hidden)} ({people['pattern']} against "
            f"{people['other_pattern']}, the same {people['n']} cases): "
            f"{_judged(people, statistics)}."
        )


def worth(statistics: Statistics, place: Place, *, hidden: Sequence[Absence]) -> str | None:
    """Whether having what was hidden is worth anything, over every reader that does without.

    None where no method was scored both with and without it.
    """
    names = _modalities(hidden)
    rows = [
        row
        for row in statistics.comparisons
        if row["kind"] == "gain"
        and place.same_models(row)
        and set(row["pattern"].split("+")) - set(row["other_pattern"].split("+")) == set(names)
    ]
    if not rows:
        return None
    won = [row["method"] for row in rows if row["word"] == "better"]
    here = [row["method"] for row in rows if row["word"] == "better here"]
    over = f"over every reader of {rows[0]['other_pattern']} alone in this study"
    best = "" if rows[0]["oracle"] is None else f"; the best possible: {signed(rows[0]['oracle'])}"
    if won:
        return f"{_won(won, rows, over)}{best}."
    if here:
        return (
            f"Inconclusive: as trained here there is a gain {over} ({listed(here)}), but other "
            f"trainings could turn it{best}."
        )
    counts = counted(row["word"] for row in rows)
    return f"Not shown: no method gains from it {over} ({counts}){best}."


def _won(won: Sequence[str], rows: Sequence[Row], over: str) -> str:
    """A gain that is shown, unless the truth is known to hold less: then the readers are poor."""
    claimed = [row for row in rows if row["method"] in won]
    truth = rows[0]["oracle"]
    if truth is not None and all(row["low"] is not None and row["low"] > truth for row in claimed):
        return (
            f"Not by itself: {listed(won)} gain {over}, but more than it can tell, so these "
            "readers make too little of what they see"
        )
    return f"It is: shown to gain {over} ({listed(won)})"


def _per_tenth(curve: Row, statistics: Statistics, place: Place, hidden: Sequence[Absence]) -> str:
    """Per tenth hidden, and per scan."""
    first, *_, last = (float(one) for one in str(curve["rates"]).split())
    interval = bounds(curve["slope_low"], curve["slope_high"], factor=TENTH)
    said = (
        f"With {curve['method']}, each further 10 % of {lost(hidden)} lost changes "
        f"{statistics.title} by {signed(curve['slope'] * TENTH)}{interval}"
    )
    owners = {one.hiding.eligible for one in hidden}
    if len(owners) == 1 and len(_modalities(hidden)) == 1:
        owning = owners.pop()
        said += f" ({curve['slope'] / owning:+.2g} per lost scan, of {owning} in a test part)"
    return f"{said}, between {first:.0%} and {last:.0%} hidden (protocol {place.protocol})"


def _end_to_end(statistics: Statistics, place: Place, method: str, rate: float) -> Row | None:
    """A method at the highest rate of a protocol against itself at the lowest."""
    for row in statistics.comparisons:
        if (row["kind"], row["method"], row["rate"]) == ("cost", method, rate) and place.holds(row):
            return row
    return None


def _to_people(
    statistics: Statistics, place: Place, method: str, hidden: Sequence[Absence]
) -> Row | None:
    """The people shown without the scan against the same people shown with it."""
    names = set(_modalities(hidden))
    for row in statistics.comparisons:
        if (
            (row["kind"], row["method"], row["protocol"]) == ("cost", method, FORCED)
            and place.same_models(row)
            and set(row["other_pattern"].split("+")) - set(row["pattern"].split("+")) == names
        ):
            return row
    return None


def _judged(row: Row, statistics: Statistics) -> str:
    return f"{gap(row)}: {_verdict(row, statistics)}"


def _verdict(row: Row, statistics: Statistics) -> str:
    """What may be said of a cost."""
    word, margin = str(row["word"]), number(statistics.plan.get("margin"))
    said = {
        "worse": "a loss that is shown",
        "worse here": "a loss of these trained models; other trainings could turn it",
        "no worse": f"shown to cost less than {margin}",
        "better": "no loss but a gain",
        "better here": "a gain of these trained models; other trainings could turn it",
        "inconclusive": "whether it costs anything is inconclusive",
    }.get(word, word)
    if word == "worse here" and row["training"] is None:
        said = "a loss of these trained models, each trained once"
    if word == "inconclusive" and row["seen_in_family"] is not None:
        said += f" (a loss below {number(row['seen_in_family'])} was hardly to be seen)"
    best = "" if row["oracle"] is None else f"; the best possible reader: {signed(row['oracle'])}"
    return said + best


def _modalities(hidden: Sequence[Absence]) -> list[str]:
    return list(dict.fromkeys(one.hiding.modality for one in hidden))
