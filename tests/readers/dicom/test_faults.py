"""Faults of files as the standard lets one think them out: the true reason, and bounded work."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edits import (
    PIXELS,
    UNDEFINED,
    Edit,
    before,
    element,
    elements,
    fragments,
    head_length,
    named,
    place,
    put,
    syntax,
    without,
)
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from study import slice_of, write, write_series

from mmmed.errors import DataError
from mmmed.readers.dicom import census, classic, grid
from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.reading import read_header
from mmmed.readers.dicom.series import read_series

CHARACTERS, SOP, DESCRIPTION, PATIENT = 0x00080005, 0x00080016, 0x0008103E, 0x00100020
STUDY, SERIES, NUMBER, ROWS = 0x0020000D, 0x0020000E, 0x00200011, 0x00280010
REFERENCED, PRIVATE = 0x00081140, 0x00091001
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
OPEN = element(REFERENCED, b"SQ", ITEM + b"\xff" * 4, length=UNDEFINED)
SHUT = ITEM_END + bytes(4) + SEQUENCE_END + bytes(4)
RLE, J2K = b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.4.90"
DEFLATED = b"1.2.840.10008.1.2.1.99"


def damaged(folder: Path, edit: Edit) -> Path:
    """A slice with that fault."""
    path = write(slice_of(), folder / "a")
    path.write_bytes(edit(path.read_bytes()))
    return path


def why(path: Path) -> str:
    """What the index says of a file, or the reader of series; '' where it is well."""
    found = read_header(path.parent, path.name)
    if isinstance(found, Aside):
        return found.text
    try:
        read_series([path])
    except DataError as error:
        return str(error)
    return ""


def compressed(codestream: bytes, of: bytes = RLE) -> Edit:
    return lambda data: fragments(codestream)(syntax(of)(data))


def rearranged(order: slice) -> Edit:
    def edit(data: bytes) -> bytes:
        head, found = elements(data)
        return head + b"".join(found[order])

    return edit


def pixels_first(data: bytes) -> bytes:
    head, found = elements(data)
    return head + found[-1] + b"".join(found[:-1])


def archive(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.dcm", data)
    return packed.getvalue()


def tape(data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as file:
        file.addfile(tarfile.TarInfo("a.dcm"))
    return packed.getvalue()


MANY = b"1\\" * 30_000


def frames_of_no_kind(data: bytes) -> bytes:
    """Functional groups with an element that has no kind of value, in a file out of order."""
    inner = named(ROWS, b"C\0")(element(ROWS, b"US", b"\4\0"))
    item = ITEM + b"\xff" * 4 + inner + ITEM_END + bytes(4) + SEQUENCE_END + bytes(4)
    groups = element(0x52009230, b"SQ", item, length=UNDEFINED)
    return before(STUDY, element(0x00080090, b"PN"))(before(PIXELS, groups)(data))


REFUSED: dict[str, tuple[Edit, str]] = {
    "length of a text beyond the file": (
        put(DESCRIPTION, b"LO", b"T1", length=60_000),
        "SeriesDescription (0008,103E) states 60000 bytes, more than the file has",
    ),
    "length of 4 GB": (
        before(PATIENT, element(PRIVATE, b"OB", b"abcd", length=0xFFFFFFF0)),
        "(0009,1001) states 4294967280 bytes",
    ),
    "sequence longer than the file": (
        before(PATIENT, element(REFERENCED, b"SQ", ITEM, length=1 << 16)),
        "ReferencedImageSequence (0008,1140) states 65536 bytes",
    ),
    "sequence shorter than its item": (
        before(
            PATIENT,
            element(
                REFERENCED,
                b"SQ",
                ITEM + b"\x18\0\0\0" + element(0x00081150, b"UI", b"1.2.3.4.5.6.7.8\0"),
                length=10,
            ),
        ),
        "what stands behind the beginning of ReferencedImageSequence (0008,1140) is no element",
    ),
    "sequence without its end": (
        before(PATIENT, element(REFERENCED, b"SQ", ITEM + bytes(4), length=UNDEFINED)),
        "the sequence ReferencedImageSequence (0008,1140) does not end",
    ),
    "sequences open 10,000 deep": (
        before(PATIENT, OPEN * 10_000),
        "the sequence ReferencedImageSequence (0008,1140) does not end",
    ),
    "first kind of no value": (
        named(CHARACTERS, b"\0\0"),
        r"(0008,0005) has '\x00\x00' for its kind",
    ),
    "first kind unknown": (named(CHARACTERS, b"??"), "(0008,0005) has '??' for its kind of value"),
    "kind in small letters": (named(ROWS, b"us"), "Rows (0028,0010) has 'us' for its kind"),
    "kind of no value": (named(ROWS, b"\0\0"), r"Rows (0028,0010) has '\x00\x00' for its kind"),
    "kind with a longer length": (named(SOP, b"SQ"), "SOPClassUID (0008,0016) states "),
    "pixels of another kind": (named(PIXELS, b"US"), "PixelData (7FE0,0010) has 'US' for its kind"),
    "pixels first": (pixels_first, "its data set begins with PixelData (7FE0,0010)"),
    "all backwards": (rearranged(slice(None, None, -1)), "its data set begins with PixelData"),
    "series twice": (
        before(NUMBER, element(SERIES, b"UI", b"9.9\0")),
        "SeriesInstanceUID (0020,000E) stands twice",
    ),
    "rows twice": (before(ROWS, element(ROWS, b"US", b"\2\0")), "Rows (0028,0010) stands twice"),
    "cut off in its head": (lambda data: data[:200], "unreadable head: MediaStorageSOPInstanceUID"),
    "cut off behind its head": (
        lambda data: data[: head_length(data)],
        "it ends where its data set should begin",
    ),
    "cut off in the header": (
        lambda data: data[: place(data, 0x00200037)[0] + 10],
        "ImageOrientationPatient (0020,0037) states",
    ),
    "pixels cut off": (
        lambda data: data[:-11],
        "truncated: its header states 40 bytes of pixels, the file has 29",
    ),
    "pixels too few": (put(PIXELS, b"OW", bytes(30)), "describes 40 bytes of pixels, 30 are in it"),
    "pixels empty": (put(PIXELS, b"OW"), "describes 40 bytes of pixels, 0 are in it"),
    "no pixels": (without(PIXELS), "holds no pixels; leave it out"),
    "no rows": (without(ROWS), "Rows (0028,0010) is missing"),
    "frames as a fraction": (
        before(ROWS, element(0x00280008, b"IS", b"1.5 ")),
        "states 1.5 frames",
    ),
    "frames in words": (
        before(ROWS, element(0x00280008, b"IS", b"many")),
        "is 'many', not a finite number",
    ),
    "frames of no kind of value": (frames_of_no_kind, "a sequence in it does not end"),
    "unknown syntax": (
        syntax(b"1.2.840.10008.1.2.77"),
        "(0002,0010), '1.2.840.10008.1.2.77', is not read",
    ),
    "two syntaxes": (syntax(b"1.2.840.10008.1.2.1\\1.2.840.10008.1.2"), "is not read"),
    "a video": (
        syntax(b"1.2.840.10008.1.2.4.100\0"),
        "'MPEG2 Main Profile / Main Level', is not read",
    ),
    "no JPEG 2000 though its head says so": (syntax(J2K), "its pixels are not in fragments"),
    "not deflated though its head says so": (syntax(DEFLATED), "is not deflated as its head says"),
    "in fragments though its head says not": (fragments(b"ab"), "its pixels are in fragments"),
    "no fragment": (
        lambda data: fragments()(syntax(RLE)(data)),
        "truncated: 0 of 1 compressed frames",
    ),
    "noise for RLE": (compressed(random.Random(0).randbytes(200)), "no decoder makes sense of it"),
    "a picture for JPEG 2000": (
        compressed(b"\x89PNG\r\n\x1a\n" + bytes(99), J2K),
        "frame 1 is damaged",
    ),
    "a codestream of another size": (
        compressed(
            b"\xff\x4f\xff\x51" + struct.pack(">HHIIII", 41, 0, 1 << 30, 1 << 30, 0, 0) + bytes(64),
            J2K,
        ),
        "is 1073741824 x 1073741824, the header states 4 x 5",
    ),
    "fragments without number": (
        lambda data: fragments(*[b"ab"] * 20_000)(syntax(RLE)(data)),
        "compressed pixels take more than",
    ),
    "unpackable gzip": (lambda data: gzip.compress(data)[:-30], "ended before the end"),
    "gzip and more": (
        lambda data: gzip.compress(data) + b"more" * 9,
        "something else stands behind its gzip data",
    ),
    "gzip of gzip": (lambda data: gzip.compress(gzip.compress(data)), "is gzip'd twice"),
    "ZIP": (archive, "is a ZIP archive, which is not opened"),
    "tar": (tape, "is a tar archive"),
    "bzip2": (bz2.compress, "is packed by bzip2"),
    "xz": (lzma.compress, "is packed by xz"),
    "XML": (lambda _: b"<?xml version='1.0'?><NativeDicomModel/>", "is a text in XML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_fault_costs_a_line_with_its_true_reason(tmp_path: Path, name: str) -> None:
    edit, reason = REFUSED[name]
    began = time.monotonic()
    said = why(damaged(tmp_path, edit))
    assert reason in said
    assert said.isprintable()
    assert len(said) < 400 + len(str(tmp_path))
    assert time.monotonic() - began < 5


def beside_the_head(data: bytes) -> bytes:
    """A command element, group 0000, where the data set begins."""
    start = head_length(data)
    return data[:start] + element(0x00080001, b"UL", bytes(4)) + data[start:]


READ: dict[str, Edit] = {
    "as it was": lambda data: data,
    "length of the head wrong": lambda data: data[:140] + b"\xff\xff\xff\x7f" + data[144:],
    "length of the head 0": lambda data: data[:140] + bytes(4) + data[144:],
    "no preamble": lambda data: data[132:],
    "no head": lambda data: data[:132] + data[head_length(data) :],
    "data set alone": lambda data: data[head_length(data) :],
    "preamble of a TIFF": lambda data: b"II*\0\x08\0\0\0" + data[8:],
    "preamble of a program": lambda data: b"\x7fELF\2\1\1" + data[7:],
    "preamble of gzip": lambda data: b"\x1f\x8b\x08\0" + data[4:],
    "syntax with a blank": syntax(b"1.2.840.10008.1.2.1 "),
    "syntax behind a blank": syntax(b" 1.2.840.10008.1.2.1"),
    "syntax empty": syntax(b""),
    "syntax says implicit": syntax(b"1.2.840.10008.1.2\0"),
    "syntax says big-endian": syntax(b"1.2.840.10008.1.2.2\0"),
    "retired length of group 8": beside_the_head,
    "unknown value of unknown length": before(
        PATIENT,
        element(PRIVATE, b"UN", ITEM + b"\xff" * 4 + SHUT, length=UNDEFINED),
    ),
    "sequences 50 deep": before(PATIENT, OPEN * 50 + SHUT * 50),
    "pixels of unknown kind": named(PIXELS, b"UN"),
    "pixels and more": lambda data: data + random.Random(0).randbytes(99),
    "padding behind pixels": lambda data: data + element(0xFFFCFFFC, b"OB", bytes(200)),
    "10 MB of backslashes": before(PATIENT, element(PRIVATE, b"UT", b"\\" * (10 << 20))),
    "a name of carets": before(PATIENT, element(0x00100010, b"PN", b"^" * 60_000)),
    "a number of numbers": put(0x00180081, b"DS", MANY),
    "a character set of 60 KB": put(CHARACTERS, b"CS", b"ISO_IR 100\\" * 5000),
    "text with terminal codes": put(DESCRIPTION, b"LO", b"T1\x1b[2J\x1b]0;me\x07\0 "),
    "text that turns around": put(DESCRIPTION, b"LO", "T1 \u202egpj\u2066 ".encode()),
    "gzip in two parts": lambda data: gzip.compress(data[:300]) + gzip.compress(data[300:]),
    "gzip and zeros": lambda data: gzip.compress(data) + bytes(512),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_unusual_and_clear_is_read_the_same(tmp_path: Path, name: str) -> None:
    path = damaged(tmp_path, READ[name])
    assert why(path) == ""
    found = read_header(path.parent, path.name)
    assert not isinstance(found, Aside)
    assert found.description.isprintable()
    (one,) = read_series([path])
    (plain,) = read_series([write(slice_of(), tmp_path / "plain")])
    np.testing.assert_array_equal(one.volume.data, plain.volume.data)
    np.testing.assert_array_equal(one.volume.affine, plain.volume.affine)


@pytest.mark.parametrize(
    ("edit", "note"),
    [
        (syntax(b"1.2.840.10008.1.2\0"), "written in Explicit VR Little Endian, other than"),
        (put(PIXELS, b"OW", bytes(400)), "its pixels take more bytes than its header describes"),
        (
            before(STUDY, element(0x00080090, b"PN", b"")),
            "ReferringPhysicianName (0008,0090) stands behind EchoTime (0018,0081), out of order",
        ),
    ],
)
def test_what_is_written_otherwise_than_stated_is_declared(
    tmp_path: Path, edit: Edit, note: str
) -> None:
    (one,) = read_series([damaged(tmp_path, edit)])
    assert any(note in said for said in one.notes)


ABSENT, ENDED = b"", SEQUENCE_END + bytes(4)
FILLED = ITEM + b"\x08\0\0\0" + b"\x08\0\x80\0LO\0\0" + ENDED
"""What a sequence of undefined length holds: an item with one empty element; or nothing."""


def stating(tag: int, value: bytes, *, parsed: bool) -> Edit:
    """A sequence before the pixels; `parsed`: in a file that pydicom has to read."""
    said = element(tag, b"SQ", value, length=UNDEFINED if value else 0)
    unordered = element(0x00080090, b"PN") if parsed else b""
    return lambda data: before(STUDY, unordered)(before(PIXELS, said)(data))


@pytest.mark.parametrize("parsed", [False, True])
@pytest.mark.parametrize("value", [ABSENT, ENDED, FILLED])
def test_an_empty_sequence_states_nothing(tmp_path: Path, value: bytes, parsed: bool) -> None:
    filled = value == FILLED
    mapped = damaged(tmp_path, stating(0x00409096, value, parsed=parsed))
    assert any("Real World Value" in note for note in read_series([mapped])[0].notes) == filled
    table = damaged(tmp_path, stating(0x00283000, value, parsed=parsed))
    assert ("has a ModalityLUTSequence (0028,3000)" in why(table)) == filled


def test_items_without_number_take_neither_memory_nor_time(tmp_path: Path) -> None:
    """Two million empty items; as objects they would take three gigabytes."""
    items = (ITEM + bytes(4)) * 2_000_000
    path = damaged(tmp_path, before(PATIENT, element(REFERENCED, b"SQ", items)))
    began = time.monotonic()
    (one,) = read_series([path])
    with pytest.raises(DataError, match="hold more elements than are read"):
        _ = one.headers
    assert time.monotonic() - began < 5


def test_items_without_end_are_walked_over_for_a_few_seconds(tmp_path: Path) -> None:
    start = element(REFERENCED, b"SQ", length=UNDEFINED)
    path = damaged(tmp_path, before(PATIENT, start + (ITEM + bytes(4)) * 3_100_000))
    began = time.process_time()
    assert "its sequences hold more than 3000000 elements" in why(path)
    assert time.process_time() - began < 12


SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


@pytest.mark.parametrize("seed", range(12))
def test_no_noise_in_a_series_raises_what_is_not_foreseen(tmp_path: Path, seed: int) -> None:
    """Bytes changed, cut out, doubled and swapped, anywhere in a slice of a series."""
    draw = random.Random(seed)
    paths = write_series(tmp_path, 3)
    for _ in range(25):
        whole = bytearray(
            write(slice_of(2), tmp_path / "IM002", syntax=draw.choice(SYNTAXES)).read_bytes()
        )
        for _ in range(draw.randint(1, 6)):
            begin = draw.randrange(128, len(whole))
            end = begin + draw.choice([1, 1, 2, 4, 8, 40])
            part = whole[begin:end]
            whole[begin:end] = draw.choice(
                [
                    draw.randbytes(len(part)),
                    b"",
                    part * 2,
                    part[::-1],
                    bytes(len(part)),
                    b"\xff" * len(part),
                ]
            )
        (tmp_path / "IM002").write_bytes(whole)
        found = read_header(tmp_path, "IM002")
        assert not isinstance(found, Aside) or found.text.isprintable()
        try:
            for one in read_series(paths):
                assert np.isfinite(one.volume.data).all()
        except DataError:
            pass


PET: dict[str, Any] = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
    "Modality": "PT",
    "SpacingBetweenSlices": 2.0,
    "RescaleSlope": 2.0,
    "RescaleIntercept": 0.0,
    "SeriesType": ["DYNAMIC", "IMAGE"],
    "NumberOfSlices": 3,
    "NumberOfTimeSlices": 1,
}
CREATORS = {
    0x0019: "SIEMENS MR HEADER",
    0x0021: "GEMS_RELA_01",
    0x0043: "GEMS_PARM_01",
    0x0065: "Image Private Header",
    0x2001: "Philips Imaging DD 001",
    0x2005: "Philips MR Imaging DD 001",
}
NASTY = {
    "superscript": "²".encode("latin-1"),
    "huge": b"1e300 ",
    "tiny": b"1e-320",
    "least": b"-1e308\\1e308\\1e-308",
    "long": b"9" * 5000,
    "endless": b"inf\\nan\\1_0",
    "negative": b"-1",
    "zero": b"0 ",
    "many": b"1\\" * 500 + b"1 ",
    "ones": b"\xff" * 8,
    "zeros": bytes(8),
    "denormal": b"\x01\0\0\0",
    "empty": b"",
}
"""Values that one or another part of a reader may stumble over."""


def with_values(data: bytes, values: Mapping[int, bytes]) -> bytes:
    """The file with these elements, in the order of their tags."""
    head, found = elements(data)
    made = {_tag(one): one for one in found}
    for tag, value in values.items():
        kind = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
        made[tag] = element(tag, b"UN" if kind == "SQ" else kind[:2].encode(), value)
    return head + b"".join(one for _, one in sorted(made.items()))


def _tag(one: bytes) -> int:
    group, number = struct.unpack_from("<HH", one)
    return int(group << 16 | number)


TAGS = sorted(
    tag
    for tag in classic.WANTED | census.TAGS | grid.COUNT.tags
    if not tag >> 16 & 1 or (tag >> 16 in CREATORS and tag & 0xFFFF >= 0x1000 and tag & 0xF00 == 0)
)
"""What is read of every file; of private elements, those in the first block."""


@pytest.mark.parametrize("name", NASTY)
def test_no_value_of_an_element_that_is_read_raises_what_is_not_foreseen(
    tmp_path: Path, name: str
) -> None:
    """In one slice or in all, alone or with another."""
    draw = random.Random(name)
    paths = write_series(tmp_path, 3, **PET)
    reserved = {group << 16 | 0x10: said.encode() for group, said in CREATORS.items()}
    plain = [with_values(path.read_bytes(), reserved) for path in paths]
    for tag in TAGS:
        others = draw.sample(TAGS, draw.choice([0, 0, 1, 2]))
        values = {other: draw.choice(list(NASTY.values())) for other in others}
        alone = draw.random() < 0.5
        for number, (path, data) in enumerate(zip(paths, plain, strict=True), start=1):
            changed = not alone or number == 2
            path.write_bytes(with_values(data, {**values, tag: NASTY[name]}) if changed else data)
        found = read_header(tmp_path, "IM002")
        assert not isinstance(found, Aside) or found.text.isprintable()
        try:
            for one in read_series(paths):
                assert np.isfinite(one.volume.data).all()
                assert np.isfinite(one.volume.affine).all()
        except DataError:
            pass
