"""The table of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from mmmed import __version__
from mmmed.cli import (
    check,
    convert,
    doctor,
    init,
    listing,
    predict,
    prepare,
    run,
    schema,
    show,
    simulate,
    track,
    train_ad,
    train_breakhis,
    verify_mask,
)
from mmmed.errors import MmmedError

INTERRUPTED = 130

_GOES_ON = {
    "train-ad": "goes on with --resume",
    "train-breakhis": "goes on with --resume",
    "run": "goes on with --resume",
    "convert": "goes on when run again with the same folders",
    "prepare": "goes on when run again with the same folders",
    "verify-mask": "goes on when run again with the same run",
    "simulate": "goes on when run again with the same folder and options",
}
"""Command -> how what was done of it is taken up."""

app = typer.Typer(
    name="mmmed",
    help="Train, study and deploy classifiers that keep working when a scan is missing. "
    "Research software: not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("train-ad")(train_ad.train_ad)
app.command("train-breakhis")(train_breakhis.train_breakhis)
app.command("run")(run.run)
app.add_typer(simulate.app, name="simulate", help="Write a simulated cohort with a known ceiling.")
app.command("check")(check.check)
app.command("convert")(convert.convert)
app.command("prepare")(prepare.prepare)
app.command("predict")(predict.predict)
app.command("track")(track.track)
app.command("verify-mask")(verify_mask.verify_mask)
app.command("init")(init.init)
app.command("list")(listing.listing)
app.command("show")(show.show)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mmmed {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it and stop.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with its documented code."""
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # paths may be no text
    # joblib replaces a process that has grown, and goes on
    warnings.filterwarnings("ignore", message="A worker stopped", category=UserWarning)
    sys.exit(exit_code(sys.argv[1:] if arguments is None else arguments))


def exit_code(arguments: Sequence[str]) -> int:
    """Run a command line, say what went wrong on stderr, and return its documented code."""
    debug = "--debug" in arguments
    code = _run([one for one in arguments if one != "--debug"], debug=debug)
    if code == INTERRUPTED:
        _complain(_interrupted(arguments), debug=False)
    return code


def _run(arguments: Sequence[str], *, debug: bool) -> int:
    try:
        result = app(list(arguments), prog_name="mmmed", standalone_mode=False)
    except MmmedError as error:
        _complain(str(error), debug=debug)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last boundary before the shell
        return _unforeseen(error, debug=debug)
    return result if isinstance(result, int) else 0


def _unforeseen(error: Exception, *, debug: bool) -> int:
    """Typer's own complaints, whose classes moved between its versions, and real surprises."""
    message = getattr(error, "format_message", None)
    if message is None:
        _complain(f"unexpected {type(error).__name__}: {error}; --debug shows where", debug=debug)
        return 1
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message(), err=True)
    else:
        _complain(f"{_one_line(message())}; see {_command(error)} --help", debug=debug)
    return int(getattr(error, "exit_code", 2))


def _command(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "mmmed"


def _one_line(text: str) -> str:
    return " ".join(text.replace("Value error, ", "").split()).rstrip(".")


def _interrupted(arguments: Sequence[str]) -> str:
    command = next((one for one in arguments if not one.startswith("-")), "mmmed")
    return f"{command} interrupted; it {_GOES_ON.get(command, 'starts anew when run again')}"


def _complain(message: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    for line in message.splitlines():
        typer.echo(f"mmmed: {line}", err=True)


def _interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt
