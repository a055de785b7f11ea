"""How long `mmmed --help` takes over a bare typer app with two commands."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

RUNS = 11
BARE = """
import typer
app = typer.Typer()
@app.command()
def one(name: str = 'x') -> None:
    'First.'
@app.command()
def two(name: str = 'x') -> None:
    'Second.'
app(['--help'])
"""
OURS = "from mmmed.cli.app import main; main(['--help'])"


def measure() -> dict[str, Any]:
    """Median seconds of both, taken in turns, and the median of the pairwise ratios."""
    pairs = [(_seconds(OURS), _seconds(BARE)) for _ in range(RUNS)]
    return {
        "ours_s": round(statistics.median(ours for ours, _ in pairs), 3),
        "bare_s": round(statistics.median(bare for _, bare in pairs), 3),
        "ratio": round(statistics.median(ours / bare for ours, bare in pairs), 3),
        "asked": "<= 1.5",
    }


def _seconds(program: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return time.perf_counter() - begun
