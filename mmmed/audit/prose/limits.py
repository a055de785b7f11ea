"""What the numbers do not say."""

from __future__ import annotations

from collections.abc import Iterator

from mmmed.audit.prose.record import Record


def told(record: Record) -> Iterator[str]:
    """The caveats that this record calls for."""
    seeds = record.study.values.get("seeds")
    if not isinstance(seeds, list):
        yield "How often each method was trained was not recorded."
    elif len(seeds) == 1:
        yield (
            "Each method was trained once per fold: differences are between these trained models, "
            "and no claim about the methods follows."
        )
    folds = {row["fold"] for row in record.run.splits}
    if len(folds) > 1:
        yield (
            "Models of different folds may share training subjects; intervals take the models as "
            "given and speak of other test subjects."
        )
    yield (
        "Forced tables compare the same people under different patterns; observed tables describe "
        "a clinic, where who lacks a scan may differ from who has it."
    )
    if record.run.truth is not None:
        yield "Ceilings and oracles are those of the simulated law, and hold for no real cohort."
    if record.run.truth is not None and record.run.truth.get("matched"):
        yield (
            "The burdens of the simulated test cases were matched to the law's moments: intervals "
            "are conditional on such a set, and wider than needed for the oracle."
        )
    if record.run.leaks:
        yield "The lists of the folds put subjects on both sides; scores may be too high."
