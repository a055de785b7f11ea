"""What people write into descriptions, without whom they wrote it of."""

from __future__ import annotations

from pathlib import Path

import pytest
from study import slice_of, write

from mmmed.readers.dicom.header import Header
from mmmed.readers.dicom.reading import read_header
from mmmed.readers.dicom.vocabulary import WORDS, without, words


@pytest.mark.parametrize(
    ("text", "names", "left"),
    [
        ("T1 Doe Jane", ["Doe^Jane"], "T1 [removed] [removed]"),
        ("t1_mprage_DOE_iso", ["Doe^Jane"], "t1_mprage_[removed]_iso"),
        ("T1 MuellerA 2", ["Mueller^Anna"], "T1 [removed]A 2"),
        ("scanner check", ["Ann^Lee"], "scanner check"),
        ("T1 Müller", ["MÜLLER"], "T1 [removed]"),
        ("T1 Head", ["Head^Phantom"], "T1 Head"),
        ("T1 4711-22", ["471122", "4711"], "T1 [removed]-22"),
        ("T1 (+x*", ["(+x*"], "T1 (+x*"),
        ("T1", [], "T1"),
        ("Weiß Kopf", ["Weiß^Anna"], "[removed] Kopf"),
        ("WEISS Kopf", ["Weiß^Anna"], "[removed] Kopf"),
        ("Weiß Kopf", ["Weiss^Anna"], "[removed] Kopf"),
        ("T1 Mu\u0308ller 2", ["M\u00fcller"], "T1 [removed] 2"),
        ("T1 İnci", ["Inci"], "T1 [removed]"),
        ("Li Wu brain", ["Li^Wu"], "[removed] [removed] brain"),
        ("Lid wulst", ["Li^Wu"], "Lid wulst"),
        ("T1 run 12", ["HX-12"], "T1 run 12"),
        ("T1 GE", ["T1^Ge"], "T1 GE"),
        ("山田 頭部", ["Yamada^Taro=山田^太郎"], "[removed] 頭部"),
        ("山田太郎 頭部", ["Yamada^Taro=山田^太郎"], "[removed][removed] 頭部"),
        ("頭部李さん", ["李"], "頭部[removed]さん"),
        ("Голова ИВАНОВ", ["Иванов"], "Голова [removed]"),
    ],
)
def test_words_of_names_are_taken_out(text: str, names: list[str], left: str) -> None:
    assert without(text, names) == left


def test_words_of_protocols_are_kept_in_their_order() -> None:
    assert words("Sag_T2-FLAIR Mr Miller 3D (repeat)") == ["sag", "t2", "flair", "3d", "repeat"]
    assert all(words(one) == [one] for one in WORDS)


def test_the_index_of_a_file_holds_no_name_that_its_description_has(tmp_path: Path) -> None:
    said = {
        "PatientName": "Döner^Jörg",
        "PatientID": "X-4711",
        "SeriesDescription": "T1 döner 4711",
    }
    found = read_header(tmp_path, write(slice_of(**said), tmp_path / "a").name)
    assert isinstance(found, Header)
    assert found.description == "T1 [removed] [removed]"
