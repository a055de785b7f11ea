"""The table of um per pixel."""

from pathlib import Path

import pytest

from mmmed.errors import DataError
from mmmed.readers.slide.overrides import read_overrides


def written(folder: Path, text: str) -> Path:
    path = folder / "mpp.csv"
    path.write_text(text)
    return path


def test_a_table_gives_um_per_pixel_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, "wsi,mpp,site\na.svs,0.2527,3\nb.tif,0.5,3\nc.tif,n/a,4\n")
    assert read_overrides(path) == {"a.svs": 0.2527, "b.tif": 0.5}


def test_every_line_at_fault_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "wsi,mpp\na,0.5\na,0.5\n,0.5\nb,x\nc,250\nd,-1\ne,nan\nf,1e-4\n")
    with pytest.raises(DataError) as told:
        read_overrides(path)
    lines = str(told.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [f"line {number}" for number in range(3, 10)]
    assert "stands in two rows" in lines[0]
    assert "is no number" in lines[2]
    assert "in mm or nm" in lines[3]


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column 'mpp' is missing; its header is wsi,mpp"):
        read_overrides(written(tmp_path, "wsi,resolution\na,0.5\n"))
