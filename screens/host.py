"""The console as its pages see it: what the app offers them. A Protocol, so that no page imports the app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from console.model.configuration import Settings
from console.model.ports import ActionDesk, AlertActions, Inquiries, Notes
from console.model.views import Header
from screens.defects import Defects
from screens.feed import Feed, Hands
from screens.session import Session
from widgets.bars import Moment
from widgets.glyphs import Glyphs


class FaultSwitch(Protocol):
    """The demo's faults, for `:fault NAME on|off`. May wait: it is called off the event loop."""

    def list(self) -> Sequence[tuple[str, str, bool]]:
        """`(name, what it does, whether it is on)` of every fault."""

    def set(self, name: str, on: bool) -> None:
        """Switch one on or off. Raises `Refused` with the reason."""


class Host(Protocol):
    """State shared by the pages, and what they may ask of the console."""

    settings: Settings
    feed: Feed
    hands: Hands
    alert_actions: AlertActions
    faults: FaultSwitch | None
    desk: ActionDesk | None
    """Where guarded actions are asked for; None: this console has none."""
    role: str
    """What this person is here, once it is known; empty: this console acts on nothing."""
    notes: Notes
    inquiries: Inquiries | None
    """What can be asked of hosted systems; None: this console asks nothing."""
    starting: Callable[[], bool]
    """Whether a collector of ours is about to poll."""
    begun: set[str]
    """Tokens of the runs that this console began and that were not seen to end."""
    glyphs: Glyphs
    session: Session
    session_path: Path
    """Beside it is where files for the user are written."""
    last_header: Header | None
    trouble: str | None
    clock_ms: Callable[[], int]
    defects: Defects

    @property
    def moment(self) -> Moment:
        """Which moment the console shows."""

    def heard(self, header: Header | None, trouble: str | None) -> None:
        """A page was fed: remember the header for the other pages."""

    async def action_deployment(self, key: str, words: str) -> None:
        """Deployments, with that line selected; `words` name it where it is not in the list."""

    def go_to(self, at_ms: int | None) -> None:
        """Show that moment; None: live."""
