"""The README tells the truth."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_snippet_prints_what_stands_below_it() -> None:
    code, shown = re.search(r"```python\n(.*?)```\n```\n(.*?)```", README, re.DOTALL).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == shown


def test_the_two_commands_stand_on_one_line_each() -> None:
    commands = re.findall(r"^python -m pip install -c constraints\.txt .*$", README, re.MULTILINE)
    assert [command.rsplit("&& ", 1)[1] for command in commands] == ["mmmed train-ad", "pytest"]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_local_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_the_table_of_commands_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from mmmed.cli.app import main; main(['--help'])"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    offered = set(
        re.findall(r"^  ([a-z][a-z-]+) ", done.stdout.split("Commands:")[1], re.MULTILINE)
    )
    table = README.split("## Commands", 1)[1].split("\n## ", 1)[0]
    told = set(re.findall(r"`(?:mmmed )?([a-z][a-z-]+)", table))
    assert offered
    assert offered <= told


def test_the_table_of_methods_is_the_programs() -> None:
    from mmmed.models import METHODS

    table = README.split("## Methods", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == [one.kind for one in METHODS]
