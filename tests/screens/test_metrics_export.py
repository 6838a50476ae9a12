"""Figures exported as CSV and Markdown: whole, private, and harmless to spreadsheets and terminals."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from console.model.metric_views import ChartView, MetricsQuestion, MetricsView
from screens.metrics_export import csv_of, export, markdown_of, safe
from tests.screens.conftest import MakeApp
from tests.screens.driving import until_fed, until_text
from tests.screens.sample import NOW
from tests.screens.sample_metrics import metrics
from widgets.metric_table import table_columns

SMALL = (80, 24)


def view_of(**more: object) -> MetricsView:
    question = MetricsQuestion(page="application", window_s=3600, points=66)
    return replace(metrics(question), **more)  # type: ignore[arg-type]


def evil(text: str) -> MetricsView:
    """A view whose every text is that one."""
    view = view_of()

    def renamed(chart: ChartView) -> ChartView:
        return replace(chart, title=text, lines=tuple(replace(line, label=text) for line in chart.lines))

    marks = tuple(replace(mark, text=text) for mark in view.marks)
    return replace(view, charts=tuple(map(renamed, view.charts)), marks=marks)


def modes_in(directory: Path) -> dict[str, int]:
    """The exported files, and who may do what with them."""
    return {path.name: path.stat().st_mode & 0o777 for path in directory.glob("metrics-*")}


async def test_x_writes_both_files_for_their_owner_only(make_app: MakeApp, tmp_path: Path) -> None:
    async with make_app().run_test(size=SMALL) as pilot:
        await until_fed(pilot)
        await pilot.press("2")
        await until_text(pilot, "CURSOR")
        await pilot.press("x")
        await until_text(pilot, ".csv, .md", "#footer")
    modes = modes_in(tmp_path)
    assert sorted(modes) == [
        "metrics-production-application-20251122T031244Z.csv",
        "metrics-production-application-20251122T031244Z.md",
    ]
    assert set(modes.values()) == {0o600}


def test_the_export_holds_every_value_in_full() -> None:
    view = view_of()
    rows = list(csv.reader(csv_of(view, table_columns(view)).splitlines()))
    assert {row[0] for row in rows[1:]} == {"production"} and rows[0][0] == "environment"
    rows = [row[1:] for row in rows]
    p95 = "RESPONSE p95 (ms), probe, target < 200"
    assert rows[0][:3] == ["begins (UTC)", "RESPONSE p50 (ms), probe", p95]
    assert "AVAILABILITY (%), probe, target > 99.9" in rows[0]
    assert rows[0][-2:] == ["closed", "marks"] and len(rows) == 1 + view.points
    assert rows[1][0] == "2025-11-22T02:13:00Z" and float(rows[1][2]) == view.charts[0].lines[1].values[0]
    assert any(row[2] == "" for row in rows), "a gap is empty"
    assert rows[-1][3].startswith(">=2") and rows[-1][-2] == "no" and rows[-2][-2] == "yes"
    assert any("8f3c1d2 live (op1)" in row[-1] for row in rows)
    markdown = markdown_of(view, table_columns(view)).split("\n")
    assert markdown[0] == "# production: Application, 2025-11-22T02:13:00Z to 2025-11-22T03:13:00Z, steps of 60 s"
    assert len({line.count(" | ") for line in markdown[2:-1]}) == 1


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@sum", "\t=1", "  =1"])
def test_no_cell_is_a_formula(text: str) -> None:
    view = evil(text)
    for row in csv.reader(csv_of(view, table_columns(view)).splitlines()):
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row)
    assert safe(text).startswith("'") and safe("plain") == "plain"


def test_exported_text_is_clean_and_stays_in_its_cell() -> None:
    view = evil("a\x1b]0;x\x07|b\nc\u202e")
    for text in (csv_of(view, table_columns(view)), markdown_of(view, table_columns(view))):
        assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
        assert len(text.splitlines()) == view.points + (1 if text.startswith("environment") else 4)


def test_where_it_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not exported" in export(view_of(), tmp_path / "file", NOW)
    nothing = metrics(MetricsQuestion(page="custom", window_s=3600, points=66))
    assert "no figures here" in export(nothing, tmp_path, NOW)


def test_the_environment_is_named_and_cannot_lead_elsewhere(tmp_path: Path) -> None:
    view = view_of()
    view = replace(view, header=replace(view.header, environment="../=x"))
    assert "written" in export(view, tmp_path, NOW)
    assert all(name.startswith("metrics-----x-application-") for name in modes_in(tmp_path)) and modes_in(tmp_path)
    assert "../=x: Application" in markdown_of(view, table_columns(view)).split("\n")[0]


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("kept")
    (tmp_path / "metrics-production-application-20251122T031244Z.csv").symlink_to(target)
    assert "not exported" in export(view_of(), tmp_path, NOW) and target.read_text() == "kept"
