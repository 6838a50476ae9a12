"""What of a secret is taken out of a text, in which forms, and what is left alone."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from console.model.configuration import Environment, Secret
from console.model.operations import Operations, Slack, Webhook
from console.model.secrets import Concealer

HEX = "0123456789abcdef0123456789abcdef"
PLAIN = Environment(name="e", url="https://app.example.com")


def conceal(url: str, token: str | None = None) -> Concealer:
    hook = Webhook(name="audit", url=Secret(url), token=Secret(token) if token else None)
    return Concealer(PLAIN, Operations(webhooks=(hook,)))


@pytest.mark.parametrize(
    ("url", "said", "kept_out"),
    [
        (f"https://h.example/wh/in?key={HEX}", f"cannot POST /wh/in?key={HEX}", HEX),
        (f"https://h.example/wh/in?key={HEX}", f"no such key {HEX}", HEX),
        (f"https://h.example/wh/in?{HEX}", f"not {HEX}", HEX),
        ("https://h.example/wh?a=1&sig=a%2Fb%2Bc%3D99x", "sig is a/b+c=99x", "a/b+c=99x"),
        ("https://h.example/wh?a=1&sig=a/b+c=99x", "sig is a%2fb%2bc%3d99x", "a%2fb%2bc%3d99x"),
        ("https://h.example/wh?sig=ab%20cd%20e9", "sig is ab+cd+e9", "ab+cd"),
        ("https://h.example/wh?key=general", "no key general here", "general"),
        (f"https://h.example/t/{HEX}/post", f"unknown path part {HEX}", HEX),
        ("https://h.example/t/s3cr3tx/post", "unknown path part s3cr3tx", "s3cr3tx"),
        ("https://h.example/t/kQzPwXyR", "unknown path part kQzPwXyR", "kQzPwXyR"),
        ("https://h.example/t/qwzxkvbn/post", "unknown path part qwzxkvbn", "qwzxkvbn"),
        ("https://h.example/hooks/desk", "Cannot POST /hooks/desk", "/hooks/desk"),
        ("https://h.example/a/b?x=1&y=tok3nTok3n", '<a href="/a/b?x=1&amp;y=tok3nTok3n">', "tok3nTok3n"),
        ("https://me:pass4711word@h.example/in", "pass4711word", "pass4711word"),
        ("https://me:p%40ss4711@h.example/in", "p@ss4711", "p@ss4711"),
        ("https://tok3nTok3n@h.example/in", "user tok3nTok3n", "tok3nTok3n"),
        (f"https://h.example/t/{HEX}", f"see https://h.example/t/{HEX}/", HEX),
        (f"https://h.example/t/{HEX}", f'{{"u":"https:\\/\\/h.example\\/t\\/{HEX}"}}', HEX),
        (f"https://h.example/t/{HEX}", f"the end is cut: {HEX[:20]}… and more", HEX[:20]),
        (f"https://h.example/wh/in?key={HEX}", quote(f"cannot POST /wh/in?key={HEX}", safe=""), HEX),
    ],
)
def test_no_part_of_an_address_that_lets_somebody_in_is_shown(url: str, said: str, kept_out: str) -> None:
    shown = conceal(url)(said)
    assert kept_out not in shown and "(hidden)" in shown


@pytest.mark.parametrize(
    "text",
    [
        "services of the incoming-webhooks in production: IncomingWebhook v2, since 2026-11-23, in general",
        "three things…", "012345… is no beginning of a secret that is known to be cut at six: 01234…",
    ],
)  # fmt: skip
def test_words_that_an_address_is_made_of_are_left_alone(text: str) -> None:
    url = "https://hooks.example.com/services/incoming-webhooks/IncomingWebhook/v2/T0DEMO1?room=general&version=2026-11-23"
    assert conceal(url)(text) == text


def test_a_whole_document_is_concealed_and_its_keys_stay() -> None:
    url = "https://hooks.example.com/services/T0/B0/xyz4711xyz"
    found = Concealer(PLAIN, Operations(slack=Slack(webhook=Secret(url)))).of(
        {"a": [f"to {url}", 1, None, True], "b": {"c": ("xyz4711xyz",)}}
    )
    assert found == {"a": ["to (hidden)", 1, None, True], "b": {"c": ["(hidden)"]}}
    assert "4711" not in json.dumps(found)


@pytest.mark.parametrize(
    ("dsn", "said", "shown"),
    [
        ("postgresql://postgres:postgres@127.0.0.1/app", "postgres.activity is well", "postgres.activity is well"),
        ("postgresql://radar:hunter4711@db/app?sslmode=require", "hunter4711 require", "(hidden) require"),
        ("postgresql://radar@db/app?password=hunter4711", "hunter4711", "(hidden)"),
        ("host=db user=radar password=hunter4711 dbname=app", "no hunter4711", "no (hidden)"),
        ("host=db password='hunter 47\\'11'", "no hunter 47\\'11", "no (hidden)"),
    ],
)
def test_the_password_of_a_connection_string(dsn: str, said: str, shown: str) -> None:
    environment = Environment(name="e", url="https://app.example.com", database=Secret(dsn))
    assert Concealer(environment)(said) == shown
