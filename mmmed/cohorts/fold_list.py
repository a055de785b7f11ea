"""Text files that say of each name on which side of which fold it stands, as BreakHis publishes.

    name|magnification|fold|train-or-test        SOB_B_A-14-22549AB-40-001.png|40|1|train
    name|fold|train-or-test                      sub-001|1|train

name  of an item's file, or the id of a case
fold  a number from 1 on; the folds may lie in one file or in several

A line that cannot be used is told and left out, and so is a name on both sides of a fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.errors import DataError, StudyError
from mmmed.readers.breakhis import parse
from mmmed.readers.dicom.line import one_line

LARGEST = 64 << 20
"""Bytes of the largest file read; BreakHis' five folds have 2 MiB."""

TOLD = 5
"""Lines of a file, or names of a fold, that are told one by one; the others are counted."""

ENDING = ".txt"
SIDES = ("train", "test")
FORM = "name|magnification|fold|train-or-test"


@dataclass(frozen=True)
class FoldList:
    """What lists say.

    Attributes:
        sides: fold -> name -> whether it is tested.
        remarks: a sentence for what is left out.
    """

    sides: dict[int, dict[str, bool]]
    remarks: tuple[str, ...]


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant: those that are named, and those of a folder that is.

    Raises:
        StudyError: there is no such file, or a folder holds no list.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.name.lower().endswith(ENDING))
            if not inside:
                raise StudyError(f"{path}: holds no {ENDING} file; name the lists of the folds")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise StudyError(f"{path}: no such file; splits.files names the lists of the folds")
    return found


def read_lists(paths: Sequence[Path]) -> FoldList:
    """The lists in these files and folders.

    Raises:
        StudyError: a file or folder is not there.
        DataError: a file is no text, or too large.
    """
    remarks: list[str] = []
    named: dict[int, dict[str, set[bool]]] = {}
    for path in files_of(paths):
        for fold, name, tested in _entries(path, remarks):
            named.setdefault(fold, {}).setdefault(name, set()).add(tested)
    for fold, names in sorted(named.items()):
        torn = [name for name, said in names.items() if len(said) > 1]
        remarks += [
            f"fold-{fold}: {name} stands in train and test; left out" for name in torn[:TOLD]
        ]
        if len(torn) > TOLD:
            remarks.append(f"fold-{fold}: {len(torn) - TOLD} more names stand so; left out")
    sides = {
        fold: {name: next(iter(said)) for name, said in names.items() if len(said) == 1}
        for fold, names in sorted(named.items())
    }
    return FoldList(sides, tuple(remarks))


def _entries(path: Path, remarks: list[str]) -> Iterator[tuple[int, str, bool]]:
    """Fold, name and side of every line that can be used."""
    refused: list[str] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            yield _entry(line)
        except DataError as error:
            refused.append(f"{path.name}: line {number}: {error}; left out")
    remarks += refused[:TOLD]
    if len(refused) > TOLD:
        remarks.append(f"{path.name}: {len(refused) - TOLD} more lines cannot be used; left out")


def _lines(path: Path) -> Iterable[str]:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: is larger than {LARGEST >> 20} MiB; is it a list of folds?")
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text in UTF-8; is it a list of folds?") from error


def _entry(line: str) -> tuple[int, str, bool]:
    """Fold, name and whether it is tested, or a DataError that says what is wrong."""
    name, *middle, fold, side = _cells(line)
    if side not in SIDES:
        raise DataError(f"{one_line(side)!r} is no side; allowed: {', '.join(SIDES)}")
    if not (fold.isascii() and fold.isdigit() and 0 < int(fold) < 1000):
        raise DataError(f"unknown fold {one_line(fold)!r}; folds are numbers from 1 on")
    name = one_line(name.rpartition("/")[2])
    for magnification in middle:
        _check_magnification(name, one_line(magnification))
    return int(fold), name, side == "test"


def _cells(line: str) -> list[str]:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) not in (3, 4) or not all(cells):
        raise DataError(f"{one_line(line)!r} is truncated or no line of a list ({FORM})")
    return cells


def _check_magnification(name: str, stated: str) -> None:
    said = parse(name)
    if said is None:
        raise DataError(f"{name} is no name of BreakHis, which has magnifications; leave it out")
    if str(said.magnification) != stated:
        raise DataError(f"{name} has magnification {said.magnification} by name, here {stated!r}")
