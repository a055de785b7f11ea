from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmmed.audit.folder import LARGEST
from mmmed.audit.report import write_report
from mmmed.errors import RunError
from mmmed.record import atomic, table

VOID = {"meta", "img", "br", "hr"}


class Page(HTMLParser):
    """What a browser would see: elements, their nesting, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def page(run: Path) -> Page:
    return Page(write_report(run).read_text(encoding="utf-8"))


def test_every_element_is_closed(run: Path) -> None:
    assert page(run).open == []


def test_a_run_without_a_proof_of_non_use_says_so(run: Path) -> None:
    assert "not verified; mmmed verify-mask RUN" in page(run).words


def test_the_page_loads_nothing_and_executes_nothing(run: Path) -> None:
    html = write_report(run).read_text(encoding="utf-8")
    found = Page(html)
    assert found.of("script") == []
    assert found.of("link") == []
    assert re.findall(r"https?://", html) == []
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in found.of("img"))
    assert all(str(link["href"]).startswith("#") for link in found.of("a"))


def test_every_link_leads_to_a_section(run: Path) -> None:
    found = page(run)
    places = {f"#{section['id']}" for section in found.of("section")}
    assert {link["href"] for link in found.of("a")} == places


def test_landmarks_captions_and_descriptions_are_there(run: Path) -> None:
    found = page(run)
    assert [len(found.of(tag)) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    assert len(found.of("caption")) == len(found.of("table"))
    assert found.of("img")
    assert all(image["alt"] for image in found.of("img"))
    assert any(meta.get("name") == "viewport" for meta in found.of("meta"))


def test_the_question_the_study_and_versions_are_shown(run: Path) -> None:
    words = page(run).words
    assert "What does each lost PET cost?" in words
    assert "kind: hypermm" in words
    assert "packages.numpy 2.4" in words
    assert "Not a medical device" in words


def test_a_question_over_several_lines_is_shown_whole(run: Path) -> None:
    (run / "study.yaml").write_text("question: What does each\n  lost PET cost?\n")
    assert "the answer What does each lost PET cost? hypermm" in page(run).words


def test_a_study_that_is_no_yaml_is_still_shown_as_text(run: Path) -> None:
    (run / "study.yaml").write_text("question: [\n")
    assert "Question: not recorded." in page(run).words
    assert "question: [" in page(run).words


def test_the_answer_names_the_first_method_and_its_intervals(run: Path) -> None:
    words = page(run).words
    score = r"AUROC \.\d{3} \(interval \.\d{3} to"
    assert re.search(rf"hypermm, every case showing mri only: {score}", words)
    assert re.search(r"hypermm, 100% hidden \(mcar\): AUROC", words)
    assert "paired differences hold 0" in words


def test_absence_is_told_in_counts(run: Path) -> None:
    # of 24 training cases every fourth never had a PET, two of four are hidden
    sentence = "pet: 6 naturally absent, 12 of 18 hidden, 18 of 24 (75 %) without"
    assert sentence in page(run).words


def test_parts_are_counted_by_label(run: Path) -> None:
    assert "holdout calibration 10 10 AD 5, CN 5" in page(run).words


def test_training_per_modality_is_shown(run: Path) -> None:
    assert "0a1b single 100 .810 n/a" in page(run).words


def test_what_methods_tell_beside_their_predictions_is_shown(run: Path) -> None:
    assert "What methods tell" not in page(run).words
    told = {
        "method": "gan<b>", "fold": "holdout", "seed": 0,
        "parameters": 86532, "error": {"pet": {"ssim": 0.123456}},
    }  # fmt: skip
    (run / "jobs" / "0a1b" / "report.json").write_text(json.dumps(told))
    words = page(run).words
    assert "gan<b> holdout 0 parameters 86532" in words
    assert "gan<b> holdout 0 error.pet.ssim 0.1235" in words


def test_digests_are_those_of_the_files(run: Path) -> None:
    import hashlib

    digest = hashlib.sha256((run / "predictions.tsv").read_bytes()).hexdigest()
    assert digest in page(run).words


def test_html_in_a_fold_named_after_a_site_is_text(make_run: Any) -> None:
    evil = "<script>alert(1)</script>"
    run = make_run(fold=evil, site=evil, prefix="<b>sub")
    found = page(run)
    assert found.of("script") == []
    assert found.of("b") == []
    assert evil in found.words


def test_html_in_the_study_and_the_notes_is_text(run: Path, edit_metrics: Any) -> None:
    (run / "study.yaml").write_text("question: <img src=x onerror=alert(1)>\n")
    edit_metrics(lambda document: document["notes"].append("</main><script>1</script>"))
    found = page(run)
    assert found.of("script") == []
    assert all("onerror" not in image for image in found.of("img"))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("environment.json", "Environment: not recorded."),
        ("splits.tsv", "Splits: not recorded."),
        ("presence.tsv", "Presence: not recorded."),
        ("metrics.json", "Answer: not recorded."),
        ("jobs/0a1b/history.json", "Training Not recorded."),
        ("figures/patterns.png", "Figure: not recorded."),
        ("study.yaml", "Question: not recorded."),
    ],
)
def test_a_missing_part_is_said_to_be_not_recorded(run: Path, file: str, said: str) -> None:
    assert said not in page(run).words
    (run / file).unlink()
    assert said in page(run).words


def test_a_number_that_is_missing_has_its_reason_listed(run: Path, edit_metrics: Any) -> None:
    def undefine(document: dict[str, Any]) -> None:
        row = next(row for row in document["rows"] if row["metric"] == "auroc")
        row |= {"value": None, "low": None, "high": None, "reason": "all cases are CN"}

    edit_metrics(undefine)
    assert "auroc: all cases are CN (1: hypermm every-pattern mri)" in page(run).words


def test_absence_used_as_evidence_is_said(run: Path, edit_metrics: Any) -> None:
    def remark(document: dict[str, Any]) -> None:
        row = next(
            row
            for row in document["rows"]
            if row["metric"] == "auroc" and row["table"] == "observed"
        )
        row |= {"remark": "using absence as evidence", "ceiling": 0.7, "pattern_auroc": 0.9}

    edit_metrics(remark)
    words = page(run).words
    assert "using absence as evidence (AUROC" in words
    assert ".900 from the pattern alone" in words


def test_moment_matched_intervals_are_marked(run: Path) -> None:
    (run / "truth.json").write_text(json.dumps({"matched": True, "cases": {}}))
    assert "moment-matched: intervals are conditional" in page(run).words


def test_the_same_run_gives_the_same_page(run: Path) -> None:
    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_a_folder_that_is_no_run_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^.*holds neither study.yaml nor metrics.json; name a run"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("metrics.json", "{", "is no JSON"),
        ("metrics.json", '{"rows": []}', "states no `mmmed-metrics: 1`"),
        ("metrics.json", '{"mmmed-metrics": 1, "rows": [{}]}', "row 0 lacks 'method'"),
        ("environment.json", "[]", "an object is expected"),
        ("splits.tsv", "hello\n", "the first line is 'hello'"),
        ("jobs/0a1b/history.json", "[1]", "is no history of training"),
    ],
)
def test_a_broken_file_is_named(run: Path, file: str, text: str, said: str) -> None:
    (run / file).write_text(text)
    with pytest.raises(RunError, match=re.escape(said)) as caught:
        write_report(run)
    assert Path(file).name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_label_rule_is_the_first_line_of_the_report(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["rule"] = "CN against AD (positive: AD): diagnosis at each subject's first visit"
    (run / "metrics.json").write_text(json.dumps(metrics))
    html = write_report(run).read_text()
    assert html.split("</h1>")[1].lstrip().startswith("<p>CN against AD (positive: AD)")


def attend(run: Path, **changes: Any) -> bytes:
    """Write what two cases' items counted, the second item of each without a picture."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "purple").save(file, format="JPEG")
    rows = [
        {
            "place": place,
            "case_id": f"sub-test{place:02d}",
            "method": "hypermm",
            "fold": "holdout",
            "seed": 0,
            "label": "AD",
            "decision": decision,
            "probability": 0.93,
            "rank": rank,
            "modality": "x40",
            "source": f"image-{rank}.png",
            "weight": 0.875 if rank == 1 else 0.125,
            "picture": f"attended/{place:04d}-1.jpg" if rank == 1 else None,
            **changes,
        }
        for place, decision in ((1, "AD"), (2, "CN"))
        for rank in (1, 2)
    ]
    table.write(run / "attended.tsv", table.ATTENDED, rows)
    for place in (1, 2):
        atomic.write_bytes(run / "attended" / f"{place:04d}-1.jpg", file.getvalue())
    return file.getvalue()


