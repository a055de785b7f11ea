"""The report of a study: the answer first, then figures, methods as a paper tells them, tables."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmmed.audit.report import write_report
from mmmed.errors import RunError
from mmmed.record import atomic

VOID = {"meta", "img", "br", "hr"}


class Order(HTMLParser):
    """Headings, links and the text of every section, in the order of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.links: list[str] = []
        self.parts: dict[str, list[str]] = {}
        self.paragraphs: dict[str, list[str]] = {}
        self._place = ""
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "section":
            self._place = str(values["id"])
            self.parts[self._place], self.paragraphs[self._place] = [], []
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "a":
            self.links.append(str(values["href"]))
        if tag == "p" and self._place:
            self._inside = True
            self.paragraphs[self._place].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._place:
            self.parts[self._place].append(data)
        if self._inside:
            self.paragraphs[self._place][-1] += data

    def words(self, section: str) -> str:
        return " ".join(" ".join(self.parts[section]).split())


def order(run: Path) -> Order:
    return Order(write_report(run).read_text(encoding="utf-8"))


def edited(run: Path, name: str, change: Any) -> None:
    document = json.loads((run / name).read_text())
    change(document)
    atomic.write_json(run / name, document)


def restated(run: Path, text: str) -> None:
    with (run / "study.yaml").open("a") as file:
        file.write(text)


def test_the_question_then_the_answer_are_the_first_paragraphs(studied: Path) -> None:
    question, answer, *_ = order(studied).paragraphs["answer"]
    assert question == "What does each lost PET cost?"
    assert answer.startswith("Which method? Inconclusive: hypermm leads (mean AUROC over the")
    assert "What does a lost pet cost? With hypermm, each further 10 % of pet lost" in answer
    assert "Is pet worth anything? Not shown" in answer


