"""The planned end of maintenance, where the plan asked for it: a due row that the collector's service carries out.

Without that nothing ends it by itself: the ledger, the header and a message tell that it is past its planned end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from console.actions.base import Context
from console.actions.maintenance import SetMaintenance
from console.actions.maintenance_schedule import END
from console.model.actions import ActionRequest, Plan
from console.model.observation import Json


class EndMaintenance(SetMaintenance):
    """`maintenance-end` {mail?, announced?}: what `maintenance` {on: false} does, under the name of the due row."""

    NAME: ClassVar[str] = END

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """As for switching it off. Raises `Refused`."""
        return await super().facts(context, _off(request))

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """As for switching it off."""
        name = context.environment.name
        return dataclasses.replace(
            super().plan(context, _off(request), facts), title=f"End the maintenance of {name} as planned"
        )


def _off(request: ActionRequest) -> ActionRequest:
    given = {name: value for name, value in request.parameters.items() if name in ("mail", "message", "announced")}
    return ActionRequest(action=SetMaintenance.NAME, parameters={**given, "on": False})
