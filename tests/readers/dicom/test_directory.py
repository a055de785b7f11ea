"""What a DICOMDIR lists and the folder does not hold is told; nothing is opened for it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from edits import put
from pydicom import config
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from study import write, write_series

from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.index import read_index

CLASS = "1.2.840.10008.1.3.10"


def disc(path: Path, *listed: list[str], meta: bool = True) -> Path:
    """A DICOMDIR of these file IDs, under a record of a patient that refers to none."""
    one = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    one.FileSetID = "DISC"
    records = [Dataset()]
    records[0].DirectoryRecordType = "PATIENT"
    for names in listed:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 0xFFFFFFF0
        record.DirectoryRecordType = "IMAGE"
        with config.disable_value_validation():
            record.ReferencedFileID = names
        records.append(record)
    one.DirectoryRecordSequence = records
    one.SOPClassUID = CLASS
    one.SOPInstanceUID = "1.2.3"
    with config.disable_value_validation():
        write(one, path)
    whole = path.read_bytes()
    start = 144 + int.from_bytes(whole[140:144], "little")
    behind = whole.index(b"\4\0\x30\x11")  # the SOP UIDs of the data set stand behind group 0004
    data_set = whole[behind : whole.index(b"\x08\0\x16\0UI", behind)]
    path.write_bytes(whole[:start] + data_set if meta else data_set)
    return path


def told(root: Path) -> dict[str, str]:
    return {one.code: one.text for one in lines(root)}


def lines(root: Path) -> list[Aside]:
    return [one for one in read_index(root).aside if one.sop_class == CLASS]


def test_files_that_are_listed_and_not_there_are_counted_and_named(tmp_path: Path) -> None:
    write_series(tmp_path / "A", 2)
    disc(tmp_path / "DICOMDIR", ["A", "IM001"], *(["B", f"IM{n}"] for n in range(5)))
    found = read_index(tmp_path)
    assert [len(one.headers) for one in found.series] == [2]
    assert told(tmp_path)["not-there"] == (
        "lists 5 files that are not there: B/IM0, B/IM1, B/IM2, ...; copy them"
    )
    assert [one.verdict for one in lines(tmp_path)] == ["set-aside", "unreadable"]


def test_a_disc_that_is_whole_is_one_line_and_unlisted_files_are_read(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    disc(tmp_path / "DICOMDIR", ["A", "IM001"], ["A", "IM002"])
    assert [len(one.headers) for one in read_index(tmp_path).series] == [3]
    assert list(told(tmp_path)) == ["directory"]


def test_a_disc_in_a_folder_lists_from_there(tmp_path: Path) -> None:
    write_series(tmp_path / "disc" / "A", 1)
    disc(tmp_path / "disc" / "DICOMDIR", ["A", "IM001"], ["A", "IM002"])
    assert "1 file that is not there: A/IM002;" in told(tmp_path)["not-there"]


@pytest.mark.parametrize(
    "names", [["..", "..", "etc", "passwd"], ["/etc/passwd"], ["", "etc", "passwd"], ["A", " "]]
)
def test_no_list_leads_out_of_the_folder(tmp_path: Path, names: list[str]) -> None:
    """The file is there, one folder up; it is neither read nor said to be missing."""
    write_series(tmp_path / "etc", 1)
    disc(tmp_path / "in" / "DICOMDIR", names)
    found = read_index(tmp_path / "in")
    assert found.series == ()
    assert set(told(tmp_path / "in")) == {"directory", "outside"}
    assert "1 file that is not below its folder" in told(tmp_path / "in")["outside"]


def test_a_disc_without_its_head_or_gzipped_is_still_one(tmp_path: Path) -> None:
    path = disc(tmp_path / "bare", ["A", "IM001"], meta=False)
    (tmp_path / "packed").write_bytes(gzip.compress(path.read_bytes()))
    codes = [(one.path, one.code) for one in lines(tmp_path)]
    assert codes == [
        ("bare", "directory"),
        ("bare", "not-there"),
        ("packed", "directory"),
        ("packed", "not-there"),
    ]


def test_a_list_that_is_damaged_is_said_to_be(tmp_path: Path) -> None:
    path = disc(tmp_path / "DICOMDIR", ["A", "IM001"])
    path.write_bytes(path.read_bytes()[:-9])
    assert "whose list cannot be read" in told(tmp_path)["malformed"]


@pytest.mark.parametrize("zeros", [1, 600, 1 << 20])
def test_zeros_behind_a_list_are_its_end(tmp_path: Path, zeros: int) -> None:
    """Discs and tapes are written in sectors."""
    path = disc(tmp_path / "DICOMDIR", ["A", "IM001"])
    path.write_bytes(path.read_bytes() + bytes(zeros))
    assert list(told(tmp_path)) == ["directory", "not-there"]
    assert "A/IM001" in told(tmp_path)["not-there"]


def test_what_is_odd_behind_a_list_does_not_hide_it(tmp_path: Path) -> None:
    path = disc(tmp_path / "DICOMDIR", ["A", "IM001"])
    path.write_bytes(path.read_bytes() + b"\x08\0\x05\0CS\0\0")
    assert list(told(tmp_path)) == ["directory", "not-there"]


def test_a_list_of_a_million_items_costs_no_more_than_a_line(tmp_path: Path) -> None:
    path = disc(tmp_path / "DICOMDIR", ["A", "IM001"])
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000
    path.write_bytes(put(0x00041220, b"SQ", items)(path.read_bytes()))
    assert "more elements than are read" in told(tmp_path)["malformed"]


def test_a_disc_alone_says_nothing_of_files_that_were_not_looked_for(tmp_path: Path) -> None:
    write_series(tmp_path / "A", 1)
    path = disc(tmp_path / "DICOMDIR", ["A", "IM001"])
    assert [one.code for one in read_index(path).aside] == ["directory"]
