"""The whole slides in a folder: one file each, or in DICOM one series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from mmmed.cohorts.cohort import Fault
from mmmed.cohorts.walk import files_below
from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.reading import read_header
from mmmed.readers.slide.kept import is_slide
from mmmed.record import digest

ENDINGS = (
    ".bif",
    ".czi",
    ".mrxs",
    ".ndpi",
    ".scn",
    ".svs",
    ".svslide",
    ".tif",
    ".tiff",
    ".vms",
    ".vmu",
)
"""Of names of files that OpenSlide reads, DICOM apart."""

DICOM = (".dcm", ".dicom", "")
"""Of names of files that may be DICOM; a number is no ending, as of a file named by its UID."""

MICROSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.6"
"""VL Whole Slide Microscopy Image Storage (PS3.4, table B.5-1)."""

MOST_ASKED = 200
"""Files that are looked at before a folder is taken for one without slides."""


@dataclass(frozen=True)
class Found:
    """One slide of a folder.

    Attributes:
        id: its file's name without ending; of a series a digest of its UID.
        names: what a table may call it; no other slide has any of them.
        path: the file that is opened.
        files: of a series, all of them; empty for any other slide.
        where: below the folder, for people; of a series no name, as it may be a patient's.
    """

    id: str
    names: frozenset[str]
    path: Path
    files: tuple[Path, ...]
    where: str


def find_slides(root: Path, faults: list[Fault]) -> dict[str, Found]:
    """Id -> slide, ascending; of several files with one id none is taken."""
    alike: dict[str, list[Found]] = {}
    series: dict[tuple[Path, str], list[Path]] = {}
    for path in files_below(root, faults):
        if path.name.lower().endswith(ENDINGS):
            alike.setdefault(path.stem, []).append(_of_file(root, path))
        elif uid := _series(root, path):
            series.setdefault((path.parent, uid), []).append(path)
    for (_, uid), paths in series.items():
        one = _of_series(uid, paths)
        alike.setdefault(one.id, []).append(one)
    for name, slides in alike.items():
        if len(slides) > 1:
            places = " and ".join(one.where for one in slides)
            faults.append(Fault(name, None, f"several slides of one name ({places}); keep one"))
    return _unmistakable(
        {name: slides[0] for name, slides in sorted(alike.items()) if len(slides) == 1}
    )


def holds_slides(root: Path) -> bool:
    """Whether a whole slide is among the first files of a folder."""
    for path in islice(files_below(root, []), MOST_ASKED):
        if path.name.lower().endswith(ENDINGS) and is_slide(path):
            return True
        if _series(root, path):
            return True
    return False


def _unmistakable(slides: Mapping[str, Found]) -> dict[str, Found]:
    """The slides without the names that another one has as well, such as of a folder of two."""
    counts = Counter(name for one in slides.values() for name in one.names)
    return {
        key: replace(one, names=frozenset(name for name in one.names if counts[name] == 1))
        for key, one in slides.items()
    }


def _of_file(root: Path, path: Path) -> Found:
    names = frozenset({path.name, path.stem})
    return Found(path.stem, names, path, (), str(path.relative_to(root)))


def _of_series(uid: str, paths: list[Path]) -> Found:
    name = f"series-{digest.of_value(uid)[:12]}"
    names = frozenset({name, uid, paths[0].parent.name, *(path.name for path in paths)})
    return Found(name, names, paths[0], tuple(paths), f"a series of {len(paths)} DICOM files")


def _series(root: Path, path: Path) -> str:
    """The series of a file of slide microscopy, '' where it is none."""
    ending = path.suffix.lower()
    if ending not in DICOM and not ending[1:].isdigit():
        return ""
    said = read_header(root, str(path.relative_to(root)))
    return said.series if isinstance(said, Aside) and said.sop_class == MICROSCOPY else ""
