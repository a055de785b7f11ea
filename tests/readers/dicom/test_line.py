"""What a file brings along stays on its line."""

from __future__ import annotations

from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from mmmed.readers.dicom.line import one_line, reason_line, shown_path


def test_html_tabs_and_line_ends_become_one_line() -> None:
    assert one_line("<b>T1</b>\t3D\r\nsag\x1b[31m") == "<b>T1</b> 3D sag [31m"


def test_text_that_turns_the_direction_of_writing_does_not() -> None:
    assert one_line("a\u202eb") == "a b"


def test_letters_of_any_script_stay() -> None:
    assert one_line("頭部 Schädel مخ") == "頭部 Schädel مخ"


@given(st.text(max_size=2000))
def test_any_text_becomes_one_printable_line_that_utf8_holds(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= 160
    line.encode("utf-8")


def test_a_name_that_is_no_utf8_is_shown_by_its_bytes() -> None:
    assert shown_path("caf\udce9/a b\nc") == r"caf\xe9/a b\nc"


def test_a_reason_names_paths_as_seen_from_the_folder() -> None:
    assert (
        reason_line("/data/in/a b/x: is\ncut off", PurePosixPath("/data/in")) == "a b/x: is cut off"
    )
    assert len(reason_line("x" * 9000, PurePosixPath("/data"))) == 600
