"""The flag and the page: what is understood, and what is not taken for maintenance."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.model.configuration import Secret
from console.model.maintenance import OFF, Flag, Sign, channels, flag_of, is_served, sign_of
from console.model.observation import Json
from console.model.operations import Operations, PagerDuty, Slack, Webhook

FLAG = Flag(on=True, message="Back at 11:00", since_ms=1_795_000_000_000, until_ms=1_795_003_600_000, by="op1")


def test_what_is_written_is_read_back_and_says_what_the_documented_middleware_reads() -> None:
    assert flag_of(FLAG.value) == FLAG and flag_of(OFF.value) == OFF
    assert {name: FLAG.value[name] for name in ("enabled", "message", "until")} == {
        "enabled": True, "message": "Back at 11:00", "until": "2026-11-18T12:06:40Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "on"), [(None, False), (True, True), (False, False), ({"enabled": 1}, None), ([], None), (0, None)]
)
def test_only_what_is_clear_is_on_or_off(value: Json, on: bool | None) -> None:
    assert flag_of(value).on is on


def test_the_end_is_understood_in_either_form_and_hostile_text_is_clean() -> None:
    read = flag_of({"enabled": True, "until": "2026-11-18T12:06:40Z", "message": "a\x1b[31m\nb", "by": ["x"]})
    assert read.until_ms == 1_795_003_600_000 and "\x1b" not in read.message and "\n" not in read.message
    assert read.by == ""


def test_its_words_name_everything_known() -> None:
    assert FLAG.words == ('on since 2026-11-18 11:06 UTC by op1, planned until 2026-11-18 12:06 UTC: "Back at 11:00"')
    assert OFF.words == "off" and Flag(on=None).words.startswith("not known")


@pytest.mark.parametrize(
    ("status", "headers", "body", "sign"),
    [
        (503, {"x-maintenance": "on"}, b"", "header"),
        (503, {"x-maintenance": "1"}, b"", "header"),
        (200, {"x-maintenance": "true"}, b"", "header"),
        (503, {"x-maintenance": "off"}, b"", "503"),
        (503, {}, b"<h1>MAINTENANCE</h1>", "page"),
        (503, {}, b"Service Unavailable", "503"),
        (200, {}, b"our maintenance plans", "marker"),
        (200, {}, b"welcome", ""),
        (500, {"x-maintenance": "on"}, b"maintenance", ""),
        (502, {}, b"maintenance", ""),
    ],
)
def test_how_an_answer_looks_like_the_page(status: int, headers: dict[str, str], body: bytes, sign: Sign) -> None:
    assert sign_of(status, headers, body) == sign


def test_an_empty_marker_marks_nothing() -> None:
    assert sign_of(503, {}, b"anything", "") == "503"


@pytest.mark.parametrize(
    ("sign", "before", "served"),
    [("header", "header", True), ("page", "page", True), ("503", "", True), ("503", "503", False),
     ("marker", "", True), ("marker", "marker", False), ("", "", False)],
)  # fmt: skip
def test_what_looked_so_before_proves_nothing(sign: Sign, before: Sign, served: bool) -> None:
    assert is_served(sign, before) is served


def test_nobody_is_woken_by_what_was_planned() -> None:
    operations = Operations(
        slack=Slack(webhook=Secret("https://x")),
        pagerduty=PagerDuty(routing_key=Secret("k")),
        webhooks=(Webhook(name="ops", url=Secret("https://y")),),
    )
    assert channels(operations) == ("slack", "webhook:ops") and channels(Operations()) == ()


def test_the_documented_middleware_takes_null_for_off() -> None:
    """`typeof null` is "object": without the guard every page would fail by `null.enabled`, outside its try."""
    text = (Path(__file__).parents[2] / "docs" / "instrumentation.md").read_text()
    (line,) = [line for line in text.splitlines() if "typeof value === " in line]
    assert line.split()[1:3] == ["value", "&&"]
