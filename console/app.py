"""The Textual App: builds the parts, wires them, decides nothing."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, cast

# ruff: noqa: E402 - the environment is cleared before textual, which reads it when imported, is.
# Both reach into the program from outside: one presses keys, the other imports code.
for _name in ("TEXTUAL_PRESS", "TEXTUAL_DRIVER"):
    os.environ.pop(_name, None)

# What is imported stays: looking for garbage in it meanwhile is a tenth of the start.
_collects_garbage = gc.isenabled()
gc.disable()

from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.events import Event, InputEvent, Key, Paste

from console.model.configuration import Settings
from console.model.ports import ActionDesk, AlertActions, Inquiries, Notes, PollRequests, StoreReads
from console.model.secrets import Concealer
from console.model.views import Header
from console.settings import SettingsError
from screens import session as sessions
from screens.defects import Defects
from screens.feed import Done, Feed, Hands
from screens.health import HealthScreen, health_question
from screens.host import FaultSwitch
from screens.keyboard import Keyboard
from screens.leaving import Leaving
from screens.opening import Opening
from screens.page import Page
from screens.shared_keys import KEYS
from themes.palette import theme_of
from themes.registry import NAMES, PALETTES, SHARED_CSS, named
from widgets.bars import Moment
from widgets.glyphs import SETS

gc.freeze()
if _collects_garbage:
    gc.enable()

SWITCH_S = 0.015
WARM_S = 2.0
SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _alerts_screen() -> Page[None]:
    # Late: the field to type in (textual's Input) is not needed for the first paint.
    from screens.alerts import AlertsScreen

    return AlertsScreen()


def _deployments_screen() -> Page[None]:
    # Late: nobody's first paint needs it.
    from screens.deployments import DeploymentsScreen

    return DeploymentsScreen()


def _metrics_screen() -> Page[None]:
    # Late: nobody's first paint needs the charts.
    from screens.metrics import MetricsScreen

    return MetricsScreen()


def _import_charts() -> None:
    import screens.metrics
    import screens.plan  # noqa: F401 - a plan should stand soon after its key
    from widgets.raster import warm

    warm()


class RadarApp(Opening, App[None], inherit_bindings=False):
    """The console of one environment. Its parts come from outside: reads, what may be done, the demo's faults."""

    CSS_PATH = SHARED_CSS
    ENABLE_COMMAND_PALETTE = False
    MODES: ClassVar = {
        "health": HealthScreen,
        "metrics": _metrics_screen,
        "deployments": _deployments_screen,
        "alerts": _alerts_screen,
    }
    DEFAULT_MODE = "health"
    THEMES = NAMES
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(
        self,
        settings: Settings,
        reads: StoreReads,
        alerts: AlertActions,
        polls: PollRequests,
        notes: Notes,
        at_ms: int | None = None,
        clock_ms: Callable[[], int] = _now_ms,
        faults: FaultSwitch | None = None,
        session_path: Path | None = None,
        desk: ActionDesk | None = None,
        inquiries: Inquiries | None = None,
        starting: Callable[[], bool] = lambda: False,
    ) -> None:
        self.settings = settings
        self.session_path = session_path or sessions.session_file(settings.environment.name, settings.state_directory)
        self.session = sessions.load(self.session_path)
        # NO_COLOR means no colour codes at all, so the theme without colours of its own.
        self._colourless = "NO_COLOR" in os.environ
        first = "ansi" if self._colourless else self._first_theme()
        super().__init__(driver_class=Keyboard, ansi_color=True if first == "ansi" else None)
        self.alert_actions = alerts
        self.polls = polls
        self.faults = faults
        self.desk = desk
        self.role = ""
        self.notes = notes
        self.inquiries = inquiries
        self.starting = starting
        self.heard_key: Callable[[str], None] | None = None
        """Told of every key: the story of the demo ends with a person's first."""
        self.begun: set[str] = set()
        self._leaving = Leaving()
        self.clock_ms = clock_ms
        self.glyphs = SETS[settings.display.glyphs]
        self.defects = Defects(self.session_path.with_name("defects.txt"))
        self.feed = Feed(reads, clock_ms, self.defects)
        self.hands = Hands(self.defects)
        self.last_header: Header | None = None
        self.trouble: str | None = None
        self._at_ms = at_ms
        self._paused_ms: int | None = None
        for palette in PALETTES:
            self.register_theme(theme_of(palette))
        # Set without its watcher, which would parse all styles once more: 30 ms of the start.
        self.set_reactive(RadarApp.theme, first)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_keymap(dict(settings.display.keys))
        self.feed.start()
        self._ask_early()

    # Start and end

    def _ask_early(self) -> None:
        """Read the store while textual starts: the first picture then has values, and no second one is drawn."""
        kept = self.session.cursors.get(HealthScreen.NAME)
        size = shutil.get_terminal_size()
        self.feed.look(None, health_question(size.columns, size.lines, None, kept), self.moment.read_ms)

    def _first_theme(self) -> str:
        configured, kept = named(self.settings.display.theme), self.session.theme
        return kept if kept in NAMES and self.session.configured_theme == configured else configured

    async def on_mount(self) -> None:
        """Listen to signals."""
        if not self.is_headless:
            self._listen()
        self.set_timer(WARM_S, self._warm)
        if self.desk is not None:
            desk = self.desk
            self.hands.do(self, lambda: desk.role_words, then=self._know_role)

    def _know_role(self, role: str) -> None:
        self.role = role
        self.page.paint_bars()

    def _warm(self) -> None:
        """Import what draws charts (110 ms of processor) once the first page stands."""
        self.hands.do(self, _import_charts)

    def _listen(self) -> None:
        import asyncio
        import signal

        loop = asyncio.get_running_loop()
        for name in SIGNALS:
            number = getattr(signal, name)
            loop.add_signal_handler(number, self._leave, 128 + number)

    def action_leave(self) -> None:
        """Quit; asks while an action that was begun here is running, or a note is not sent."""
        self._leaving.ask(self.page, lambda: self._leave(0))

    async def on_event(self, event: Event) -> None:
        """Keys, clicks and pasted text, unless the page does not take them: what was typed before it was seen."""
        inputs = isinstance(event, InputEvent | Paste) and not event.is_forwarded
        if self.heard_key is not None and inputs and isinstance(event, Key):
            self.heard_key(event.key)
        if not inputs or not self.screen_stack or self.page.takes(event):
            await super().on_event(event)

    def press(self, name: str) -> None:
        """As if a person had pressed that key; from any thread."""
        self.post_message(Key(name, name if len(name) == 1 else None))

    def caption(self, words: str | None) -> None:
        """Say something on the page on top, unless it stands there already; from any thread."""
        self.call_later(self._say_once, words)

    def _say_once(self, words: str | None) -> None:
        if self.page.said != words:
            self.page.say(words)

    def _leave(self, return_code: int) -> None:
        self.feed.stop()
        self.session.note = self._without_secrets(self.session.note)
        trouble = sessions.save(self.session_path, self.session)
        self.exit(return_code=return_code, message=trouble)

    def _without_secrets(self, draft: str) -> str:
        """A note that was not sent is kept in a file, too."""
        try:
            return Concealer(self.settings.environment, self.settings.operations())(draft) if draft else draft
        except SettingsError:
            return ""  # which texts are secret is not known

    def action_stay(self) -> None:
        """ctrl+c is pressed by reflex, and by those who copy."""
        self.page.say("ctrl+c ends nothing here: q quits, y copies")

    def _fatal_error(self) -> None:
        """Textual's own shows local variables, and with them tokens and connection strings."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        trace = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()

    def delay_update(self, delay: float = 0.05) -> None:
        """Textual hides a change of screens for 50 ms; pages here are drawn from what is known within ten."""
        super().delay_update(min(delay, SWITCH_S))

    # What the pages see (screens.host.Host)

    @property
    def page(self) -> Page[object]:
        """The page on top."""
        return cast("Page[object]", self.screen)

    @property
    def moment(self) -> Moment:
        """Which moment the console shows."""
        return Moment(now_ms=self.clock_ms(), at_ms=self._at_ms, paused_ms=self._paused_ms)

    def heard(self, header: Header | None, trouble: str | None) -> None:
        """A page was fed: remember the header for the other pages; ring for a new alert, if wanted."""
        before = self.last_header
        self.trouble = trouble
        self.last_header = header or before
        more = header is not None and before is not None and header.alerts_firing > before.alerts_firing
        if more and self.settings.display.bell and self.moment.live:
            self.bell()

    def on_done(self, message: Done) -> None:
        """An errand of the console itself came to something."""
        if message.words:
            self.page.say(message.words)
        if message.then is not None:
            message.then()

    # Where

    async def action_switch(self, mode: str) -> None:
        """Go to a screen; from a page over it, back to the screen itself."""
        if mode == self.current_mode:
            while len(self.screen_stack) > 1:
                await self.pop_screen()
        else:
            await self.switch_mode(mode)
            self.page.come()

    async def action_back(self) -> None:
        """Esc: leave what is being typed, else the page."""
        if not self.page.leave_field() and len(self.screen_stack) > 1:
            self.page.dismiss(None)

    # When

    def go_to(self, at_ms: int | None) -> None:
        """Show that moment; None: live."""
        self._at_ms, self._paused_ms = at_ms, None
        self.page.paint()
        self.page.ask()

    def action_live(self) -> None:
        """Back to now."""
        self.go_to(None)

    def action_pause(self) -> None:
        """Let the display stand still at the moment it shows, or go on."""
        if self._at_ms is not None:
            self.page.say("the moment shown stands still already; L goes back to now")
            return
        self._paused_ms = None if self._paused_ms is not None else self.clock_ms()
        self.page.paint()
        self.page.ask()

    def action_step(self, forward: bool) -> None:
        """To the nearest moment at which a judgement changed."""
        shown = self.moment.shown_ms
        then = self._stepped_on if forward else self._stepped_back
        self.feed.ask(self, lambda reads: reads.change_after(shown, forward=forward), then)

    def _stepped_on(self, at_ms: int | None) -> None:
        if at_ms is None:
            moved = self.page.follow() or not self.moment.live
            self.page.say("nothing changed after that: back to live" if moved else "this is now")
        self.go_to(at_ms)

    def _stepped_back(self, at_ms: int | None) -> None:
        if at_ms is None:
            self.page.say("no change before this is on record")
        else:
            self.go_to(at_ms)

    async def action_ask_moment(self) -> None:
        """Ask for a moment."""
        from screens.moments import MomentPage

        await self.page.open_page(MomentPage(), lambda at_ms: None if at_ms is None else self.go_to(at_ms))

    # What

    def action_poll(self) -> None:
        """Ask the collector to poll now."""
        if not self.moment.live:
            self.page.say(f"{self.moment.word}: actions are off; L goes back to now")
            return
        header = self.last_header
        if header is not None and not header.collector.alive:
            self.page.say("nobody polls: there is no living collector to ask; radar doctor tells why")
            return
        self.hands.do(self, self.polls.poll_now, "asked the collector to poll now")

    def action_copy(self) -> None:
        """Copy what is selected or shown."""
        from screens import clipboard

        text, driver = self.page.copied(), self._driver
        if not text or driver is None:
            self.page.say("there is nothing to copy here")
        else:
            self.page.say(clipboard.copy(text, driver.write, os.environ, self.session_path.parent))

    def action_theme(self, name: str) -> None:
        """Other colours, remembered for the next start."""
        if self._colourless:
            self.page.say("NO_COLOR is set: the console has no colours")
            return
        self.ansi_color = None  # what the theme says, whatever the first one was
        self.theme = name
        self.session.theme, self.session.configured_theme = name, named(self.settings.display.theme)

    def action_glyphs(self, name: str) -> None:
        """Other signs, until the console ends."""
        self.glyphs = SETS[name]
        self.page.paint()

    def action_fault(self, name: str, on: bool) -> None:
        """Switch one of the demo's faults."""
        faults = self.faults
        if faults is not None:
            words = f"fault {name} is {'on' if on else 'off'}"
            self.hands.do(self, lambda: faults.set(name, on), words)


def bindings() -> list[Mapping[str, str]]:
    """The keys of each binding by its id, with commas between: of the console alone, then of each page of it."""
    everywhere = _bound(RadarApp)
    return [everywhere, *({**everywhere, **_bound(page)} for page in pages())]


def pages() -> tuple[type[DOMNode], ...]:
    """Every page that the console can show."""
    # Late: most are imported when they are first opened.
    from screens.registry import PAGES

    return PAGES


def _bound(kind: type[DOMNode]) -> Mapping[str, str]:
    declared = [each for parent in reversed(kind.__mro__) for each in parent.__dict__.get("BINDINGS", ())]
    return {each.id: each.key for each in declared if isinstance(each, Binding) and each.id}
