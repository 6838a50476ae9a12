"""The Textual App: builds the parts, wires them, decides nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

# ruff: noqa: E402 - the environment is cleared before textual, which reads it when imported, is.
# Both reach into the program from outside: one presses keys, the other imports code.
for _name in ("TEXTUAL_PRESS", "TEXTUAL_DRIVER"):
    os.environ.pop(_name, None)

from textual.app import App
from textual.binding import BindingType

from console.model.configuration import Settings
from console.model.ports import AlertActions, PollRequests, StoreReads
from console.model.views import Header
from screens import session as sessions
from screens.feed import Feed
from screens.health import HealthScreen
from screens.host import FaultSwitch
from screens.page import key
from themes.palette import theme_of
from themes.registry import NAMES, PALETTES, SHARED_CSS
from widgets.bars import Moment
from widgets.glyphs import SETS


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class RadarApp(App[None], inherit_bindings=False):
    """The console of one environment."""

    CSS_PATH = SHARED_CSS
    ENABLE_COMMAND_PALETTE = False
    MODES: ClassVar = {"health": HealthScreen}
    DEFAULT_MODE = "health"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("1", "app.switch('health')", "Health", "screen.health", show=True),
        key("q", "app.leave", "quit", "app.quit", show=True),
    ]

    def __init__(
        self,
        settings: Settings,
        reads: StoreReads,
        alerts: AlertActions,
        polls: PollRequests,
        at_ms: int | None = None,
        clock_ms: Callable[[], int] = _now_ms,
        faults: FaultSwitch | None = None,
        session_path: Path | None = None,
    ) -> None:
        no_color = "NO_COLOR" in os.environ
        super().__init__(ansi_color=True if no_color else None)
        self.settings = settings
        self.alert_actions = alerts
        self.polls = polls
        self.faults = faults
        self.clock_ms = clock_ms
        self.glyphs = SETS[settings.display.glyphs]
        self.feed = Feed(reads, clock_ms)
        self.session_path = session_path or sessions.session_file(settings.environment.name)
        self.session = sessions.load(self.session_path)
        self.last_header: Header | None = None
        self.trouble: str | None = None
        self._at_ms = at_ms
        self._paused_ms: int | None = None
        for palette in PALETTES:
            self.register_theme(theme_of(palette))
        self.theme = "ansi" if no_color else self._chosen_theme()
        self.set_keymap(dict(settings.display.keys))
        self.feed.start()

    def _chosen_theme(self) -> str:
        configured = self.settings.display.theme
        kept = self.session.theme
        return kept if kept in NAMES and self.session.configured_theme == configured else configured

    @property
    def moment(self) -> Moment:
        """Which moment the console shows."""
        return Moment(now_ms=self.clock_ms(), at_ms=self._at_ms, paused_ms=self._paused_ms)

    def key_of(self, key: str) -> str:
        """A key as people write it."""
        return key

    def heard(self, header: Header | None, trouble: str | None) -> None:
        """A page was fed: remember the header for the other pages."""
        self.last_header = header or self.last_header
        self.trouble = trouble

    def go_to(self, at_ms: int | None) -> None:
        """Show that moment; None: live."""

    def run_named(self, action: str) -> None:
        """Run an action by its name, as its key would."""

    async def action_switch(self, mode: str) -> None:
        """Go to a screen."""
        await self.switch_mode(mode)

    def action_leave(self) -> None:
        """Quit."""
        self.feed.stop()
        self.exit()