def test_the_answer_bears_the_numbers_of_the_tables(studied: Path) -> None:
    with (studied / "tables" / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    (row,) = [one for one in rows if (one["method"], one["measure"]) == ("hypermm", "auroc")]
    area = [f"{float(row[name]):.3f}".removeprefix("0") for name in ("area", "area_low")]
    slope = f"{float(row['slope']) / 10:+.3f}".replace("0.", ".")
    answer = order(studied).paragraphs["answer"][1]
    assert f"{area[0]} [{area[1]}, " in answer
    assert f"changes AUROC by {slope} [" in answer


def test_every_sentence_of_the_statistics_stands_below_it(studied: Path) -> None:
    said = order(studied).words("answer")
    answers = json.loads((studied / "statistics.json").read_text())["answers"]
    assert answers
    assert all(sentence in said for sentence in answers)


def test_imputing_is_answered_where_a_method_imputes(studied: Path) -> None:
    assert "Is imputing worth anything?" not in order(studied).words("answer")
    study = (studied / "study.yaml").read_text()
    methods = "- {kind: imputation, name: late-sum, imputer: {kind: mean}}\n"
    (studied / "study.yaml").write_text(study + methods)
    said = order(studied).words("answer")
    assert "Is imputing worth anything? Inconclusive, as trained here it loses" in said
    assert "late-sum, the best that imputes, against hypermm" in said


def test_failed_jobs_are_named_before_any_figure(studied: Path) -> None:
    settings = {"method": {"name": "gan"}, "train": "mcar 0.5", "fold": "holdout", "seed": 1}
    folder = studied / "jobs" / "1c2d"
    atomic.write_json(folder / "settings.json", settings)
    atomic.write_text(folder / "failed.txt", "out of <memory>\n")
    page = order(studied)
    assert "1 of 1 jobs failed" in page.words("answer")
    assert "gan, trained mcar 0.5, fold holdout, seed 1: out of <memory>" in page.words("answer")
    assert list(page.parts)[:4] == ["answer", "figures", "methods", "tables"]
    atomic.write_text(folder / "done", "")
    assert "failed" not in order(studied).words("answer")


def test_headings_skip_no_level(studied: Path) -> None:
    levels = order(studied).levels
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_tables_are_linked_beside_the_page(studied: Path) -> None:
    (studied / "tables" / "scores.tex").write_text("\\begin{tabular}{l}\\end{tabular}\n")
    (studied / "tables" / "notes.exe").write_text("")
    links = [link for link in order(studied).links if not link.startswith("#")]
    assert "tables/scores.tex" in links
    assert "tables/comparisons.csv" in links
    assert all((studied / link).is_file() for link in links)
    assert not [link for link in links if link.endswith(".exe")]


def test_every_cell_of_the_table_has_its_counts(studied: Path) -> None:
    # 40 test cases, 20 of them positive, one model per method
    assert re.search(r"mri forced hypermm \.985 .* 40 20 1 n/a", order(studied).words("tables"))


def test_figures_come_in_the_order_of_the_argument(studied: Path) -> None:
    figures = studied / "figures"
    for name in ("cost-accuracy-auroc", "ranks-auroc", "differences-methods", "other-thing"):
        shutil.copy(figures / "patterns.png", figures / f"{name}.png")
    said = order(studied).words("figures")
    places = [
        said.index(name)
        for name in (
            "robustness-mcar",
            "differences-methods",
            "ranks-auroc",
            "cost-accuracy-auroc",
            "other-",
        )
    ]
    assert places == sorted(places)


def test_the_methods_say_what_was_masked_and_how(studied: Path) -> None:
    restated(
        studied,
        "protocols:\n"
        "  train: [{kind: mar, modality: pet, rate: 0.5, seed: 3, slopes: {age: 1.5}}]\n"
        "  test: [{kind: every-pattern}, {kind: mcar, name: lost, modality: pet, rate: [0.5, 1]}]\n"
        "seeds: [0]\n"
        "tune: {trials: 4, by: loss}\n",
    )
    said = order(studied).words("methods")
    assert (
        "pet was hidden at random given recorded covariates (MAR), with log-odds slopes age +1.5"
    ) in said
    assert "at rate 50%, seed 3" in said
    assert "lost: pet was hidden completely at random (MCAR) at rate 50%, 100%" in said
    assert "mcar 50%, train pet: 6 naturally absent, 12 of 18 hidden" in said
    assert "tuned with 4 trials per method" in said
    assert "Each method was trained once per fold" in said
    assert "No subject stands in two parts of a fold" in said
    assert "adjusted by Holm within each at alpha 0.05" in said
    assert "with numpy 2.4" in said


def test_what_is_not_recorded_is_called_so(studied: Path) -> None:
    for name in ("study.yaml", "environment.json", "statistics.json", "presence.tsv", "splits.tsv"):
        (studied / name).unlink()
    said = order(studied).words("methods")
    assert "Software and machine were not recorded." in said
    assert "The budget of training was not recorded." in said
    assert "What was hidden in the end was not recorded." in said
    assert "who was in which part was not recorded" in said
    assert "Tests between methods were not recorded." in said
    assert "How often each method was trained was not recorded." in said
    assert "None" not in said


def test_steps_of_a_chain_that_were_left_out_are_counted(studied: Path) -> None:
    steps = "register: skipped, space is declared; z-score: mean {}, sd 2"
    done = {"pet": {steps.format(1): 3, steps.format(2): 4, "register: to mni; z-score: m": 2}}
    atomic.write_json(studied / "preparation.json", done)
    assert "pet: register was skipped, space is declared (7 of 9 items)" in order(studied).words(
        "methods"
    )


def test_masks_that_differ_between_methods_are_said(studied: Path) -> None:
    for name, shown in (("one", "a"), ("two", "a")):
        settings = {"method": {"name": name}, "fold": "holdout", "seed": 0, "shown": shown}
        atomic.write_json(studied / "jobs" / name / "settings.json", settings)
    assert "all jobs (2 in the study) had the same splits, masks" in order(studied).words("methods")
    edited(studied, "jobs/two/settings.json", lambda value: value.update(shown="b"))
    assert "masks or test views differ between the jobs" in order(studied).words("methods")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "states no `mmmed-study: 1`"),
        ('{"mmmed-study": 2}', "states no `mmmed-study: 1`"),
        ('{"mmmed-study": 1, "headline": "auroc"}', "is no record of statistics"),
    ],
)
def test_broken_statistics_are_named_in_one_line(studied: Path, text: str, said: str) -> None:
    (studied / "statistics.json").write_text(text)
    with pytest.raises(RunError, match=re.escape(said)) as caught:
        write_report(studied)
    assert "\n" not in str(caught.value)


@pytest.mark.browser
def test_a_browser_shows_the_answer_and_asks_for_nothing(studied: Path, tmp_path: Path) -> None:
    page, picture = write_report(studied), tmp_path / "page.png"
    done = subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=400,1200", f"--screenshot={picture}", page.as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr  # where a refused picture or style would be told
    colours = Image.open(picture).convert("RGB").getcolors(maxcolors=1 << 20)
    assert colours is not None
    assert len(colours) > 50
