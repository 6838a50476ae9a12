"""What is told of Vercel is read where it was made, without having been JSON in between: it must be the same."""

from __future__ import annotations

import json

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
