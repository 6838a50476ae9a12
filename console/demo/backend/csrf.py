"""CSRF tokens: a session cookie and a keyed digest of it, which writing requests must send in a header."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

COOKIE, HEADER = "session", "x-csrf-token"


class Csrf:
    """One key a process: after a restart old tokens are refused and clients fetch new ones."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, session: str) -> str:
        """The token that belongs to a session."""
        return hmac.new(self._key, session.encode(), hashlib.sha256).hexdigest()

    def holds(self, request: Request) -> bool:
        """Whether a writing request carries its session's token."""
        session = request.cookies.get(COOKIE, "")
        return bool(session) and hmac.compare_digest(request.headers.get(HEADER, ""), self.token(session))

    def session(self, request: Request) -> str:
        """The session of the request, or a new one."""
        return request.cookies.get(COOKIE) or secrets.token_urlsafe(16)


def keep_session(response: Response, session: str) -> None:
    """Set the session's cookie on a response."""
    response.set_cookie(COOKIE, session, httponly=True, samesite="lax", path="/")
