"""Every file of a folder is part of one series or of one line."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from study import SERIES, STUDY, slice_of, write, write_series

from mmmed.errors import NothingReadable
from mmmed.readers.dicom import directory, index
from mmmed.readers.dicom.header import identity
from mmmed.readers.dicom.index import Index, read_index

DISC = "directory"


def accounted(found: Index) -> int:
    """Files that have a series or a line; what a DICOMDIR lists and is not there is none."""
    aside = [one for one in found.aside if one.sop_class != directory.CLASS or one.code == DISC]
    return sum(len(one.headers) for one in found.series) + len(aside)


def codes(found: Index) -> list[str]:
    return [one.code for one in found.aside]


def test_files_are_grouped_by_study_and_series_in_any_nesting(tmp_path: Path) -> None:
    write_series(tmp_path / "a" / "b")
    write_series(tmp_path / "c", 4, series=f"{SERIES}.7")
    write(slice_of(7), tmp_path / "far" / "away" / "slice.with.dots")
    found = read_index(tmp_path)
    assert [(one.uid, len(one.headers)) for one in found.series] == [
        (SERIES, 7),
        (f"{SERIES}.7", 4),
    ]
    assert found.aside == ()
    assert all(path.is_file() for one in found.series for path in one.paths)


def test_one_series_uid_in_two_studies_is_two_series(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 2)
    write_series(tmp_path / "b", 2, StudyInstanceUID=f"{STUDY}.5")
    assert [len(one.headers) for one in read_index(tmp_path).series] == [2, 2]


def test_the_index_is_the_same_for_any_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path / "a", 9)
    (tmp_path / "note.txt").write_text("no DICOM")
    alone = read_index(tmp_path, jobs=1)
    monkeypatch.setattr(index, "WORTH_WORKERS", 0)
    monkeypatch.setattr(index, "CHUNK", 3)
    assert read_index(tmp_path, jobs=2) == alone


def test_progress_counts_files(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    heard: list[tuple[int, int]] = []
    read_index(tmp_path, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (3, 3)


def test_a_file_alone_is_read_alone(tmp_path: Path) -> None:
    first, *_ = write_series(tmp_path, 3)
    (only,) = read_index(first).series
    assert only.paths == (first,)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingReadable, match="is not there"):
        read_index(tmp_path / "nowhere")


def test_a_copy_is_set_aside_and_names_the_first(tmp_path: Path) -> None:
    first, *_ = write_series(tmp_path / "a", 3)
    shutil.copy(first, tmp_path / "z")
    found = read_index(tmp_path)
    assert len(found.series[0].headers) == 3
    (line,) = found.aside
    assert (line.path, line.code) == ("z", "copy")
    assert "a/IM001" in line.text


def test_a_copy_is_not_looked_for_among_files_of_other_sizes(tmp_path: Path) -> None:
    """A file of 100 GB would take minutes; as large as it a second time, it is compared neither."""
    first, *_ = write_series(tmp_path / "a", 2)
    for name in ("b", "c"):
        shutil.copy(first, tmp_path / name)
        with (tmp_path / name).open("ab") as file:
            file.truncate(100 << 30)
    found = read_index(tmp_path)
    assert [len(one.headers) for one in found.series] == [4]
    assert found.aside == ()


def test_two_files_of_one_instance_that_differ_both_stay(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    write(slice_of(1, ImagePositionPatient=[0.0, 0.0, 99.0]), tmp_path / "z")
    found = read_index(tmp_path)
    assert len(found.series[0].headers) == 4
    assert found.aside == ()


def test_a_study_with_two_patient_ids_is_refused_series_by_series(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    write_series(tmp_path / "b", 3, series=f"{SERIES}.7", PatientID="two")
    write_series(
        tmp_path / "c", 3, series=f"{SERIES}.8", StudyInstanceUID=f"{STUDY}.5", PatientID="two"
    )
    found = read_index(tmp_path)
    assert [one.study for one in found.series] == [f"{STUDY}.5"]
    assert [(one.path, one.verdict, one.code) for one in found.aside] == [
        ("a/IM001", "refused", "several-patients"),
        ("b/IM001", "refused", "several-patients"),
    ]
    assert "2 different Patient IDs" in found.aside[0].text
    assert "; 3 files: correct" in found.aside[0].text


def test_an_issuer_that_one_file_states_holds_for_its_study(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    write_series(tmp_path / "b", 1, series=f"{SERIES}.7", IssuerOfPatientID="clinic")
    found = read_index(tmp_path)
    assert found.aside == ()
    identities = {header.identity for one in found.series for header in one.headers}
    assert identities == {identity("one", "clinic")}


def test_one_patient_id_of_two_issuers_is_refused_by_their_name(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 3)
    for place, issuer in enumerate(("clinic", "practice")):
        write_series(tmp_path / issuer, 1, series=f"{SERIES}.{place}", IssuerOfPatientID=issuer)
    found = read_index(tmp_path)
    assert found.series == ()
    assert (
        "2 different values of IssuerOfPatientID (0010,0021) to one Patient ID"
        in found.aside[0].text
    )


def test_one_file_of_a_study_with_two_patient_ids_is_not_counted_as_many(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 1)
    write_series(tmp_path / "b", 1, series=f"{SERIES}.7", PatientID="two")
    assert "; 1 file: correct" in read_index(tmp_path).aside[0].text


def test_names_with_blanks_and_other_scripts_are_paths_like_any(tmp_path: Path) -> None:
    write_series(tmp_path / "Kopf MRT 頭部", 2)
    (found,) = read_index(tmp_path).series
    assert [one.path for one in found.headers] == ["Kopf MRT 頭部/IM001", "Kopf MRT 頭部/IM002"]


def test_a_name_that_is_no_text_is_read_and_shown(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    write_series(folder, 2)
    (folder / "note\n1").write_text("x")
    found = read_index(tmp_path)
    assert len(found.series[0].headers) == 2
    assert found.aside[0].path == r"caf\xe9/note\n1"


def test_a_loop_of_links_ends_and_is_a_line(tmp_path: Path) -> None:
    write_series(tmp_path / "a", 2)
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    found = read_index(tmp_path)
    assert len(found.series[0].headers) == 2
    assert codes(found) == ["link-loop"]


def test_linked_files_and_folders_elsewhere_are_followed(tmp_path: Path) -> None:
    write_series(tmp_path / "store", 2)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "store", target_is_directory=True)
    (found,) = read_index(tmp_path / "in").series
    assert [one.path for one in found.headers] == ["folder/IM001", "folder/IM002"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that anyone may enter."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    (path / "closed").chmod(0o755)
    shutil.rmtree(path)


@pytest.fixture
def nobody() -> Iterator[Callable[[], None]]:
    """Called, it takes the rights of someone who owns nothing, where the tests run as root."""
    root = os.geteuid() == 0
    yield lambda: os.seteuid(65534) if root else None
    if root:
        os.seteuid(0)


def test_a_closed_folder_and_a_closed_file_are_lines(
    open_folder: Path, nobody: Callable[[], None]
) -> None:
    write_series(open_folder / "open", 2)
    write_series(open_folder / "closed", 2)
    (open_folder / "open" / "IM002").chmod(0)
    (open_folder / "closed").chmod(0)
    nobody()
    found = read_index(open_folder)
    assert len(found.series[0].headers) == 1
    assert codes(found) == ["folder-closed", "cannot-read"]
    assert all("Permission denied" in one.text for one in found.aside)


@pytest.mark.shared
def test_every_real_file_is_accounted_for(data: Path) -> None:
    for folder in ("dicom-fuzz", "dicom-odd-pydicom", "mr-enhanced", "pet-mr-ct-sts"):
        files = sum(path.is_file() for path in (data / folder).rglob("*"))
        found = read_index(data / folder)
        refused = sum(one.code == "several-patients" for one in found.aside)
        assert refused or accounted(found) == files


@pytest.mark.shared
def test_real_series_are_found(data: Path) -> None:
    found = read_index(data / "pet-mr-ct-sts")
    assert sorted((one.modality, len(one.headers)) for one in found.series) == [
        ("MR", 42),
        ("MR", 47),
        ("PT", 51),
        ("PT", 55),
    ]
    assert Counter(codes(found))["radiotherapy"] == 4
