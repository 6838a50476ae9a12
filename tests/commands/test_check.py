"""`radar check`: one round, and only what one round can know."""

from __future__ import annotations

from tests.commands.conftest import Radar


def test_one_round_does_not_know_since_when(radar: Radar) -> None:
    done = radar("check", "--json")
    assert done.status == 2
    reasons = done.document["verdict"]["reasons"]
    assert reasons and {reason["since"] for reason in reasons} == {None}
    assert "since" not in radar("check").out
