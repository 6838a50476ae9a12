"""Which fault follows from which: no effect before its cause, no circle, nothing that the cause cannot bring about."""

from __future__ import annotations

import pytest

from console.model.states import State
from tests.model.scene import Scene
from tests.model.test_components_around import INCIDENT


def test_a_vendors_report_follows_from_nothing_of_ours_and_may_be_the_cause() -> None:
    scene = Scene().all_well().see("vendor:Supabase", State.UNHEALTHY, "Elevated errors", facts=INCIDENT)
    for _ in range(3):
        scene.fail("postgres.activity").fail("postgres.canary")
        scene.see("vendor:Supabase", State.UNHEALTHY, "Elevated errors", facts=INCIDENT).later(5)
    causes = {reason.key: reason.cause or "" for reason in scene.verdict().reasons}
    assert causes["supabase.vendor:Supabase"] == ""
    assert causes["database.down"].startswith("Supabase reports")


@pytest.mark.parametrize(("status", "follows"), [(404, False), (500, True)])
def test_what_is_not_there_is_no_databases_doing(status: int, follows: bool) -> None:
    scene = Scene().all_well()
    for _ in range(2):
        scene.fail("postgres.activity").fail("postgres.canary")
        scene.see("route:/pricing", State.UNHEALTHY, str(status), facts={"http_status": status}).later(5)
    causes = {reason.key: reason.cause for reason in scene.verdict().reasons}
    assert causes["routes.down"] == ("likely follows from database down" if follows else None)


def test_a_transaction_left_open_explains_no_failing_route() -> None:
    scene = Scene().all_well()
    idle = {"pid": 9, "user": "app", "application": "jobs", "state_s": 90.0}
    for _ in range(2):
        scene.see("postgres.activity", volatile={"idle_in_transaction": [idle]})
        scene.see("route:/pricing", State.UNHEALTHY, "500", facts={"http_status": 500}).later(5)
    causes = {reason.key: reason.cause for reason in scene.verdict().reasons}
    assert "database.idle" in causes and causes["routes.down"] is None
