"""The ledger's page: what ends an entry at once is done at the second Enter; the selected one is seen whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.views import HealthView, OpenItem
from tests.screens.conftest import MakeApp
from tests.screens.driving import until_fed, until_text
from tests.screens.sample import NOW, M, header, health
from tests.screens.scripted import ScriptedActions, ScriptedReads
from widgets.glyphs import UNICODE
from widgets.ledger_lines import item_key, ledger_rows
from widgets.lines import Line

LONG = "route-down/api/v1/bookings: the vendor knows, ticket 4711 is open with them since the morning of the upgrade"
ITEMS = {
    "end-silence": OpenItem(
        kind="silence", text=LONG, owner="op1 (loginuid)", since_ms=NOW - M, expires_ms=NOW + 60 * M,
        undo="radar silence --end 7", entry=("end-silence", 7),
    ),
    "disarm": OpenItem(
        kind="arming", text="op1 need give no reason: errors", owner="op1", expires_ms=NOW + M,
        undo="radar actions disarm", entry=("disarm", 0),
    ),
    "dismiss": OpenItem(kind="notify", text="slack: not known", undo="radar notify dismiss 3", entry=("dismiss", 3)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "done"),
    [("end-silence", ("end silence", 7)), ("disarm", ("disarm",)), ("dismiss", ("dismiss", 3))],
)
async def test_the_second_enter_ends_it(make_app: MakeApp, kind: str, done: tuple[object, ...]) -> None:
    def with_item(strip_slices: int, events: int) -> HealthView:
        view = health(strip_slices, events)
        return replace(view, header=replace(view.header, open_items=(ITEMS[kind],)))

    actions = ScriptedActions()
    async with make_app(ScriptedReads(make_health=with_item), actions).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("o")
        await until_text(pilot, ITEMS[kind].undo)
        await pilot.press("enter")
        await until_text(pilot, "enter again: ", "#footer")
        assert actions.done == [], "one key ends nothing"
        await pilot.press("enter")
        await until_text(pilot, {"end-silence": "ended", "disarm": "disarmed", "dismiss": "off the"}[kind], "#footer")
    assert actions.done == [done]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


@pytest.mark.parametrize("width", [80, 160])
def test_the_selected_entry_is_seen_whole(width: int) -> None:
    item = ITEMS["end-silence"]
    top = header(open_items=(item,))

    def shown(selected: str | None) -> str:
        rows = ledger_rows(top, width, NOW, UNICODE, selected)
        assert all(len(text(line)) <= width for line, _ in rows)
        return " ".join(" ".join(text(line) for line, _ in rows).split())

    assert LONG not in shown(None) and "op1 (loginuid)" not in shown(None)
    assert LONG in shown(item_key(0, item)) and "by op1 (loginuid)" in shown(item_key(0, item))
