"""All actions by name. Each is imported when it is asked for: a plan must stand within 300 ms of the key."""

from __future__ import annotations

import importlib

from console.actions.base import Action
from console.model.ports import Refused

ACTIONS = {
    "rollback": "console.actions.rollback:Rollback",
    "promote": "console.actions.promote:Promote",
    "deploy": "console.actions.deploy:Deploy",
    "freeze": "console.actions.freeze:Freeze",
    "rerun": "console.actions.rerun:Rerun",
    "cancel-run": "console.actions.cancel_run:CancelRun",
    "maintenance": "console.actions.maintenance:SetMaintenance",
    "maintenance-end": "console.actions.maintenance_end:EndMaintenance",
    "announce": "console.actions.announce:Announce",
    "cancel-due": "console.actions.announce:CancelDue",
    "maintenance-table": "console.actions.maintenance_table:MakeMaintenanceTable",
}


def action_of(name: str) -> Action:
    """The action of that name. Raises `Refused` when there is none."""
    if name not in ACTIONS:
        raise Refused(f"there is no action {name!r}; there are: {', '.join(sorted(ACTIONS))}")
    module, _, kind = ACTIONS[name].partition(":")
    made: Action = getattr(importlib.import_module(module), kind)()
    return made
