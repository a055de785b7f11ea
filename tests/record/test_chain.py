"""The chain of a run: every file once, every link after the one before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmmed.errors import RunError
from mmmed.record import atomic, chain, digest


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A closed run of two files."""
    (tmp_path / "study.yaml").write_text("study: x\n")
    (tmp_path / "jobs" / "a").mkdir(parents=True)
    (tmp_path / "jobs" / "a" / "done").write_text("")
    chain.write(tmp_path, inputs={"data/a.nii": "0" * 64}, by="mmmed run x")
    return tmp_path


def edit(run: Path, change: object) -> None:
    (run / chain.NAME).write_text(json.dumps(change))


def test_a_chain_holds_the_digest_of_every_file_and_input(run: Path) -> None:
    (link,) = chain.read(run)
    assert link == {
        "by": "mmmed run x",
        "previous": None,
        "inputs": {"data/a.nii": "0" * 64},
        "files": {name: digest.of_file(run / name) for name in ("jobs/a/done", "study.yaml")},
    }


def test_a_later_command_adds_one_link_with_its_own_files(run: Path) -> None:
    (first,) = chain.read(run)
    (run / "sub").mkdir()
    (run / "sub" / chain.NAME).write_text("not the run's own chain")
    chain.append(run, by="mmmed track")
    before, link = chain.read(run)
    assert before == first
    assert link["previous"] == digest.of_value(first)
    assert list(link["files"]) == [f"sub/{chain.NAME}"]


def test_an_unfinished_write_is_no_file_of_the_run(run: Path) -> None:
    (run / f"{atomic.UNFINISHED}12345678-metrics.json").write_text("{")
    chain.append(run, by="again")
    assert chain.read(run)[1]["files"] == {}


def test_a_changed_file_no_longer_has_its_digest(run: Path) -> None:
    (link,) = chain.read(run)
    (run / "study.yaml").write_text("study: y\n")
    changed = [name for name, was in link["files"].items() if digest.of_file(run / name) != was]
    assert changed == ["study.yaml"]


def test_a_changed_link_breaks_the_chain(run: Path) -> None:
    (run / "late").write_text("")
    chain.append(run, by="later")
    value = json.loads((run / chain.NAME).read_text())
    value["links"][0]["files"]["study.yaml"] = "f" * 64
    edit(run, value)
    with pytest.raises(RunError, match="link 1 does not follow the one before"):
        chain.read(run)


def test_a_removed_first_link_breaks_the_chain(run: Path) -> None:
    chain.append(run, by="later")
    value = json.loads((run / chain.NAME).read_text())
    edit(run, {**value, "links": value["links"][1:]})
    with pytest.raises(RunError, match="link 0 does not follow"):
        chain.read(run)


def test_a_run_that_did_not_end_has_no_chain(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"chain\.json: no chain here; the run did not end"):
        chain.append(tmp_path, by="x")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("<html>", "is no JSON"),
        ("\x00", "is no JSON"),
        ("[]", "is no chain of version 1"),
        ('{"version": 2, "links": []}', "is no chain of version 1"),
        ('{"version": 1}', "holds no links"),
        ('{"version": 1, "links": []}', "holds no links"),
        ('{"version": 1, "links": [3]}', "holds no links"),
        ('{"version": 1, "links": [{"previous": null}]}', "holds no links"),
    ],
)
def test_a_foreign_file_is_no_chain(run: Path, content: str, fault: str) -> None:
    (run / chain.NAME).write_text(content)
    with pytest.raises(RunError, match=rf"chain\.json: {fault}"):
        chain.read(run)