def test_the_most_attended_items_are_shown_with_their_weights(run: Path) -> None:
    jpeg = attend(run)
    found = page(run)
    shown = [image for image in found.of("img") if str(image["src"]).startswith("data:image/jpeg")]
    data = base64.b64encode(jpeg).decode()
    assert [image["src"] for image in shown] == [f"data:image/jpeg;base64,{data}"] * 2
    assert "sub-test01: AD (93%), label AD: right" in found.words
    assert "sub-test02: CN (93%), label AD: wrong" in found.words
    assert "x40 88% image-1.png" in found.words
    assert "x40 12% image-2.png" in found.words
    assert "Attention is an explanation, not evidence" in found.words
    assert found.open == []
    assert {link["href"] for link in found.of("a")} == {
        f"#{section['id']}" for section in found.of("section")
    }


def test_a_picture_that_is_large_or_lies_elsewhere_is_left_out(run: Path) -> None:
    attend(run)
    (run / "attended" / "0002-1.jpg").write_bytes(bytes(LARGEST + 1))
    (run / "jobs" / "elsewhere.jpg").write_bytes(b"else")
    assert len([one for one in page(run).of("img") if "jpeg" in str(one["src"])]) == 1
    attend(run, picture="attended/../jobs/elsewhere.jpg")
    assert [one for one in page(run).of("img") if "jpeg" in str(one["src"])] == []


def test_what_an_item_is_called_cannot_become_markup(run: Path) -> None:
    attend(run, source="<script>alert(1)</script>")
    assert page(run).of("script") == []


def test_a_run_whose_methods_attend_to_nothing_says_nothing_of_attention(run: Path) -> None:
    assert "explanation, not evidence" not in page(run).words
