"""The Deployments page as lines: every width is filled exactly, both sets of signs, what a figure is shown as."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.deployments import Effect
from console.model.observation import Origin
from console.model.views import OpenItem
from tests.screens.sample import NOW
from tests.screens.sample_deployments import BAD, GOOD, RUNS, build_log, deployments, pinned
from widgets.deployment_detail import deployment_rows, job_of, log_stage, run_rows
from widgets.deployment_lines import DeploymentList, Row, effect_value, took_words
from widgets.glyphs import ASCII, UNICODE, Glyphs
from widgets.lines import plain, width_of

WIDTHS = (60, 72, 80, 99, 100, 111, 112, 140)
HOSTILE = replace(
    GOOD, id="dpl_x", message="修正 登録 " * 20, author="é" * 60, short="abcdefghijkl", state="of tomorrow"
)


def listed(width: int, glyphs: Glyphs = UNICODE, selected: str | None = None, height: int = 24) -> list[Row]:
    view = pinned()
    view = replace(view, deployments=(*view.deployments, HOSTILE), deployments_words="answers 403: " + "x" * 200)
    return DeploymentList(view, width, height, NOW, glyphs, selected).rows()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("selected", [None, f"deployment:{GOOD.id}", "deployment:dpl_x", "run:19000000411"])
def test_every_line_is_as_wide_as_the_page(width: int, selected: str | None) -> None:
    assert {width_of(line) for line, _ in listed(width, selected=selected)} == {width}


@pytest.mark.parametrize("width", WIDTHS)
def test_so_is_every_line_of_the_details(width: int) -> None:
    details = [
        deployment_rows(HOSTILE, width, NOW, UNICODE, build_log("x"), "l"),
        deployment_rows(BAD, width, NOW, UNICODE, None, "l"),
        run_rows(RUNS[2], width, NOW, UNICODE, "not read: " + "y" * 300, "l", "stage:integration tests"),
    ]
    assert {width_of(line) for rows in details for line, _ in rows} == {width}


def test_the_ascii_set_draws_nothing_else() -> None:
    view = replace(pinned(), deployments=deployments().deployments)
    lines = [line for line, _ in DeploymentList(view, 112, 48, NOW, ASCII, f"deployment:{GOOD.id}").rows()]
    lines += [line for run in RUNS for line, _ in run_rows(run, 80, NOW, ASCII, None, "l", None)]
    assert plain(lines).isascii()
    drawn = plain(line for line, _ in listed(112))
    assert not drawn.isascii(), "the other set does"


def test_each_line_has_one_key_and_the_second_of_the_selected_has_none() -> None:
    rows = listed(80, selected=f"deployment:{GOOD.id}")
    keys = [key for _, key in rows if key is not None]
    assert len(keys) == len(set(keys)) == 9 + 6
    at = next(index for index, (_, key) in enumerate(rows) if key == f"deployment:{GOOD.id}")
    assert rows[at + 1][1] is None and "rolled back to 03:10 by op2" in plain([rows[at + 1][0]])


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (0.00001, "<.01"), (0.0005, "0.05"), (0.002, "0.2"), (0.0125, "1.2"), (0.38, "38"), (None, "?")],
)
def test_an_error_rate_keeps_what_matters_of_it(value: float | None, words: str) -> None:
    effect = Effect(figure="errors", before=value, after=None, unit="share", origin=Origin.USERS, window_s=900)
    assert effect_value(effect, value) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "-"), (42.4, "42 s"), (60, "1:00"), (657, "10:57"), (7300, "2 h")]
)
def test_how_long_something_took(seconds: float | None, words: str) -> None:
    assert took_words(seconds) == words


def test_whose_log_is_meant() -> None:
    failed, under_way, passed, unread = RUNS[2], RUNS[0], RUNS[1], RUNS[4]
    assert log_stage(failed, None) == "integration tests" and job_of(failed, "integration tests") == 41102
    assert log_stage(under_way, None) == "database migration"
    assert log_stage(passed, None) == "notify"
    assert log_stage(unread, None) is None and job_of(unread, None) is None
    assert log_stage(failed, "stage:build") == "build"


def test_of_a_long_log_the_end_is_laid_out() -> None:
    log = build_log("x")
    long = replace(log, lines=log.lines * 40)
    rows = deployment_rows(BAD, 60, NOW, UNICODE, long, "l", 30)
    assert len(rows) == 30 and "exited with 1" in plain([rows[-1][0]])
    assert len(deployment_rows(BAD, 60, NOW, UNICODE, long, "l")) > 150


@pytest.mark.parametrize("width", WIDTHS)
def test_what_a_freeze_did_not_hold_stands_above_the_list(width: int) -> None:
    text = '8f3c1d2 "pricing v2" went live during the deploy freeze of op1'
    view = pinned()
    header = replace(view.header, open_items=(OpenItem(kind="not held", text=text), OpenItem(kind="freeze", text="x")))
    rows = DeploymentList(replace(view, header=header), width, 24, NOW, UNICODE, None).rows()
    said = " ".join(plain([line]).strip() for line, _ in rows[:8])
    assert f"NOT HELD: {text}" in " ".join(said.split()) and {width_of(line) for line, _ in rows} == {width}
    assert "NOT HELD" not in plain(line for line, _ in listed(width)), "the counter-test"
