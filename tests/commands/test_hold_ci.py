"""`--hold-ci` of all commands that move production: what the action is asked for."""

from __future__ import annotations

import argparse
import importlib
from types import SimpleNamespace

import pytest

from console.model.actions import ActionRequest


@pytest.mark.parametrize(
    ("command", "words", "parameters"),
    [
        ("rollback", [], {}),
        ("promote", ["8f3c1d2"], {"to": "8f3c1d2"}),
        ("deploy", ["production"], {"target": "production"}),
    ],
)
def test_the_ci_is_held_where_it_is_said(
    monkeypatch: pytest.MonkeyPatch, command: str, words: list[str], parameters: dict[str, str]
) -> None:
    module = importlib.import_module(f"console.commands.{command}")
    asked: list[ActionRequest] = []
    monkeypatch.setattr(module, "settings_of", lambda _: SimpleNamespace())

    def act(_arguments: object, _settings: object, request: ActionRequest) -> int:
        asked.append(request)
        return 0

    monkeypatch.setattr(module, "act", act)
    parser = argparse.ArgumentParser()
    module.configure(parser)
    for more in ([], ["--hold-ci"]):
        module.run(parser.parse_args([*words, *more]))
    assert [request.action for request in asked] == [command, command]
    assert [request.parameters for request in asked] == [parameters, {**parameters, "hold_ci": True}]
