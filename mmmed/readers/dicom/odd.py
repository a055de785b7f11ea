"""Headers of files that are no plain little-endian dataset, by pydicom.

Big-endian and mislabelled files, sequences in UN, values out of order: pydicom knows them. What it
reads is bounded first, in bytes by the window and in reads, so that a file costs what a large
header costs and not what it states.
"""

from __future__ import annotations

from collections.abc import Set
from io import BytesIO
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag

from mmmed.errors import DataError
from mmmed.readers.dicom.line import one_line
from mmmed.readers.dicom.syntax import DEFLATED
from mmmed.readers.silence import silent

READS = 100_000
"""Reads that a header may take, three or four per element; a second of work."""

_DEFLATED, _META = DEFLATED.encode(), 1024
"""What pydicom would inflate whole, and where a file says so: such files are read elsewhere."""


class _Bounded(BytesIO):
    """Bytes that can be read so many times."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > READS:
            raise ValueError(f"takes more than {READS} reads")
        return super().read(size)


def parse(
    data: bytes, *, wanted: Set[int], deflated: bool = False
) -> tuple[dict[int, bytes], bool]:
    """The wanted values of a file, and whether binary ones are little-endian.

    Args:
        data: the file, or its beginning.
        wanted: tags as `group << 16 | element`.
        deflated: `data` is an inflated dataset without preamble: explicit, little-endian.

    Raises:
        DataError: pydicom cannot parse it; the text is its reason.
    """
    if not deflated and _DEFLATED in data[:_META]:
        raise DataError("deflated, and its meta information is damaged")
    try:
        with silent():
            dataset = _dataset(_Bounded(data), wanted, deflated=deflated)
    except Exception as error:  # damaged files make pydicom raise anything
        raise DataError(one_line(f"{type(error).__name__}: {error}")) from error
    raw: dict[int, Any] = {tag: dataset.get_item(BaseTag(tag)) for tag in wanted if tag in dataset}
    little = all(getattr(one, "is_little_endian", True) for one in raw.values())
    return {tag: _bytes(one) for tag, one in raw.items()}, little


def _dataset(file: BytesIO, wanted: Set[int], *, deflated: bool) -> Dataset:
    last = max(wanted)
    tags: list[BaseTag | int] = [BaseTag(one) for one in wanted]

    def behind(tag: BaseTag, _: str | None, __: int) -> bool:
        return int(tag) > last

    if deflated:
        return read_dataset(file, False, True, stop_when=behind, specific_tags=tags)
    return read_partial(file, stop_when=behind, force=True, specific_tags=tags)


def _bytes(element: object) -> bytes:
    """A value as it stands in the file."""
    if isinstance(element, RawDataElement):
        return element.value or b""
    return str(getattr(element, "value", "")).encode()
