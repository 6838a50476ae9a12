"""A host of its own for tests of enforced authority: a private /etc with real accounts, a real sudo, real uids.

`python -m tests.actions.site DIRECTORY SCRIPT ARGUMENT…` must be started by root in a mount namespace of its own
(`unshare --mount --propagation private`): nothing outside is changed. It makes accounts, installs what `docs/enforced`
holds, and runs SCRIPT, a function of `tests.actions.enforced_scripts`, as root.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ACCOUNTS = {"radar": 7301, "rt-operator": 7302, "rt-viewer": 7303, "rt-stranger": 7304, "rt-admin": 7305}
GROUPS = {"oncall": (7311, "rt-operator,rt-viewer,rt-admin"), "platform": (7312, "rt-admin")}
TOKEN = "held-by-the-service-4711"


def build(directory: Path) -> None:
    """Make the host in this namespace."""
    for needed in (Path(sys.base_prefix), Path(sys.prefix), ROOT):
        _expose(needed, directory / "kept")
    etc, var, local = directory / "etc", directory / "var", directory / "bin"
    shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True)
    for path, mount in ((etc, "/etc"), (var, "/var/lib"), (local, "/usr/local/bin")):
        path.mkdir(exist_ok=True)
        subprocess.run(["mount", "--bind", str(path), mount], check=True)
    _accounts()
    _configuration(directory)
    _runner()


def _expose(needed: Path, kept: Path) -> None:
    """Let every account reach a directory that lies in a home of root's, such as the interpreter's."""
    closed = next((path for path in reversed(needed.parents) if not path.stat().st_mode & 0o001), None)
    if closed is None:
        return
    kept.mkdir()
    subprocess.run(["mount", "--bind", str(needed), str(kept)], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "none", str(closed)], check=True)
    needed.mkdir(parents=True)
    subprocess.run(["mount", "--bind", str(kept), str(needed)], check=True)


def _accounts() -> None:
    users = "".join(f"{name}:x:{uid}:{uid}::/tmp:/bin/sh\n" for name, uid in ACCOUNTS.items())
    _add("/etc/passwd", users)
    _add("/etc/shadow", "".join(f"{name}:*:19000::::::\n" for name in ACCOUNTS))
    readers = ",".join(name for name in ACCOUNTS if name != "radar")
    own = "".join(f"{name}:x:{uid}:{readers if name == 'radar' else ''}\n" for name, uid in ACCOUNTS.items())
    _add("/etc/group", own + "".join(f"{name}:x:{gid}:{members}\n" for name, (gid, members) in GROUPS.items()))


def _configuration(directory: Path) -> None:
    place = Path("/etc/radar")
    place.mkdir()
    state = directory / "state"
    state.mkdir()
    state.chmod(0o755)
    (place / "radar.toml").write_text(
        f'state_directory = "{state}"\n[environments.production]\nurl = "http://127.0.0.1:9"\n'
        '[environments.production.vercel]\ntoken = "${VERCEL_TOKEN}"\nproject = "prj_x"\napi = "http://127.0.0.1:9"\n'
        '[environments.production.access]\nservice = "radar"\noperators = ["rt-operator"]\nadmins = ["@platform"]\n'
    )
    (place / ".env").write_text(f"VERCEL_TOKEN={TOKEN}\n")
    os.chown(place / ".env", ACCOUNTS["radar"], 0)
    (place / ".env").chmod(0o400)
    (place / "radar.toml").chmod(0o644)
    own = state / "production"
    own.mkdir()
    os.chown(own, ACCOUNTS["radar"], ACCOUNTS["radar"])
    own.chmod(0o2750)
    remote = directory / "remote"
    remote.mkdir()
    os.chown(remote, ACCOUNTS["radar"], ACCOUNTS["radar"])
    remote.chmod(0o755)


def _runner() -> None:
    """The installed one, but that it knows the scripted action and where the tests are."""
    runner = Path("/usr/local/bin/radar-runner")
    installed = (ROOT / "docs/enforced/radar-runner").read_text()
    scripted = f"cd {ROOT}; exec {sys.executable} -m tests.actions.scripted"
    lines = [scripted if line.startswith("exec ") else line for line in installed.splitlines()]
    assert scripted in lines
    runner.write_text("\n".join(lines) + "\n")
    runner.chmod(0o755)
    rule = Path("/etc/sudoers.d/radar")
    shutil.copyfile(ROOT / "docs/enforced/sudoers-radar", rule)
    rule.chmod(0o440)
    subprocess.run(["visudo", "-cf", str(rule)], check=True, stdout=subprocess.DEVNULL)


def _add(file: str, lines: str) -> None:
    with Path(file).open("a") as opened:
        opened.write(lines)


def become(name: str) -> None:
    """This process is that person from now on, with their groups, as a login makes it."""
    os.initgroups(name, ACCOUNTS[name])
    os.setgid(ACCOUNTS[name])
    os.setuid(ACCOUNTS[name])
    os.environ.update({"HOME": "/tmp", "USER": name, "LOGNAME": name, "SUDO_USER": "root", "SUDO_UID": "0"})


if __name__ == "__main__":
    build(Path(sys.argv[1]))
    getattr(importlib.import_module("tests.actions.enforced_scripts"), sys.argv[2])(Path(sys.argv[1]), *sys.argv[3:])
