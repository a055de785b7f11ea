"""What a lost scan costs: per tenth of a clinic, per scan, and to the people who lose it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmmed.audit.finding.phrase import bounds, gap, listed, signed
from mmmed.audit.finding.place import FORCED, Place
from mmmed.audit.folder import Row
from mmmed.audit.statistics import Statistics
from mmmed.audit.words import Absence
from mmmed.evaluation.text import number

TENTH = 0.1


def costs(
    statistics: Statistics, place: Place, method: str, *, absences: Sequence[Absence]
) -> Iterator[str]:
    """The sentences about one method; none where nothing was hidden.

    Args:
        statistics: of the run.
        place: where the method stands.
        method: its name.
        absences: what each protocol hides in the test part.
    """
    hidden = [one for one in absences if one.protocol == place.protocol and one.hiding.hidden]
    curve = next(
        (one for one in statistics.curves if place.holds(one) and one["method"] == method), None
    )
    if curve is not None and curve["slope"] is not None:
        yield _per_tenth(curve, statistics, place, hidden)
    yield from _to_people(statistics, place, method, _modalities(hidden))


def worth(
    statistics: Statistics, place: Place, *, absences: Sequence[Absence]
) -> Iterator[str]:
    """Whether having what was hidden is worth anything, over every reader that does without."""
    hidden = [one for one in absences if one.protocol == place.protocol and one.hiding.hidden]
    names = _modalities(hidden)
    rows = [
        row
        for row in statistics.comparisons
        if row["kind"] == "gain"
        and place.same_models(row)
        and set(row["pattern"].split("+")) - set(row["other_pattern"].split("+")) == set(names)
    ]
    if not rows:
        return
    won = [row["method"] for row in rows if row["word"] == "better"]
    here = [row["method"] for row in rows if row["word"] == "better here"]
    over = f"over the best readers of {rows[0]['other_pattern']} alone"
    if won:
        yield f"Having {_scans(names)} is shown to be worth something {over}: with {listed(won)}."
        return
    trained = f"; as trained here {listed(here)} gains" if here else ""
    yield f"No method is shown to gain from {_scans(names)} {over}{trained}."


def _per_tenth(
    curve: Row, statistics: Statistics, place: Place, hidden: Sequence[Absence]
) -> str:
    """Per tenth hidden, per scan, and from end to end with its verdict."""
    names = _modalities(hidden)
    rates = [float(one) for one in str(curve["rates"]).split()]
    interval = bounds(curve["slope_low"], curve["slope_high"], factor=TENTH)
    said = (
        f"Each further 10 % of {_scans(names)} lost changes its {statistics.title} by "
        f"{signed(curve['slope'] * TENTH)}{interval}"
    )
    owners = {one.hiding.eligible for one in hidden}
    if len(owners) == 1 and len(names) == 1:
        owning = owners.pop()
        said += f" ({curve['slope'] / owning:+.2g} per lost scan, of {owning})"
    said += f", between {rates[0]:.0%} and {rates[-1]:.0%} hidden (protocol {place.protocol})"
    whole = _end_to_end(statistics, place, curve["method"], rates)
    return f"{said}{whole}."


def _end_to_end(
    statistics: Statistics, place: Place, method: str, rates: Sequence[float]
) -> str:
    row = next(
        (
            one
            for one in statistics.comparisons
            if one["kind"] == "cost"
            and place.holds(one)
            and one["method"] == method
            and one["rate"] == rates[-1]
        ),
        None,
    )
    return "" if row is None else f"; from end to end {gap(row)}: {_verdict(row, statistics)}"


def _to_people(
    statistics: Statistics, place: Place, method: str, names: Sequence[str]
) -> Iterator[str]:
    """The people shown without the scan against the same people shown with it."""
    for row in statistics.comparisons:
        if (
            row["kind"] == "cost"
            and row["protocol"] == FORCED
            and row["method"] == method
            and place.same_models(row)
            and set(row["other_pattern"].split("+")) - set(row["pattern"].split("+")) == set(names)
        ):
            yield (
                f"Where all lose {_scans(names)} ({row['pattern']} against {row['other_pattern']}, "
                f"the same {row['n']} cases): {gap(row)}: {_verdict(row, statistics)}."
            )


def _verdict(row: Row, statistics: Statistics) -> str:
    """What may be said of a cost."""
    word, margin = row["word"], number(statistics.plan.get("margin"))
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


def _scans(names: Sequence[str]) -> str:
    return listed(names) if names else "the scans"
