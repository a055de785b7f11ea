"""The header of a file, by the walk and by pydicom."""

from __future__ import annotations

import gzip
import os
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from damage import MEMBER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from study import SERIES, STUDY, slice_of, write

from mmmed.errors import DataError
from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.header import Header
from mmmed.readers.dicom.reading import read_header
from mmmed.readers.dicom.series import read_series


def read(path: Path) -> Header | Aside:
    return read_header(path.parent, path.name)


def content(header: Header | Aside) -> Header:
    """A header without what tells files of one content apart."""
    assert isinstance(header, Header)
    return replace(header, path="", size=0, modified=0)


def big_endian(path: Path) -> Path:
    """The bare dataset in the other order of bytes."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = False, False
    one = Dataset(slice_of())
    one["PixelData"].VR = "OW"
    write_dataset(buffer, one)
    path.write_bytes(buffer.getvalue())
    return path


def test_a_header_is_what_pydicom_reads(tmp_path: Path) -> None:
    path = write(slice_of(7), tmp_path / "a")
    by_pydicom = dcmread(path)
    found = read(path)
    assert isinstance(found, Header)
    assert found.sop_class == by_pydicom.SOPClassUID
    assert found.instance == by_pydicom.SOPInstanceUID
    assert (found.study, found.series) == (STUDY, SERIES)
    assert (found.modality, found.date) == ("MR", "20200229")
    assert (found.rows, found.columns, found.frames) == (4, 5, 1)
    assert found.position == tuple(by_pydicom.ImagePositionPatient)
    assert found.orientation == tuple(by_pydicom.ImageOrientationPatient)
    assert found.pixel_mm == tuple(by_pydicom.PixelSpacing)
    assert (found.number, found.echo_ms) == (3, 2.5)
    assert found.size == path.stat().st_size


@pytest.mark.parametrize(
    "kind", ["implicit", "deflated", "gzip", "bare", "bare implicit", "big-endian"]
)
def test_a_header_does_not_depend_on_how_the_file_is_written(tmp_path: Path, kind: str) -> None:
    plain = content(read(write(slice_of(), tmp_path / "plain")))
    other = tmp_path / "other.x"
    if kind == "implicit":
        write(slice_of(), other, syntax=ImplicitVRLittleEndian)
    elif kind == "deflated":
        write(slice_of(), other, syntax=DeflatedExplicitVRLittleEndian)
    elif kind == "gzip":
        other.write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    elif kind == "big-endian":
        big_endian(other)
    else:
        syntax = ImplicitVRLittleEndian if "implicit" in kind else ExplicitVRLittleEndian
        write(slice_of(), other, syntax=syntax, meta=False)
    assert content(read(other)) == plain


def test_a_deflated_file_cut_off_in_its_pixels_has_a_header_and_no_volume(tmp_path: Path) -> None:
    one = slice_of()
    one.PixelData = np.random.default_rng(0).bytes(40)
    path = write(one, tmp_path / "a", syntax=DeflatedExplicitVRLittleEndian)
    whole = content(read(path))
    path.write_bytes(path.read_bytes()[:-20])
    assert content(read(path)) == whole
    with pytest.raises(DataError, match="truncated"):
        read_series([path])


def test_sequences_of_undefined_length_are_passed(tmp_path: Path) -> None:
    one, inner = slice_of(), slice_of(5)
    inner.SeriesInstanceUID = "9.9"
    one.ReferencedImageSequence = [inner, inner]
    one["ReferencedImageSequence"].is_undefined_length = True
    for item in one.ReferencedImageSequence:
        item.is_undefined_length_sequence_item = True
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        assert content(read(write(one, tmp_path / syntax, syntax=syntax))).series == SERIES


def test_private_tags_of_ten_megabytes_are_passed(tmp_path: Path) -> None:
    one = slice_of()
    one.private_block(0x0009, "MMMED", create=True).add_new(1, "OB", bytes(10 << 20))
    assert content(read(write(one, tmp_path / "a"))) == content(
        read(write(slice_of(), tmp_path / "b"))
    )


def test_texts_are_read_in_their_character_set(tmp_path: Path) -> None:
    one = slice_of(SpecificCharacterSet="ISO_IR 100", SeriesDescription="Schädel")
    assert content(read(write(one, tmp_path / "a"))).description == "Schädel"


def test_a_description_of_html_tabs_and_newlines_is_one_line(tmp_path: Path) -> None:
    one = slice_of(SeriesDescription="<b>T1</b>\tsag\nx")
    assert content(read(write(one, tmp_path / "a"))).description == "<b>T1</b> sag x"


def test_a_header_names_no_patient(tmp_path: Path) -> None:
    one = slice_of(PatientName="Doe^Jane", PatientID="12345")
    found = read(write(one, tmp_path / "a"))
    assert "Doe" not in repr(found)
    assert "12345" not in repr(found)


def test_a_thousand_headers_take_less_than_a_kibibyte_each(tmp_path: Path) -> None:
    whole = write(slice_of(), tmp_path / "0000").read_bytes()
    instance, place = f"{SERIES}.1".encode(), b"-10.0\\-20.0\\2.0"
    names = [f"{number:04d}" for number in range(1000)]
    for number, name in enumerate(names):
        moved = (b"-10\\-20\\%d" % number).ljust(len(place))
        changed = whole.replace(instance, b"1.2.%0*d" % (len(instance) - 4, number))
        (tmp_path / name).write_bytes(changed.replace(place, moved))
    read_header(tmp_path, names[0])
    tracemalloc.start()
    kept = [read_header(tmp_path, name) for name in names]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(isinstance(one, Header) for one in kept)
    assert taken / len(kept) < 1024


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.33"}, "set-aside", "report"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}, "set-aside", "raw-data"),
        ({"SOPClassUID": "1.3.12.2.1107.5.9.1"}, "set-aside", "private-class"),
        ({"SeriesInstanceUID": None}, "unreadable", "no-series"),
        ({"StudyInstanceUID": ""}, "unreadable", "no-series"),
    ],
)
def test_what_is_no_slice_is_set_aside_by_name(
    tmp_path: Path, changes: dict[str, str | None], verdict: str, code: str
) -> None:
    found = read(write(slice_of(**changes), tmp_path / "a"))
    assert isinstance(found, Aside)
    assert (found.verdict, found.code) == (verdict, code)


@pytest.mark.parametrize(
    ("data", "verdict", "code"),
    [
        (b"", "unreadable", "empty"),
        (b"hello", "set-aside", "not-dicom"),
        (b"<!DOCTYPE html><html></html>", "set-aside", "not-dicom"),
        (bytes(4096), "set-aside", "not-dicom"),
        (bytes(128) + b"DICM", "unreadable", "no-header"),
        (b"\x1f\x8b" + b"nonsense" * 4, "unreadable", "cannot-read"),
        (gzip.compress(b"no DICOM at all, but long enough", mtime=0), "set-aside", "not-dicom"),
    ],
)  # fmt: skip
def test_other_files_cost_one_line(tmp_path: Path, data: bytes, verdict: str, code: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    found = read(path)
    assert isinstance(found, Aside)
    assert (found.verdict, found.code) == (verdict, code)
    assert found.text.isprintable()


def test_a_broken_link_and_a_pipe_are_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    codes = [read(tmp_path / name) for name in ("link", "pipe")]
    assert [one.code for one in codes if isinstance(one, Aside)] == ["not-there", "no-file"]


def test_two_gigabytes_of_zeros_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    tracemalloc.start()
    found = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, Aside)
    assert found.code == "not-dicom"
    assert peak < 1 << 20


def inflating(path: Path, kind: str, *, value: bytes) -> Path:
    """A slice behind whose first element, or in whose pixels, 100 GB of zeros go on."""
    whole = write(slice_of(), path, syntax=DeflatedExplicitVRLittleEndian).read_bytes()
    start = 144 + int.from_bytes(whole[140:144], "little")
    meta, begun = whole[:start], zlib.decompress(whole[start:], -15)
    before = begun[: begun.index(PIXELS)] if value.startswith(PIXELS) else b""
    data_set = before + value
    packer = zlib.compressobj(9, wbits=-15 if kind == "deflated" else 31)
    plain = meta.replace(b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1\0\0\0")
    first = packer.compress(data_set if kind == "deflated" else plain + data_set)
    first += packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(MEMBER)) + packer.flush(zlib.Z_FULL_FLUSH)
    with path.open("wb") as file:
        file.write((meta if kind == "deflated" else b"") + first)
        for _ in range(100 * 10**9 // MEMBER):
            file.write(zeros)
    return path


PIXELS = b"\xe0\x7f\x10\0OW"


@pytest.mark.parametrize("kind", ["gzip", "deflated"])
def test_what_would_inflate_to_100_gb_is_inflated_to_the_window_only(
    tmp_path: Path, kind: str
) -> None:
    """The second element states 4 GB, behind which zeros go on."""
    head = b"\x08\0\x05\0CS\x0a\0ISO_IR 192" + b"\x08\0\x06\0OB\0\0\xf0\xff\xff\xff"
    path = inflating(tmp_path / "bomb", kind, value=head)
    tracemalloc.start()
    found = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, Aside)
    assert found.verdict == "unreadable"
    assert "header is beyond 67108864 bytes" in found.text
    assert peak < 300 << 20


@pytest.mark.parametrize("kind", ["gzip", "deflated"])
@pytest.mark.parametrize("stated", [40, 0xFFFFFFF0])
def test_pixels_that_would_inflate_to_100_gb_are_inflated_as_far_as_the_header_says(
    tmp_path: Path, kind: str, stated: int
) -> None:
    value = PIXELS + bytes(2) + stated.to_bytes(4, "little")
    path = inflating(tmp_path / "bomb", kind, value=value)
    tracemalloc.start()
    assert isinstance(read(path), Header)
    (one,) = read_series([path])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not one.volume.data.any()
    assert peak < 8 << 20


@settings(
    max_examples=150, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_makes_reading_raise_or_last(tmp_path: Path, data: st.DataObject) -> None:
    syntaxes = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
    whole = bytearray(
        write(slice_of(), tmp_path / "a", syntax=data.draw(st.sampled_from(syntaxes))).read_bytes()
    )
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "b").write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    found = read(tmp_path / "b")
    assert isinstance(found, Header) or found.text.isprintable()


def test_a_hundred_thousand_empty_elements_end(tmp_path: Path) -> None:
    """Elements without value: as many reads as bytes allow."""
    head = write(slice_of(SOPClassUID=None), tmp_path / "a").read_bytes()
    start = 144 + int.from_bytes(head[140:144], "little")
    (tmp_path / "b").write_bytes(head[:start] + b"\x08\0\x01\0LO\0\0" * 3_000_000)
    found = read(tmp_path / "b")
    assert isinstance(found, Aside)
    assert found.verdict == "unreadable"


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["dicom-fuzz", "dicom-odd-pydicom"])
def test_malformed_files_cost_a_line_each(data: Path, folder: str) -> None:
    for path in sorted((data / folder).rglob("*")):
        if path.is_file():
            found = read_header(data, str(path.relative_to(data)))
            assert isinstance(found, Header) or (found.code and found.text.isprintable())


@pytest.mark.shared
def test_headers_of_real_files_are_what_pydicom_reads(data: Path) -> None:
    compared = 0
    for folder in ("mr-siemens-nih", "mr-multivendor-small", "pet-mr-ct-sts", "mr-enhanced"):
        for path in sorted((data / folder).rglob("*.dcm")):
            found = read_header(data, str(path.relative_to(data)))
            if not isinstance(found, Header):
                continue
            whole = dcmread(path, stop_before_pixels=True)
            assert found.series == whole.SeriesInstanceUID
            assert found.instance == whole.SOPInstanceUID
            assert (found.rows, found.columns) == (whole.Rows, whole.Columns)
            if found.position is not None:
                np.testing.assert_array_equal(found.position, whole.ImagePositionPatient)
            compared += 1
    assert compared > 200
