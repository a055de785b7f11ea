"""Options, markers and the folder of real files."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; read before torch

ROOT = Path(__file__).resolve().parent.parent
ON_DEMAND = ("slow",)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", type=Path, help="folder of real files (else MMMED_TEST_DATA)")
    parser.addoption("--slow", action="store_true", help="run the tests marked slow")
    parser.addoption(
        "--require",
        default="",
        help="markers, comma separated, whose tests must run: a skip is a failure",
    )


def _data(config: pytest.Config) -> Path | None:
    named = config.getoption("--data") or os.environ.get("MMMED_TEST_DATA")
    candidates = [Path(named)] if named else [ROOT.parent / "shared" / "data"]
    return next((path for path in candidates if path.is_dir()), None)


def _lacking(marker: str, config: pytest.Config) -> str | None:
    """Why the tests of a marker cannot run here; None where they can."""
    if marker == "slow":
        return None if config.getoption("--slow") else "slow: run with --slow"
    if marker == "shared":
        return None if _data(config) else "no folder of real files: pass --data DIR"
    if marker == "dask":
        return None if importlib.util.find_spec("distributed") else "dask is not installed"
    if marker == "ray":
        return None if importlib.util.find_spec("ray") else "ray is not installed"
    if marker == "pacs":
        return None if shutil.which("Orthanc") else "Debian's orthanc is not installed"
    if marker == "browser":
        return None if shutil.which("chromium") else "Debian's chromium is not installed"
    if marker == "gpu":
        import torch

        return None if torch.cuda.is_available() else "no CUDA device"
    return None


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their size: what a file holds (a date, say) may differ by worker."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    required = {name for name in config.getoption("--require").split(",") if name}
    for marker in ("shared", "dask", "ray", "pacs", "browser", "gpu", "slow"):
        chosen = [item for item in items if item.get_closest_marker(marker)]
        reason = _lacking(marker, config) if chosen else None
        if reason is None:
            continue
        if marker in required:
            raise pytest.UsageError(f"--require {marker}, but: {reason}")
        for item in chosen:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def data(pytestconfig: pytest.Config) -> Path:
    """The folder of real files; use it with the marker `shared`."""
    found = _data(pytestconfig)
    if found is None:
        pytest.skip("no folder of real files: pass --data DIR")
    return found


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is made once for several tests is made, not found in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMMED_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("MMMED_CACHE", str(tmp_path / "cache"))
