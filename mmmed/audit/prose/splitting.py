"""How subjects were parted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mmmed.audit import words
from mmmed.audit.prose.record import Record, counts, stated

PART_WORDS = {
    "train": "training",
    "validation": "validation (choices)",
    "calibration": "calibration (neither gradients nor choices)",
    "test": "test",
}


def told(record: Record) -> Iterator[str]:
    """Kind, seed, sizes, and whether anybody stands on two sides."""
    splits = record.study.part("splits")
    kind, run = stated(splits.get("kind")), record.run
    if not run.splits:
        yield f"Splits: {kind}; who was in which part was not recorded."
        return
    parts = words.parts(run.splits, run.cases)
    folds = list(dict.fromkeys(part.fold for part in parts))
    yield (
        f"Cases were parted by subject ({kind}, {len(folds)} "
        f"{'fold' if len(folds) == 1 else 'folds'}, seed {stated(splits.get('seed'))})."
    )
    first = [part for part in parts if part.fold == folds[0]]
    sizes = "; ".join(
        f"{PART_WORDS.get(part.split, part.split)}: {part.cases} cases of {part.subjects} "
        f"subjects ({counts(part.labels)})"
        for part in first
    )
    yield f"{'The parts were' if len(folds) == 1 else f'Fold {folds[0]} held'} {sizes}."
    shared = _on_two_sides(record)
    yield (
        f"{shared} subjects stand in two parts of a fold."
        if shared
        else "No subject stands in two parts of a fold (checked in splits.tsv)."
    )


def _on_two_sides(record: Record) -> int:
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in record.run.splits:
        places[row["fold"], row["subject_id"]].add(row["split"])
    return len({subject for (_, subject), parts in places.items() if len(parts) > 1})
