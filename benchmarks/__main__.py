"""`python -m benchmarks NAME [--json]`: measure one thing and print it."""

from __future__ import annotations

import argparse
import importlib
import json
import platform

NAMES = {
    "hypermm-step": "step time of HyperMM over the same backbone, and with half the PETs",
    "simulation": "milliseconds per simulated subject on one core",
    "series": "milliseconds per classic DICOM series, beside SimpleITK, pydicom and MONAI",
    "dcm2niix": "what dcm2niix makes of every real series, and how fast, beside ours",
    "start": "`mmmed --help` over a bare two-command typer app",
    "train-ad": "wall time and memory of `mmmed train-ad` with its defaults",
    "ceiling": "share of the ceiling reached, three cohort seeds by three job seeds (half an hour)",
    "prepare": "reading, registering, correcting, on two cores and from the cache",
    "index": "files per second of the DICOM index, beside pydicom and GDCM",
    "slides": "tiles per second of a whole slide, beside raw calls of OpenSlide",
    "witnesses": "mean and attention where few of many items tell, beside the oracle",
    "cost": "operations and memory of every method, beside late fusion",
}


def main() -> None:
    """Run one benchmark and print its result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = "; ".join(f"{name}: {what}" for name, what in NAMES.items())
    parser.add_argument("name", choices=NAMES, help=known)
    parser.add_argument("--json", action="store_true", help="print plain JSON")
    chosen = parser.parse_args()
    module = importlib.import_module(f"benchmarks.{chosen.name.replace('-', '_')}")
    result = {"machine": platform.processor() or platform.machine(), **module.measure()}
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    for key, value in result.items():
        print(f"{key}: {value}" if not isinstance(value, list) else "\n".join([key, *value]))


if __name__ == "__main__":
    main()
