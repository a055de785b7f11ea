"""What becomes of errors on their way to the shell."""

from __future__ import annotations

import pytest

from mmmed import library
from mmmed.cli.app import exit_code
from mmmed.conversion import folder
from mmmed.errors import DataError, MmmedError, NothingReadable, PartlyFailed, RunError, StudyError
from mmmed.simulation import bids


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Let a command end with an error: its exit code and what stands on stderr."""

    def end(
        error: BaseException, *options: str, command: tuple[str, ...] = ("list", "cohorts")
    ) -> tuple[int, str]:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(library, "names", fail)
        monkeypatch.setattr(library, "find", fail)
        monkeypatch.setattr(folder, "read_index", fail)
        monkeypatch.setattr(bids, "write", fail)
        code = exit_code([*command, *options])
        return code, capsys.readouterr().err

    return end


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MmmedError("x"), 1),
        (StudyError("x"), 2),
        (DataError("x"), 2),
        (RunError("x"), 2),
        (NothingReadable("x"), 3),
        (PartlyFailed("x"), 8),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else None,
)
def test_an_error_is_one_line_and_its_own_code(said, error: MmmedError, code: int) -> None:
    assert said(error) == (code, "mmmed: x\n")


def test_several_faults_are_a_line_each(said) -> None:
    assert said(StudyError("one\ntwo")) == (2, "mmmed: one\nmmmed: two\n")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("list", "cohorts"), "list interrupted; it starts anew"),
        (("run", "toy/xor"), "run interrupted; it goes on with --resume"),
        (("convert", "nowhere", "out"), "convert interrupted; it goes on when run again"),
        (("simulate", "ad", "out"), "simulate interrupted; it goes on when run again"),
    ],
)
def test_an_interrupt_is_130_and_says_how_to_go_on(
    said, command: tuple[str, ...], words: str
) -> None:
    code, text = said(KeyboardInterrupt(), command=command)
    assert code == 130
    assert words in text


def test_a_surprise_is_1_and_says_how_to_see_more(said) -> None:
    code, text = said(ZeroDivisionError("by zero"))
    assert code == 1
    assert text == "mmmed: unexpected ZeroDivisionError: by zero; --debug shows where\n"


def test_a_traceback_is_printed_with_debug_alone(said) -> None:
    assert "Traceback" in said(StudyError("x"), "--debug")[1]
    assert "Traceback" not in said(StudyError("x"))[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian-ad"], ["trian-ad", "train-ad", "see mmmed --help"]),
        (["train-ad", "--sedes", "0"], ["--sedes", "--seeds", "see mmmed train-ad --help"]),
        (["train-ad", "--seeds"], ["--seeds", "requires an argument"]),
        (["train-ad", "--jobs", "0"], ["--jobs", "see mmmed train-ad --help"]),
        (["predict"], ["model", "see mmmed predict --help"]),
        (["list", "nothing"], ["nothing", "cohorts", "see mmmed list --help"]),
    ],
)
def test_wrong_usage_is_one_line_and_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    assert exit_code(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mmmed: ")
    for word in words:
        assert word in line


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code([])
    said = capsys.readouterr()
    assert "train-ad" in said.err + said.out


def test_simulating_into_a_place_that_cannot_be_written_to_is_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(["simulate", "ad", "/proc/cohort", "--subjects", "4"]) == 2
    assert "/proc/cohort: cannot be written to" in capsys.readouterr().err
