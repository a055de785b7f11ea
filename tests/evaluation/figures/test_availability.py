from __future__ import annotations

import pandas as pd
import pytest

from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.availability import COLOURS, availability


def status(count):
    index = [f"sub-{number:04d}_ses-M000" for number in range(count)]
    answers = list(COLOURS)
    table = pd.DataFrame(
        {"mri": "present", "pet": [answers[n % 5] for n in range(count)]}, index=index
    )
    return table, pd.Series(["CN" if n % 3 else "AD" for n in range(count)], index=index)


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_the_picture_is_the_same_bytes_and_of_bounded_size(tmp_path, count):
    first, second = (
        style.save(availability(*status(count)), tmp_path / f"{name}.png").read_bytes()
        for name in ("one", "two")
    )
    assert first == second
    width, height = (int.from_bytes(first[place : place + 4]) for place in (16, 20))
    assert width == 8 * style.DPI
    assert height < 8 * style.DPI


def test_few_visits_are_named_and_many_are_sorted_by_answer():
    few = availability(*status(10))
    names = [label.get_text() for axes in few.axes for label in axes.get_xticklabels()]
    assert "sub-0003_ses-M000" in names
    many = availability(*status(1000))
    assert [axes.get_title(loc="left") for axes in many.axes] == [
        "AD: 334 visits",
        "CN: 666 visits",
    ]
    drawn = many.axes[0].images[0].get_array()[1]
    assert list(drawn) == sorted(drawn)
    assert not many.axes[0].get_xticklabels()


def test_any_name_can_be_drawn(tmp_path):
    table, groups = status(4)
    names = pd.Index(["sub-$x^$", "sub-患者", "a\tb\nc", "n" * 300])
    table.index = groups.index = names
    path = style.save(availability(table, groups), tmp_path / "odd.png")
    assert path.stat().st_size > 0
