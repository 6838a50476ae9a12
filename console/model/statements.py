"""What can be told of an SQL statement by its form, before a server sees it. A hint for people, no protection. Pure."""

from __future__ import annotations

import re

FIRST_WORDS = ("select", "with", "table")
_FORM = "write one statement that begins with select, with or table and gives one row with one number"

# What may hold a semicolon that ends nothing. Comments of PostgreSQL nest; one level of it is enough for a hint.
_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*(?:[^*/]|\*(?!/)|/(?!\*)|/\*(?:[^*]|\*(?!/))*\*/)*\*/ )
    | (?P<quoted> \b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
        | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag) )
    | (?P<end> ; )
    | (?P<word> \w+ )
    """,
    re.VERBOSE | re.DOTALL,
)


def mistake(sql: str) -> tuple[str, str] | None:
    """What is wrong with a statement for one figure, and what to write; None where nothing is seen to be."""
    tokens = [found for found in _TOKEN.finditer(sql) if found.lastgroup != "comment"]
    ends = [found.start() for found in tokens if found["end"]]
    if ends and bare(sql[ends[0] :]).strip(";").strip():
        return "this is more than one statement", _FORM
    first = next((found.group().lower() for found in tokens if not found["end"]), "")
    if first not in FIRST_WORDS or not re.match(r"[\s(]*" + first, bare(sql), re.IGNORECASE):
        return "this statement does not read", _FORM
    return None


def bare(sql: str) -> str:
    """The statement without comments and without the semicolon at its end: what may stand in brackets."""
    text = _TOKEN.sub(lambda found: " " if found["comment"] else found.group(), sql)
    return text.strip().rstrip(";").strip()
