"""The facts of a series that is indexed.

The index has read every header. Read again is one file of each kind of its series, as its traits
tell them apart, and what states its frames one by one; of all others the position is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydicom.dataset import Dataset

from mmmed.readers.dicom.description import describe
from mmmed.readers.dicom.elements import read_data_set
from mmmed.readers.dicom.facts import SeriesFacts
from mmmed.readers.dicom.header import POSITION, Header
from mmmed.readers.dicom.index import Series
from mmmed.readers.silence import silent


def facts_of(series: Series) -> SeriesFacts:
    """What the headers of a series say that helps to choose among series.

    Its description is that of the index, which names no patient.

    Raises:
        DataError: a header cannot be read.
    """
    with silent():
        found = describe(list(_headers(series)))
    return replace(found, description=series.description)


def _headers(series: Series) -> Iterator[Dataset]:
    met: set[int] = set()
    for path, one in zip(series.paths, series.headers, strict=True):
        if one.traits in met and one.position is not None and one.frames == 1:
            yield _slice(one)
        else:
            met.add(one.traits)
            yield read_data_set(path)


def _slice(header: Header) -> Dataset:
    """A header that states its position alone."""
    found = Dataset()
    found.add_new(POSITION, "DS", [repr(one) for one in header.position or ()])
    return found
