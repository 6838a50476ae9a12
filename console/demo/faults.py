"""The faults of the demo: their names, and switching them in a running demo."""

from __future__ import annotations

from pathlib import Path

from console.demo.control import ask

FAULTS: dict[str, str] = {
    "backend-down": "the backend's process is killed: connections are refused",
    "backend-hang": "the backend's process is stopped: it accepts and never answers",
    "backend-slow": "every answer of the backend takes 2.3 to 3.1 s more",
    "backend-errors": "six of ten requests for pages and API routes answer 500",
    "lying-health": "the health check's query is refused: 200 and `healthy`, with checks.database failing",
    "memory-flap": "the health answer's memory check fails nine times in ten on a healthy server: raises nothing",
    "health-cached": "the edge answers health from its cache: old body, `x-vercel-cache: HIT`, growing age",
    "firewall-challenge": "the firewall challenges all but browsers: 403 with `x-vercel-mitigated`",
    "bad-deploy": "a deployment goes live whose code fails on /pricing and /api/v1/audits",
    "db-down": "PostgreSQL is stopped",
    "db-hang": "all processes of PostgreSQL are stopped where they are: connections stay open, nothing answers",
    "connections-exhausted": "a runaway import opens sessions until PostgreSQL refuses more",
    "idle-in-transaction": "a job begins a transaction, locks rows and goes idle",
    "ci-migration-lock": "a migration from CI waits behind an idle reader, and readers wait behind it",
    "slow-queries": "the queries behind audits and reviews take 0.5 to 1.2 s",
    "gateway-down-sql-up": "Supabase's gateway answers 502 while direct SQL works",
    "vendor-incident": "Supabase's status page reports a major incident",
    "bastion-offline": "nothing is reachable from here, the egress witnesses neither; users notice nothing",
    "certificate-expiring": "the certificate served has two days left",
    "log-flood": "the backend writes some 1,500 log entries a second",
    "vercel-queued": "rollbacks and promotions are accepted and stay pending until it is switched off",
    "vercel-job-fails": "the job of a rollback or promotion ends failed: two domains have not moved",
    "vercel-conflict": "somebody else's promotion is in progress: rollbacks and promotions answer 409",
    "vercel-rate-limited": "every change at Vercel answers 429 with Retry-After",
    "vercel-lost-answer": "rollbacks and promotions are carried out, but their answer never comes",
    "vercel-unknown-state": "Vercel tells the newest deployment and the last job in a state that nobody has heard of",
    "vercel-token-revoked": "Vercel answers 403 `invalidToken` to everything",
    "vercel-html": "a gateway before Vercel's API answers 502 in HTML to everything",
    "rolling-release": "a rolling release is active: promotions wait behind it, a rollback ends it",
    "ci-run-active": "a CI run on main is at its build and deploys some ninety seconds later, if nobody cancels it",
    "slack-down": "Slack's webhook answers 500",
    "statuspage-down": "the write API of the status page answers 500",
    "edge-config-slow": "what is written to the Edge Config reaches the application after ten seconds",
    "vercel-payment-required": "rollbacks and promotions answer 402: the plan does not allow them",
    "vercel-gone": "rollbacks and promotions answer 410: this version of the API is gone",
    "vercel-not-eligible": "rollbacks and promotions answer 422: the deployment is not eligible",
    "github-queued": "CI runs that have not ended stay queued until it is switched off: no runner takes them",
    "github-conflict": "re-runs and cancellations of CI runs answer 409",
    "github-rate-limited": "GitHub's hour is used up: 403, `x-ratelimit-remaining: 0`; changes answer 429",
    "github-lost-answer": "re-runs and cancellations are carried out, but their answer never comes",
    "github-unknown-state": "GitHub tells the newest CI run in a state that nobody has heard of",
    "github-token-revoked": "GitHub answers 401 `Bad credentials` to everything",
    "github-html": "a gateway before GitHub answers 502 in HTML to everything",
    "github-truncated": "GitHub's JSON ends in the middle",
    "slack-lost-answer": "Slack posts the message, but its answer never comes: nobody knows",
    "slack-rate-limited": "Slack's webhook answers 429 with Retry-After",
    "pagerduty-rate-limited": "PagerDuty answers 429",
    "pagerduty-lost-answer": "PagerDuty takes the event, but its answer never comes",
    "webhook-down": "the webhook answers 500",
    "webhook-login-page": "a login page stands before the webhook: 200 with HTML",
    "heartbeat-down": "whoever watches the heartbeat does not answer",
    "statuspage-rate-limited": "the status page answers 420 and 429 by turns",
    "edge-config-lost-answer": "the Edge Config takes what is written, but its answer never comes",
    "edge-config-second-writer": "somebody else writes the Edge Config right after us",
}


class DemoFault(Exception):
    """The demo cannot do what was asked; the text says why."""


def set_fault(directory: Path, name: str, on: bool) -> None:
    """Switch a fault of the demo running in `directory`; returns when it is in effect, or undone.

    Raises `DemoFault` for an unknown name, when no demo runs there, and when the fault could not be made.
    """
    if name not in FAULTS:
        raise DemoFault(f"no fault is named {name}; there are: {', '.join(FAULTS)}")
    _ask(directory, {"order": "fault", "name": name, "on": on})


def active(directory: Path) -> tuple[str, ...]:
    """Names of the faults that are on, in the order of `FAULTS`. Raises `DemoFault` when no demo runs there."""
    names = _ask(directory, {"order": "status"})["faults"]
    assert isinstance(names, list)
    return tuple(name for name in FAULTS if name in names)


def _ask(directory: Path, message: dict[str, object]) -> dict[str, object]:
    try:
        answer = ask(directory, message)
    except OSError as error:
        raise DemoFault(
            f"no demo answers in {directory} ({error.strerror or error}): start one with `radar demo`"
        ) from None
    if "error" in answer:
        raise DemoFault(str(answer["error"]))
    return answer
