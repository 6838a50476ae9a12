"""What is told of Vercel is read where it was made, without having been JSON in between: it must be the same."""

from __future__ import annotations

import json

import pytest

from console.model.observation import Json
from console.model.vercel_project import deployment_of, told, variables_of


def test_told_is_json_already() -> None:
    entry: Json = {"key": "MAIL_FROM", "type": "plain", "target": ["production"], "updatedAt": 1795387680967}
    (variable,) = variables_of({"envs": [entry]})
    crons: Json = [{"path": "/x", "schedule": "0 3 * * *"}]
    deployment = deployment_of({"uid": "dpl_1", "alias": ["a.example"], "crons": crons})
    assert deployment is not None
    for one in (variable, deployment):
        assert told(one) == json.loads(json.dumps(told(one)))
    assert told(variable)["targets"] == ["production"], "a tuple would read as no target at all"


@pytest.mark.parametrize(
    ("said", "commit", "short"),
    [
        ("8f3c1d2", "8f3c1d2", "8f3c1d2"),
        ("8F3C1D2" + "0" * 33, "8f3c1d2" + "0" * 33, "8f3c1d2"),
        ("$(reboot)", None, "1234567"),
        ("; rm -r", None, "1234567"),
        ("8f3c", None, "1234567"),
        ("g" * 40, None, "1234567"),
        ("a" * 41, None, "1234567"),
    ],
)
def test_a_commit_is_hexadecimal_or_none(said: str, commit: str | None, short: str) -> None:
    one = deployment_of({"id": "dpl_123456789", "meta": {"githubCommitSha": said}})
    assert one is not None and (one.commit, one.short) == (commit, short)


@pytest.mark.parametrize("name", ["dpl_1;reboot", "-rf", "dpl 1", "dpl_$(id)", "dpl_1'", "dpl/1", "a" * 200])
def test_what_is_no_id_is_no_deployment(name: str) -> None:
    assert deployment_of({"id": name}) is None and deployment_of({"uid": name}) is None
