"""The one sanitiser: every text from outside passes here before it is stored or drawn.

Terminals obey bytes. What could move the cursor, recolour, write the clipboard or reorder a line is shown in a
visible form instead: ESC as `␛`, other controls as `\\x07`, invisible and bidirectional characters as `<U+202E>`.
Sequences are not removed but disarmed, so that nothing is silently lost. All passes take linear time.

Markup is not this module's business: text from outside goes to widgets as `Content(text)` or with `markup=False`.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

LINE_LIMIT = 300
BLOCK_LIMIT = 20_000
TAB_WIDTH = 4
MARKS_PER_BASE = 4  # as many as any living script stacks; more is there to paint over other lines

# C0, DEL, C1, then what draws nothing or changes the order of what is drawn.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BEYOND_LATIN = re.compile("[\u0300-\U0010ffff]{5,}")  # any run that could hold too many marks
_TERMINAL_SELECTORS = "\ufe0e\ufe0f"  # text or emoji drawing of the same character: no meaning, and they break tmux

_SECRETS = (
    (re.compile(r"(://[^\s/@:]{0,64}):[^\s/@]{1,256}@"), r"\1:(hidden)@"),
    (re.compile(r"\beyJ[\w-]{8,512}\.[\w-]{4,1024}(?:\.[\w-]{0,512})?"), "(hidden token)"),
    (re.compile(r"\b(?:sbp|sb_secret|vcp|ghp|gho|ghs|ghr|github_pat|xox[abprs])[_-][\w-]{8,256}"), "(hidden token)"),
    (re.compile(r"(hooks\.slack\.com/services)/[\w/-]{1,128}"), r"\1/(hidden)"),
    (re.compile(r"\b(?:AKIA[0-9A-Z]{16}|sk-[\w-]{16,256})"), "(hidden token)"),
    (
        re.compile(r"(?i)\b((?:password|passwd|pwd|apikey|api_key|secret|token)\"?\s?[=:]\s?\"?)[^\s\"&,;]{3,256}"),
        r"\1(hidden)",
    ),
    (re.compile(r"(?i)\b(bearer|basic) [\w.+/=~-]{8,1024}"), r"\1 (hidden)"),
)


def clean(text: str, limit: int = LINE_LIMIT) -> str:
    """`text` as one harmless line of at most `limit` characters; line ends show as `↵`, a cut as `…`."""
    if text.isascii() and text.isprintable():  # most text, at the cost of a memory scan
        return _cut(text.strip(" "), limit)
    line = text[: limit + 1].strip(" \t\r\n").replace("\r\n", "\n").replace("\n", "↵").replace("\t", " ")
    return _cut(_disarm(line), limit, was_longer=len(text) > limit + 1)


def clean_block(text: str, limit: int = BLOCK_LIMIT) -> str:
    """`text` as harmless lines parted by `\\n`, at most `limit` characters in all; tabs become spaces."""
    lines = text[: limit + 1].replace("\r\n", "\n").split("\n")
    block = "\n".join(_disarm(line.expandtabs(TAB_WIDTH)) for line in lines)
    return _cut(block, limit, was_longer=len(text) > limit + 1)


def decode(data: bytes) -> str:
    """Bytes from outside as text, not yet clean: UTF-8, with U+FFFD for what is none, without a leading BOM."""
    return data.decode("utf-8-sig", errors="replace")


def redact(text: str) -> str:
    """`text` (already cut to its limit) with the passwords and tokens of well-known forms replaced by `(hidden)`."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _cut(text: str, limit: int, *, was_longer: bool = False) -> str:
    if len(text) <= limit and not was_longer:
        return text
    return text[: max(0, limit - 1)] + "…"[:limit]


def _disarm(line: str) -> str:
    return _cap_marks(_UNSAFE.sub(_visible, line))


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character == "\x1b":
        return "␛"
    if code < 0xA0:
        return f"\\x{code:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return "" if character in _TERMINAL_SELECTORS else f"<U+{code:04X}>"


def _cap_marks(line: str) -> str:
    return line if line.isascii() else _BEYOND_LATIN.sub(_cap_run, line)


def _cap_run(match: re.Match[str]) -> str:
    parts = []
    for is_mark, group in groupby(match.group(), _is_mark):
        run = "".join(group)
        parts.append(f"{run[:MARKS_PER_BASE]}<+{len(run) - MARKS_PER_BASE} marks>" if _too_many(is_mark, run) else run)
    return "".join(parts)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")


def _too_many(is_mark: bool, run: str) -> bool:
    return is_mark and len(run) > MARKS_PER_BASE
