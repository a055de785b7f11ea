"""What a run ran on: versions, platform, threads. No user, host or path."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from joblib import cpu_count

from mmmed import __version__

RECORDED = (
    "isal",
    "joblib",
    "lightning",
    "mlflow",
    "monai",
    "nibabel",
    "nilearn",
    "numpy",
    "pandas",
    "pillow",
    "pydantic",
    "scikit-learn",
    "scipy",
    "torch",
)


def environment(*, device: str, threads: int) -> dict[str, Any]:
    """The machine type, versions, device and threads: what bit-exact repetition needs."""
    return {
        "mmmed": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": cpu_count(),
        "device": device,
        "threads": threads,
        "packages": {name: metadata.version(name) for name in RECORDED},
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no file of ours
            names = [
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            ]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
