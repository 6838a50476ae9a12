"""What `radar doctor` says of acting: who may, whether a runner starts, and whether it can be recorded."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from console.actions import desk
from console.commands import examine_actions
from console.store.records import Records
from tests.commands.conftest import Done, Radar, Site


def found(done: Done) -> dict[str, Any]:
    return {each["name"]: each for each in done.document["findings"] if each["group"] == "actions"}


def configure(site: Site, table: str) -> None:
    site.file.write_text(site.file.read_text() + table)


def access(site: Site, line: str) -> None:
    configure(site, f"[environments.production.access]\n{line}\n")


def test_where_nobody_may_act_the_line_to_add_is_told(radar: Radar) -> None:
    told = {each["name"]: each for each in radar("doctor", "--offline", "--json").document["findings"]
            if each["group"] == "not configured"}  # fmt: skip
    assert "[environments.production.access] with operators" in told["access"]["fix"]
    assert "[environments.production.github] with repository" in told["github"]["fix"]


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_role_authority_and_runner_are_told_and_nothing_is_made(radar: Radar, site: Site, role: str) -> None:
    name = getpass.getuser()
    access(site, f'{role}s = ["{name}"]')
    told = found(radar("doctor", "--offline", "--json"))
    assert f"is {role} by user {name}; authority: guard rails" in told["access"]["words"]
    assert (told["runner"]["result"], told["runner"]["words"]) == ("well", "starts")
    assert "record" not in told, "there is no file yet"
    assert not site.settings.state_directory.exists()


def test_a_viewer_is_told_so(radar: Radar, site: Site) -> None:
    access(site, 'operators = ["root", "daemon"]' if getpass.getuser() != "root" else 'operators = ["daemon"]')
    assert "viewer: " in found(radar("doctor", "--offline", "--json"))["access"]["words"]


@pytest.mark.parametrize(("line", "words"), [
    ('operators = ["@no-such-group"]', "no group no-such-group"),
    ('admins = ["no-such-user"]', "no account no-such-user"),
])  # fmt: skip
def test_an_entry_that_is_nobody_is_warned_of(radar: Radar, site: Site, line: str, words: str) -> None:
    access(site, line)
    done = radar("doctor", "--offline", "--json")
    assert done.status == 1
    assert any(words in each["words"] and each["result"] == "warning" for each in done.document["findings"])


def test_a_runner_that_does_not_start_fails(radar: Radar, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    access(site, f'operators = ["{getpass.getuser()}"]')
    monkeypatch.setattr(desk.Desk, "_start", lambda _: desk.Runner([sys.executable, "-c", "raise SystemExit(1)"], {}))
    done = radar("doctor", "--offline", "--json")
    assert done.status == 2 and found(done)["runner"]["result"] == "failed"


def test_records_that_take_a_record_are_well_and_stay_as_they_are(radar: Radar, site: Site) -> None:
    access(site, f'operators = ["{getpass.getuser()}"]')
    Records(site.settings.records_path).active_silences()
    before = site.settings.records_path.read_bytes()
    assert found(radar("doctor", "--offline", "--json"))["record"]["result"] == "well"
    assert site.settings.records_path.read_bytes() == before


def test_records_that_take_none_fail(radar: Radar, site: Site) -> None:
    access(site, f'operators = ["{getpass.getuser()}"]')
    Records(site.settings.records_path).close()
    site.settings.records_path.parent.mkdir(parents=True, exist_ok=True)
    site.settings.records_path.write_bytes(b"this is no database" * 1000)
    done = radar("doctor", "--offline", "--json")
    assert done.status == 2 and "takes no record" in found(done)["record"]["words"]


def test_where_the_audit_is_known_outside_is_told(radar: Radar, site: Site) -> None:
    access(site, f'operators = ["{getpass.getuser()}"]')
    configure(site, "[environments.production.audit]\nsyslog = false\n")
    assert found(radar("doctor", "--offline", "--json"))["audit"]["result"] == "not configured"
    configure(site, 'webhook = "http://127.0.0.1:1/audit"\n')
    told = found(radar("doctor", "--offline", "--json"))["audit"]
    assert (told["result"], told["words"]) == ("well", "its hashes go to a webhook")


def test_an_audit_that_should_be_known_outside_and_is_not_is_warned_of(
    radar: Radar, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    access(site, f'operators = ["{getpass.getuser()}"]')
    for sink, result in ((tmp_path / "none", "warning"), (tmp_path, "well")):
        monkeypatch.setattr(examine_actions, "SYSLOG", sink)
        assert found(radar("doctor", "--offline", "--json"))["audit"]["result"] == result


def test_settings_that_cannot_work_are_told_once(radar: Radar, site: Site) -> None:
    configure(site, "[environments.production.github]\ntoken = 't'\nrepository = 'none'\n")
    done = radar("doctor", "--offline", "--json")
    assert done.status == 2
    assert [each["name"] for each in done.document["findings"] if "this is no repository" in each["words"]] == [
        "environments.production.github.repository"
    ]


def test_the_doctor_leaves_no_process_behind(radar: Radar, site: Site) -> None:
    access(site, f'operators = ["{getpass.getuser()}"]')
    before = set(psutil.Process().children())  # other tests' runners, which end when they like
    radar("doctor", "--offline", "--json")
    assert set(psutil.Process().children()) <= before
