"""Names and lengths that the writing and the reading half share."""

VERDICT = "verdict"
"""The target whose spans are the verdicts."""
COMPONENT = "component:"
"""Targets that begin so hold the judgements of a component."""
JUDGED = "judged"
"""The series of the service-level targets' values are `judged|NAME`."""
POLLED = "#polled"
"""The series of poll times of a target, 1 answered, 0 not: it has blocks and no rollups."""

MINUTE_MS = 60_000
BLOCK_MS = 600_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
RAW_MS = 2 * DAY_MS
"""How long blocks, volatile lists and the figures of each minute are kept."""
