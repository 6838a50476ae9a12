"""The page that every screen is: header, ledger or banner, body, footer; fed by the console's one reader."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key, ScreenResume
from textual.screen import Screen
from textual.widget import Widget

from console.model.ports import StoreReads
from console.model.views import Header
from screens.feed import Done, Fed, Question
from screens.host import Host
from widgets import bars
from widgets.canvas import Canvas
from widgets.lines import Line, blank

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
ROOM_FOR_ALL = (80, 24)

Result = TypeVar("Result")


class Page(Screen[Result]):
    """Base of all screens. A subclass says what it asks of the store and how the answer looks in lines."""

    NAME: ClassVar[str] = ""
    """Under which its cursor and scroll are remembered."""
    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.view: object | None = None
        self.said: str | None = None

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

    def header_of(self, view: object) -> Header | None:
        """The header that came with an answer."""
        header = getattr(view, "header", None)
        return header if isinstance(header, Header) else None

    def extra(self) -> Iterable[Widget]:
        """Further widgets between notice and body, such as a field to type in."""
        return ()

    # What all pages do

    def compose(self) -> ComposeResult:
        yield Canvas(id="header")
        yield Canvas(id="notice")
        yield from self.extra()
        yield Canvas(id="body")
        yield Canvas(id="footer")

    def on_screen_resume(self, event: ScreenResume) -> None:
        """The page is seen (again): draw what is known and ask anew."""
        self.paint()
        self.ask()

    def ask(self) -> None:
        """Make this page's question the one that the reader answers."""
        self.host.feed.look(self, self.question(), self.host.moment.at_ms)

    def on_fed(self, message: Fed) -> None:
        """An answer, or why there is none: the last value stays."""
        if message.answer is not None:
            self.view = message.answer
        self.host.heard(self.header_of(message.answer), message.trouble)
        self.paint()

    def on_done(self, message: Done) -> None:
        """An errand came to something."""
        self.say(message.words)
        self.ask()

    def say(self, words: str | None) -> None:
        """Show words in place of the footer until the next key."""
        self.said = words
        self.paint_bars()

    def on_key(self, event: Key) -> None:
        """What was said has been read."""
        if self.said is not None:
            self.say(None)

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
        self.paint_bars()
        canvas = self.query_one_optional("#body", Canvas)
        if canvas is None or self.is_small:
            return
        width, height = canvas.size
        if width and height:
            lines = self.body(width, height)
            canvas.show([*lines[:height], *[blank(width)] * (height - len(lines))])

    def paint_bars(self) -> None:
        """The lines that all pages share."""
        width = self.size.width
        shared = self._bars()
        if self.is_small:
            self._show("#header", bars.small_line(shared, width, ROOM_FOR_ALL))
            return
        self._show("#header", bars.header_line(shared, width))
        self._show("#notice", bars.notice_line(shared, width))
        self._show("#footer", bars.footer_line(self._keys(), self.said, width, shared.glyphs))

    def _show(self, selector: str, line: Line) -> None:
        canvas = self.query_one_optional(selector, Canvas)
        if canvas is not None:
            canvas.show([line])

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
        )

    def _keys(self) -> list[bars.Key]:
        """The footer's entries, from the bindings that are in force here."""
        seen: dict[str, bars.Key] = {}
        for key, active in self.active_bindings.items():
            binding = active.binding
            if binding.show and binding.action not in seen:
                seen[binding.action] = bars.Key(self.host.key_of(key), binding.description, active.enabled)
        first = [entry for action, entry in seen.items() if action.startswith("app.switch")]
        return first + [entry for action, entry in seen.items() if not action.startswith("app.switch")]


def _header_only(reads: StoreReads, at_ms: int | None) -> object:
    return reads.health(at_ms, strip_slices=1, events=1)


def key(key: str, action: str, words: str, id: str, *, show: bool = False) -> Binding:
    """A binding with an id, so that it can be remapped; `show`: listed in the footer."""
    return Binding(key, action, words, show=show, id=id)
