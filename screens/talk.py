"""What is said to the desk about one plan. Each method blocks: all run in the console's one pair of hands, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from console.model.actions import Plan
from console.model.observation import Json
from console.model.ports import ActionDesk, PlanTicket, Refused

Ask = Callable[[ActionDesk], PlanTicket]


class Told(NamedTuple):
    """What the desk said."""

    plan: Plan | None = None
    """The plan as it stands; None: there is none."""
    reason: str = ""
    """Under which this person is armed already."""
    token: str | None = None
    """Of the run that was begun."""
    refused: str = ""
    """Why not, in words."""


class Talk:
    """Asks, changes, confirms, leaves. A plan that was asked for and is wanted no more is left, too."""

    def __init__(self, desk: ActionDesk, ask: Ask) -> None:
        self._desk = desk
        self._ask = ask
        self._ticket: PlanTicket | None = None
        self.over = False
        """Set by the page when it goes; what comes after is left at once."""

    def ask(self) -> Told:
        """Look, and make the plan; an older one is left."""
        self.leave()
        if self.over:
            return Told(refused="it was left")
        try:
            self._ticket = self._ask(self._desk)
        except Refused as error:
            return Told(refused=str(error))
        return self._told()

    def change(self, parameters: Mapping[str, Json]) -> Told:
        """The plan with other options."""
        ticket = self._ticket
        if ticket is None:
            return Told(refused="there is no plan to change: look again")
        try:
            ticket.change(parameters)
        except Refused as error:
            return self._told(refused=str(error))
        return self._told()

    def confirm(self, reason: str, typed: str) -> Told:
        """Carry it out. A plan that changed meanwhile comes back with the refusal."""
        ticket = self._ticket
        if ticket is None:
            return Told(refused="there is no plan to confirm: look again")
        try:
            return Told(plan=ticket.plan, token=ticket.confirm(reason=reason, typed=typed))
        except Refused as error:
            return self._told(refused=str(error))

    def leave(self) -> None:
        """Nothing is done. Harmless after a confirmation."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.leave()

    def _told(self, refused: str = "") -> Told:
        ticket = self._ticket
        return Told(ticket.plan, ticket.reason, None, refused) if ticket is not None else Told(refused=refused)
