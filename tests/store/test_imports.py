"""What reading the store imports: it counts towards the first paint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from console.store.observe import ObservedStore
from tests.store.samples import ManualClock, holder, judged, observed

HEAVY = (
    "msgspec",
    "asyncio",
    "httpx",
    "psycopg",
    "psutil",
    "console.collector",
    "console.sources",
    "textual",
    "console.model.metric_views",
    "console.store.read_metrics",
)

PROGRAM = """
import sys
from pathlib import Path
from console.model.configuration import Environment
from console.store.read import StoreReader
directory = Path(sys.argv[1])
reads = StoreReader(directory / "observed.db", directory / "records.db", Environment(name="e", url="u"), None)
assert reads.health(None).verdict is not None
reads.component("application", None), reads.alerts(None), reads.version()
print([name for name in sys.argv[2:] if name in sys.modules])
"""


def test_a_read_of_a_recent_moment_imports_nothing_heavy(tmp_path: Path) -> None:
    clock = ManualClock()
    store = ObservedStore.open(tmp_path / "observed.db", clock)
    lease = store.acquire(holder())
    assert lease is not None
    for _ in range(250):
        store.write_round(lease, clock.pass_ms(5000), [observed()], judged(clock.wall, up=1.0), {"health": 5.0})
    store.maintain(lease, clock.wall)
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), *HEAVY],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert result.stdout.strip() == "[]"
