from __future__ import annotations

import pytest

from mmmed import config, library
from mmmed.cohorts.reading import CohortSpec, read
from mmmed.config import Spec
from mmmed.errors import StudyError


class Holder(Spec):
    cohort: CohortSpec


def parsed(text, tmp_path):
    path = tmp_path / "cohort.yaml"
    path.write_text(text)
    document = config.read(path)
    config.check_version(document)
    return config.validate(document, Holder, drop=("mmmed",)).cohort


def nested(name):
    text = library.find("cohorts", name, start=None).path.read_text()
    return "mmmed: 1\ncohort:\n" + "".join(
        f"  {line}\n" for line in text.splitlines() if not line.startswith("mmmed:")
    )


@pytest.mark.parametrize("name", ["bids-ad", "bids-scans", "mfeat", "pet-mr-table"])
def test_shipped_cohorts_of_real_data_are_loaded_and_ask_for_a_root(name, tmp_path):
    spec = parsed(nested(name), tmp_path)
    with pytest.raises(StudyError, match=r"--set cohort\.root=DIR"):
        read(spec, name)


def test_the_shipped_bids_cohort_reads_a_bids_folder(bids, tmp_path):
    spec = parsed(nested("bids-ad"), tmp_path).model_copy(update={"root": bids.root})
    assert len(read(spec, "bids-ad").cases) == 4


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("kind: bids", "kind: bid"), "unknown kind 'bid'.*bids"),
        (("suffix: T1w", "sufix: T1w"), "unknown key.*suffix"),
        (("  mri:", "  MRI:"), "'MRI' is no modality name"),
        (("classes: [CN, AD]", "classes: [CN]"), "classes"),
        (("column: diagnosis", "column: 3"), "column"),
    ],
)
def test_a_typo_is_named_with_file_line_and_the_nearest_word(tmp_path, change, fault):
    text = nested("bids-ad").replace(*change)
    with pytest.raises(StudyError, match=fault) as caught:
        parsed(text, tmp_path)
    for line in str(caught.value).splitlines():
        assert line.startswith(f"{tmp_path / 'cohort.yaml'}:")
