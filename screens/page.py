"""The page that every screen is: header, ledger or banner, body, footer; fed by the console's one reader."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Event, Key, Resize, ScreenResume
from textual.screen import Screen
from textual.widget import Widget

from console.model.ports import StoreReads
from console.model.views import Header, HealthView
from screens.cells import CellCompositor
from screens.feed import Done, Fed, Question
from screens.host import Host
from screens.keys import key_words
from widgets import bars
from widgets.canvas import Canvas
from widgets.lines import Line, Span, blank, cut, plain, wrap

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
SAID_MS = 10_000
SEEN_S = 0.5
"""What is typed in this time after something was drawn was meant for what stood there before."""
ROOMY = 32
"""Lines from which a body begins with an empty one."""

Result = TypeVar("Result")
Answer = TypeVar("Answer")


class Page(Screen[Result]):
    """Base of all screens. A subclass says what it asks of the store and how the answer looks in lines."""

    NAME: ClassVar[str] = ""
    """Under which its cursor and scroll are remembered."""
    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = CellCompositor()
        self.view: object | None = None
        self.said: str | None = None
        self._said_ms = 0
        self.lead = 0
        """Empty lines above the body, where there is room."""
        self._hidden = False
        self._counts_s: float | None = 0.0
        """From when on keys count, where there was no room for the page before; None: it is not drawn yet."""

    @property
    def host(self) -> Host:
        """The console."""
        return cast(Host, self.app)

    # What a subclass says

    def question(self) -> Question:
        """What to ask the store. Runs in the reader's thread: the closure captures values, never the page."""
        return _header_only

    def body(self, width: int, height: int) -> list[Line]:
        """The lines of the body in exactly that room."""
        raise NotImplementedError

    def header_of(self, view: object | None) -> Header | None:
        """The header that came with an answer."""
        header = getattr(view, "header", None)
        return header if isinstance(header, Header) else None

    def extra(self) -> Iterable[Widget]:
        """Further widgets between notice and body, such as a field to type in."""
        return ()

    def copied(self) -> str | None:
        """What `y` copies; by default everything that the page shows."""
        canvas = self.query_one_optional("#body", Canvas)
        return plain(canvas.lines) if canvas is not None else None

    def waiting(self, width: int) -> list[Line]:
        """In place of a body while there is no value: why, and what to do."""
        trouble = self.host.trouble
        if trouble is None:
            return [cut([Span(" reading the store", "dim")], width)]
        rows = [cut([Span(f" {row}")], width) for row in wrap(trouble, width - 2)]
        again = cut([Span(" It is tried again every five seconds; radar doctor examines it.", "dim")], width)
        return [cut([Span(" The store cannot be read.", "strong")], width), blank(width), *rows, blank(width), again]

    def come(self) -> None:
        """A person came here from another screen."""

    def follow(self) -> bool:
        """Show what is, where the page itself looked back; whether it did."""
        return False

    def now_ms(self, header: Header) -> int:
        """The moment that ages are told for: when it was read, or the clock's while nothing can be read."""
        return header.at_ms if self.host.trouble is None else self.host.moment.shown_ms

    def takes(self, event: Event) -> bool:
        """Whether a key, a click or pasted text counts. On a page over another one that cannot be seen, and half a
        second after, only esc and what quits do. A page that confirms drops what came too early, too."""
        seen = not self.is_small and self._counts_s is not None and event.time >= self._counts_s
        if seen or len(self.app.screen_stack) == 1:
            return True
        if not isinstance(event, Key):
            return False
        quits = key_words(event.key) == self._key_of("app.quit")
        typed = self.focused is not None and self.focused.check_consume_key(event.key, event.character)
        return event.key == "escape" or (quits and not typed)

    def reappear(self) -> None:
        """The page is drawn again, after the terminal had no room for it. What is hidden loses the focus."""
        if self.AUTO_FOCUS:
            self.set_focus(self.query_one(self.AUTO_FOCUS))

    def make_ready(self) -> None:
        """Have a plan stand sooner: a person may well act from here."""
        desk = self.host.desk
        if desk is not None and self.host.moment.live:
            self.host.hands.do(self, desk.prepare, then=lambda _: None)

    def leave_field(self) -> bool:
        """Esc where something is being typed on the page itself; whether there was anything to leave."""
        return False

    # What all pages do

    async def open_page(self, page: Page[Answer], then: Callable[[Answer | None], None] | None = None) -> None:
        """Show a page over this one and come back when it takes keys: what is typed ahead belongs to it."""
        await self.app.push_screen(page, then)
        if page.AUTO_FOCUS:
            page.set_focus(page.query_one(page.AUTO_FOCUS))

    def compose(self) -> ComposeResult:
        yield Canvas(id="header")
        yield Canvas(id="notice")
        yield from self.extra()
        yield Canvas(id="body")
        yield Canvas(id="footer")

    def on_screen_resume(self, event: ScreenResume) -> None:
        """The page is seen (again): draw what is known and ask anew."""
        self._take_known()
        self.paint()
        self.ask()

    def _take_known(self) -> None:
        """The answer that was read while textual was still starting."""
        host = self.host
        known = host.feed.known(self.question(), host.moment.read_ms) if self.view is None else None
        if known is not None:
            self.view = known.answer
            host.heard(self.header_of(known.answer), known.trouble)

    def ask(self) -> None:
        """Make this page's question the one that the reader answers."""
        self.host.feed.look(self, self.question(), self.host.moment.read_ms)

    def on_fed(self, message: Fed) -> None:
        """An answer, or why there is none: the last value stays. What was said long ago gives way to the keys."""
        if self.said is not None and abs(self.host.clock_ms() - self._said_ms) >= SAID_MS:
            self.said = None
        if message.answer is not None:
            self.view = message.answer
        self.host.heard(self.header_of(message.answer), message.trouble)
        self.paint()

    def on_done(self, message: Done) -> None:
        """An errand came to something."""
        if message.words:
            self.say(message.words)
        if message.then is not None:
            message.then()
        elif self.is_current:
            self.ask()

    def say(self, words: str | None) -> None:
        """Show words in place of the footer until the next key, or until they have stood for ten seconds."""
        self.said, self._said_ms = words, self.host.clock_ms()
        self.paint_bars()

    def on_key(self, event: Key) -> None:
        """What was said has been read."""
        if self.said is not None:
            self.say(None)

    def on_resize(self, event: Resize) -> None:
        """From no room to room, or back, or to less of it."""
        if self.is_small or self._hidden:
            self.paint()

    def on_canvas_resized(self, event: Canvas.Resized) -> None:
        """Lay out anew."""
        self.paint()

    @property
    def is_small(self) -> bool:
        """Whether the terminal has no room for a page."""
        return self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT

    def paint(self) -> None:
        """Lay everything out; only what changed reaches the terminal."""
        self.set_class(self.is_small, "-small")
        self._watch_room()
        self.paint_bars()
        canvas = self.query_one_optional("#body", Canvas)
        if canvas is None or self.is_small:
            return
        width, height = canvas.size
        if width and height:
            self.lead = 1 if height >= ROOMY else 0
            room = height - self.lead
            lines = self._drawn(width, room)[:room]
            canvas.show([*[blank(width)] * self.lead, *lines, *[blank(width)] * (room - len(lines))])

    def _watch_room(self) -> None:
        if self.is_small:
            self._hidden, self._counts_s = True, None
        elif self._hidden:
            self._hidden = False
            self.call_after_refresh(self._is_seen)
            self.reappear()

    def _is_seen(self) -> None:
        if not self._hidden:
            self._counts_s = time.monotonic() + SEEN_S

    def _drawn(self, width: int, height: int) -> list[Line]:
        try:
            return self.body(width, height)
        except Exception as error:  # noqa: BLE001 - a value of a shape nobody thought of must not end the console
            told = wrap(f"This page cannot be drawn: {self.host.defects.words(error)}", width - 2)
            rest = Span(" A defect of the console; the other pages work, and radar check tells the state.", "dim")
            return [*(cut([Span(f" {row}", "bad")], width) for row in told), cut([rest], width)]

    def paint_bars(self) -> None:
        """The lines that all pages share."""
        width = self.size.width
        shared = self._bars()
        if self.is_small:
            health = getattr(self.view, "health", self.view)
            verdict = health.verdict if isinstance(health, HealthView) else None
            reasons = verdict.reasons if verdict is not None else ()
            least = (LEAST_WIDTH, LEAST_HEIGHT)
            self._show("#header", *bars.small_lines(shared, reasons, width, self.size.height, least))
            return
        self._show("#header", bars.header_line(shared, width))
        self._show("#notice", bars.notice_line(shared, width))
        self._show("#footer", bars.footer_line(self.keys(), self.said, width, shared.glyphs))

    def _show(self, selector: str, *lines: Line) -> None:
        canvas = self.query_one_optional(selector, Canvas)
        if canvas is not None:
            canvas.show(lines)

    def _bars(self) -> bars.Bars:
        host = self.host
        environment = host.settings.environment
        return bars.Bars(
            environment=environment.name,
            label=environment.label,
            header=host.last_header,
            moment=host.moment,
            trouble=host.trouble,
            glyphs=host.glyphs,
            role=host.role,
            starting=host.starting(),
        )

    def keys(self) -> list[bars.Key]:
        """The footer's entries: the screens or the way back, then what acts here, from the bindings in force."""
        over = len(self.app.screen_stack) > 1
        back = [bars.Key(self._key_of("app.back"), "back")] if over else []
        return [*back, *self._listed("app.switch") * (not over), *self._listed("")]

    def _listed(self, prefix: str) -> list[bars.Key]:
        found: dict[str, bars.Key] = {}
        for key, active in self.active_bindings.items():
            binding = active.binding
            wanted = binding.action.startswith("app.switch") == bool(prefix)
            if binding.show and wanted and binding.action not in found and self._may(binding.action):
                found[binding.action] = bars.Key(key_words(key), binding.description)
        return list(found.values())

    def _key_of(self, id: str) -> str:
        """The first key of a binding, as remapped."""
        return next((key_words(key) for key, active in self.active_bindings.items() if active.binding.id == id), "")

    def _may(self, action: str) -> bool:
        """Whether an action is offered: acting is off when not live."""
        return self.host.moment.live or action not in _ACTING


_ACTING = ("act", "undo", "resume", "app.poll")


def _header_only(reads: StoreReads, at_ms: int | None) -> object:
    return reads.health(at_ms, strip_slices=1, events=1)


def key(key: str, action: str, words: str, id: str, *, short: str = "", first: bool = False) -> Binding:
    """A binding with an id, so that it can be remapped; with a `short` name it is listed in the footer. `first`: runs
    before the next key is looked at; other keys typed in the same instant still meet the page that was there."""
    return Binding(key, action, short, tooltip=words, show=bool(short), id=id, priority=first)
