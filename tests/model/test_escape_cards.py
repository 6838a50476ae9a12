"""Escape cards without a plan: complete for every action, filled in where the settings are known."""

from __future__ import annotations

import pytest

from console.actions.registry import ACTIONS
from console.model.escape_cards import Known, card

KNOWN = Known(project="prj_1", team="team_1", repository="o/r", url="https://app.example.com", edge_config="ecfg_1")


OURS = {name for name, place in ACTIONS.items() if place.startswith("console.")}  # tests add theirs


@pytest.mark.parametrize("action", sorted(OURS - {"cancel-due", "maintenance-table"}))
def test_every_action_on_hosted_systems_has_a_card(action: str) -> None:
    blank, filled = card(action, {}, Known()), card(action, {"to": "dpl_9", "run": 7}, KNOWN)
    assert blank and filled and blank != filled
    assert any(word in "\n".join(blank) for word in ("PROJECT", "OWNER/NAME", "ECFG"))
    assert not any(word in "\n".join(filled) for word in ("PROJECT", "OWNER/NAME", "ECFG"))


def test_what_was_asked_for_stands_in_it() -> None:
    assert "vercel rollback dpl_9 --scope team_1" in "\n".join(card("rollback", {"to": "dpl_9"}, KNOWN))
    assert "DEPLOYMENT" in "\n".join(card("rollback", {}, KNOWN))
    assert '"on":false' in "\n".join(card("maintenance", {"on": False}, KNOWN))


def test_what_has_no_card_says_where_to_look() -> None:
    assert card("nothing", {}, KNOWN)


def test_what_is_stored_is_named_and_the_api_is_the_configured_one() -> None:
    known = Known(
        project="prj_1", api="http://127.0.0.1:9/", deployment="dpl_8", stored="c985bb5 (dpl_8), as read 12 s ago"
    )
    lines = card("rollback", {}, known)
    assert lines[0] == "# c985bb5 (dpl_8), as read 12 s ago" and "vercel rollback dpl_8" in lines[2]
    assert "'http://127.0.0.1:9/v1/projects/prj_1/rollback/dpl_8'" in lines[3]
    assert not any("DEPLOYMENT" in line or "api.vercel.com" in line for line in lines)
    assert "http://127.0.0.1:9/v1/edge-config" in card("maintenance", {}, known)[0]
