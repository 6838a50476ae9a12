"""`radar rerun`, `radar cancel-run` and `radar freeze`: what each asks for."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from console import cli
from console.commands import cancel_run, freeze, rerun
from console.model.actions import ActionRequest
from console.model.configuration import Settings


@pytest.mark.parametrize(
    ("typed", "action", "parameters"),
    [
        (["rerun", "413"], "rerun", {"run": "413"}),
        (["rerun", "#413", "--failed-only"], "rerun", {"run": "#413", "failed_only": True}),
        (["rerun", "413", "--despite-freeze"], "rerun", {"run": "413", "despite_freeze": True}),
        (["cancel-run", "413"], "cancel-run", {"run": "413"}),
        (["cancel-run", "413", "--force"], "cancel-run", {"run": "413", "force": True}),
        (["freeze", "on", "--hours", "2"], "freeze", {"on": True, "hours": 2.0}),
        (["freeze", "off", "--run", "413"], "freeze", {"on": False, "run": "413"}),
    ],
)
def test_what_is_typed_is_what_is_asked_for(
    typed: list[str], action: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[ActionRequest] = []

    def act(_arguments: argparse.Namespace, _settings: Settings, request: ActionRequest) -> int:
        asked.append(request)
        return 0

    for command in (rerun, cancel_run, freeze):
        monkeypatch.setattr(command, "settings_of", lambda _arguments: None)
        monkeypatch.setattr(command, "act", act)
    assert cli.main(typed) == 0
    assert asked == [ActionRequest(action=action, parameters=parameters)]
