"""A stand-in for Prometheus: `query_range` of one gauge, and the errors of the real one."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.business import QUEUE, queue_length
from console.demo.standins.answers import bears, html

MOST_POINTS = 11_000
LARGEST_FORM = 64 * 1024


class Prometheus:
    """Behind a proxy that wants a token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def application(self) -> ASGIApp:
        """To be served."""
        return Router(
            [Route("/api/v1/query_range", self.query_range, methods=["GET", "POST"])], default=html(404, "404")
        )

    async def query_range(self, request: Request) -> Response:
        """A matrix of at most one series."""
        if not bears(request, self._token):
            return html(401, "401 Authorization Required")
        form = dict(request.query_params) | await _form(request)
        try:
            start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        except (KeyError, ValueError):
            return _error("invalid parameter: start, end and step are numbers")
        if step <= 0 or end < start:
            return _error('invalid parameter "end": end timestamp must not be before start time')
        if (end - start) / step > MOST_POINTS:
            return _error(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution"
            )
        return _matrix(form.get("query", ""), start, end, step)


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    fields = parse_qs(body[:LARGEST_FORM].decode(errors="replace"))
    return {name: values[-1] for name, values in fields.items()}


def _matrix(query: str, start: float, end: float, step: float) -> Response:
    if not query:
        return _error('invalid parameter "query": unknown position: parse error: no expression found in input')
    times = [start + index * step for index in range(int((end - start) / step) + 1)]
    values = [[at_s, f"{queue_length(at_s):g}"] for at_s in times]
    result = [{"metric": {}, "values": values}] if QUEUE in query else []
    return JSONResponse({"status": "success", "data": {"resultType": "matrix", "result": result}})


def _error(words: str) -> Response:
    return JSONResponse({"status": "error", "errorType": "bad_data", "error": words}, 400)
