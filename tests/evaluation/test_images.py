"""Recognition rates of images and patients, against counting by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.images import image_rates
from mmmed.evaluation.text import rate_table

INTERVAL = Interval(draws=400)
CLASSES = ("benign", "malignant")
RECOGNISED = {
    ("p1", "a", "x40"): (1, 1, 0, 1),
    ("p1", "a", "x400"): (1, 0),
    ("p2", "b", "x40"): (0,),
    ("p2", "b", "x400"): (0, 0, 0, 1),
    ("p3", "c", "x40"): (1, 1),
    ("p3", "d", "x40"): (0, 0, 0, 0, 0, 0),
}
"""Patient, case and magnification -> which images were recognised; p3 has two slides."""


def row(subject: str, case: str, right: int, **more: object) -> dict[str, object]:
    decision = CLASSES[1] if right else CLASSES[0]
    return {
        "split": "test",
        "fold": "f",
        "seed": "0",
        "method": "m",
        "case_id": case,
        "subject_id": subject,
        "label": CLASSES[1],
        "decision": decision,
        **more,
    }


def images(**changed: object) -> pd.DataFrame:
    return pd.DataFrame(
        {**row(subject, case, right, modality=modality, item=str(item)), **changed}
        for (subject, case, modality), all_right in RECOGNISED.items()
        for item, right in enumerate(all_right)
    )


def sets() -> pd.DataFrame:
    """Every case under what it owns is right but b; a and b under x40 alone are wrong."""
    both, one = "x40+x400", "x40"
    told = [
        ("p1", "a", 1, both, both),
        ("p1", "a", 0, one, both),
        ("p2", "b", 0, both, both),
        ("p2", "b", 0, one, both),
        ("p3", "c", 1, one, one),
        ("p3", "d", 1, one, one),
    ]
    rows = [
        row(subject, case, right, pattern=pattern, owned=owned, protocol="every-pattern")
        for subject, case, right, pattern, owned in told
    ]
    observed = row("p1", "a", 0, pattern=both, owned=both, protocol="complete")
    return pd.DataFrame([*rows, observed])


def rates(found: list[dict], name: str) -> dict[tuple[str, str], float]:
    return {(one["modality"], one["rate"]): one[name] for one in found}


def scored(table: pd.DataFrame, forced: pd.DataFrame) -> list[dict]:
    return image_rates(table, forced, classes=CLASSES, methods=["m"], interval=INTERVAL)


def test_the_rates_are_those_counted_by_hand() -> None:
    found = scored(images(), sets())
    assert rates(found, "value") == pytest.approx(
        {
            ("x40", "image rate"): (3 + 0 + 2) / 13,
            ("x40", "patient rate"): (3 / 4 + 0 / 1 + 2 / 8) / 3,
            ("x40", "set rate"): 2 / 4,
            ("x400", "image rate"): (1 + 1) / 6,
            ("x400", "patient rate"): (1 / 2 + 1 / 4) / 2,
            ("all", "image rate"): (4 + 1 + 2) / 19,
            ("all", "patient rate"): (4 / 6 + 1 / 5 + 2 / 8) / 3,
            ("all", "set rate"): 3 / 4,
        }
    )
    assert rates(found, "n") == {
        ("x40", "image rate"): 13,
        ("x40", "patient rate"): 13,
        ("x40", "set rate"): 4,
        ("x400", "image rate"): 6,
        ("x400", "patient rate"): 6,
        ("all", "image rate"): 19,
        ("all", "patient rate"): 19,
        ("all", "set rate"): 4,
    }
    assert rates(found, "n_subjects")["x400", "image rate"] == 2


def test_folds_are_scored_alone_and_then_averaged() -> None:
    other = images()
    other = other[other["subject_id"] == "p2"].assign(fold="g")
    found = scored(pd.concat([images(), other]), sets())
    assert rates(found, "value")["all", "image rate"] == pytest.approx((7 / 19 + 1 / 5) / 2)
    assert rates(found, "n")["all", "image rate"] == 19


def test_intervals_draw_patients_with_all_their_images() -> None:
    many = pd.concat(
        images().assign(subject_id=lambda table, i=i: table["subject_id"] + f"-{i}", case_id=str(i))
        for i in range(10)
    )
    for one in scored(many, sets().iloc[:0]):
        assert one["low"] < one["value"] < one["high"]
    alike = images(decision=CLASSES[1])
    assert {one["value"] for one in scored(alike, sets().iloc[:0])} == {1.0}


def test_other_parts_and_unlabelled_cases_are_left_out() -> None:
    table = pd.concat([images(), images(split="train"), images(label="n/a")])
    assert rates(scored(table, sets()), "n")["all", "image rate"] == 19


def test_the_rates_stand_side_by_side_as_text() -> None:
    text = rate_table(scored(images(), sets()))
    line = next(line for line in text.splitlines() if "| x40 " in line)
    assert ".385" in line
    assert "13 images of 3 patients" in line
    assert rate_table([]) == ""
