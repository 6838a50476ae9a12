"""`radar deployments` on real stores: what is told, in words and as a document, and the statuses."""

from __future__ import annotations

from typing import Any

import pytest

from console.model.observation import Observation, Origin, Outcome
from console.model.states import State
from console.store.clock import now_ms
from console.store.history import HistoryWriter
from tests.commands.conftest import Radar, Site

M, H, D = 60_000, 3_600_000, 86_400_000


def item(short: str, now: int, age: int, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": f"dpl_{short}", "short": short, "message": f"change {short}", "author": "mira", "target": "production",
        "state": "ready", "created_ms": now - age, "live_ms": now - age, "ever_live": True, "candidate": True,
    }  # fmt: skip
    return given | more


def author(site: Site, *, auto_assign: bool | None = True, github: bool = True) -> None:
    """Two deployments, one of them current, one failed; a run that failed."""
    now = now_ms()
    items = [item("new", now, H), item("bad", now, 2 * H, state="error", candidate=False), item("old", now, 3 * D)]
    jobs = [
        {"id": 1, "name": "lint", "status": "completed", "conclusion": "success", "started_ms": now - H,
         "completed_ms": now - H + 40_000},
        {"id": 2, "name": "test", "status": "completed", "conclusion": "failure", "started_ms": now - H,
         "completed_ms": now - H + 90_000, "failing_step": "npm test"},
    ]  # fmt: skip
    run: dict[str, Any] = {
        "id": 7, "number": 412, "attempt": 2, "title": "pricing v2", "status": "completed", "conclusion": "failure",
        "started_ms": now - H, "updated_ms": now - H + 90_000, "jobs": jobs, "author": "op1",
    }  # fmt: skip
    facts = {"production": items[0], "auto_assign": auto_assign, "rolling_release": False}
    with HistoryWriter(site.settings.observed_path) as writer:
        writer.observation(seen("vercel", facts, {"deployments": items}), now - M, now, 60)
        if github:
            writer.observation(seen("github", {}, {"runs": [run]}), now - M, now, 60)


def seen(target: str, facts: Any, volatile: Any) -> Observation:
    return Observation(
        target=target, outcome=Outcome.ANSWERED, state=State.HEALTHY, words="", origin=Origin.API, facts=facts,
        volatile=volatile,
    )  # fmt: skip


def test_what_serves_what_could_and_why_not(site: Site, radar: Radar) -> None:
    author(site)
    done = radar("deployments")
    assert done.status == 0, done.out + done.err
    for words in ("● current", "live for 1 h", "change new (mira)", "can be rolled back to", "its build failed"):
        assert words in done.out
    assert "failed at unit tests: npm test" in done.out and "#412.2" in done.out
    assert "!" not in done.out


def test_what_is_not_as_usual_stands_first(site: Site, radar: Radar) -> None:
    author(site, auto_assign=False)
    assert radar("deployments").out.startswith("! NOT AUTO-ASSIGNING, by somebody's choice")


def test_the_runs_with_their_ten_stages(site: Site, radar: Radar) -> None:
    author(site)
    done = radar("deployments", "--runs")
    assert "change new" not in done.out
    assert [line.split()[0] for line in done.out.splitlines() if line.startswith("      ")] == [
        "lint", "unit", "integration", "security", "build", "database", "deploy", "deploy", "performance", "notify",
    ]  # fmt: skip
    assert "commented out in the workflow" in done.out


def test_the_document(site: Site, radar: Radar) -> None:
    author(site)
    told = radar("deployments", "--json").document
    assert [(row["short"], row["current"], row["why_not"]) for row in told["deployments"]] == [
        ("new", True, ""), ("bad", False, "its build failed"), ("old", False, ""),
    ]  # fmt: skip
    assert (told["auto_assign"], told["pinned_by"], told["frozen"]) == (True, None, None)
    (run,) = told["runs"]
    assert (run["state"], run["took_s"], len(run["stages"])) == ("failed", 90.0, 10)
    assert run["stages"][1]["failing_step"] == "npm test" and run["stages"][3]["state"] == "absent"


def test_what_is_not_known_is_said_with_the_line_to_add(site: Site, radar: Radar) -> None:
    author(site, github=False)
    done = radar("deployments")
    assert done.status == 1
    assert "[environments.production.github]" in done.out
    assert radar("deployments", "--json").document["runs"] == []


def test_a_store_that_cannot_be_read(site: Site, radar: Radar) -> None:
    site.settings.observed_path.parent.mkdir(parents=True, exist_ok=True)
    site.settings.observed_path.write_bytes(b"no database at all" * 500)
    assert radar("deployments").status == 2


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_a_store(site: Site, radar: Radar, options: tuple[str, ...]) -> None:
    assert radar("deployments", *options).status == 1
