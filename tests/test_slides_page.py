"""The page on whole slides: its examples run."""

import contextlib
import io
import re
import warnings
from pathlib import Path

import pytest
from slides import island, write_tiff

PAGE = Path(__file__).resolve().parent.parent / "docs" / "slides.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slides").mkdir()
    (tmp_path / "mpp.csv").write_text("wsi,mpp\none.tif,0.5\n")
    write_tiff(tmp_path / "slides" / "one.tif", island(512, 640, (64, 64, 448, 576)), mpp=0.5)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LoadImage makes MONAI's own readers too, and they warn
        for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
            exec(compile(code, "slides.md", "exec"), names)
    assert printed.getvalue().splitlines() == [
        "6 locations; [0.5, 1.0] um per pixel",
        "[(3, 64, 64), (3, 64, 64), (3, 64, 64), (3, 64, 64)]",
        "[(3, 64, 64), (3, 64, 64)]",
        "(3, 64, 80)",
    ]
