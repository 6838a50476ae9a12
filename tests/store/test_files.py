"""Where the files lie: permissions whatever the umask, no network file systems, known faults of SQLite."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.store import ballast, files
from console.store.files import UnsuitablePlace, filesystem_of, refuse_network, sqlite_faults
from console.store.observe import ObservedStore
from console.store.records import Records
from tests.store.samples import ManualClock, holder, judged, observed


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_files_are_the_groups_whatever_the_umask(tmp_path: Path) -> None:
    directory = tmp_path / "production"
    Records.open(directory / "records.db").request_poll()
    store = ObservedStore.open(directory / "observed.db", ManualClock())
    lease = store.acquire(holder())
    assert lease is not None
    store.write_round(lease, 1_760_000_000_000, [observed()], judged(1_760_000_000_000), {})
    assert mode(directory) == 0o2770
    found = {path.name: mode(path) for path in directory.iterdir()}
    assert found == dict.fromkeys(
        ["observed.db", "observed.db-wal", "observed.db-shm", "records.db", "records.ballast"], 0o660
    )


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    ObservedStore.open(tmp_path / "observed.db", ManualClock()).close()
    assert mode(tmp_path) == 0o700


@pytest.mark.parametrize(("directory", "file"), [(0o2770, 0o660), (0o2750, 0o640), (0o700, 0o640)])
def test_an_existing_file_of_ours_gets_the_mode(tmp_path: Path, directory: int, file: int) -> None:
    """Where the group may not write the directory, the files are only their owner's: a service's."""
    tmp_path.chmod(directory)
    path = tmp_path / "observed.db"
    path.touch(mode=0o600)
    ObservedStore.open(path, ManualClock()).close()
    assert mode(path) == file


def test_a_link_that_somebody_put_there_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (tmp_path / "observed.db").symlink_to(target)
    with pytest.raises(UnsuitablePlace, match="cannot create"):
        ObservedStore.open(tmp_path / "observed.db", ManualClock())
    assert not target.exists()


def test_a_place_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnsuitablePlace, match="is no directory"):
        ObservedStore.open(tmp_path / "file" / "observed.db", ManualClock())


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:40 / /home rw,relatime shared:5 - nfs4 server:/home rw,vers=4.2
24 23 0:41 / /home/local rw,relatime - xfs /dev/vdb rw
25 22 0:42 / /mnt/with\\040space rw - fuse.sshfs op@host: rw
26 22 0:43 / /windows rw - 9p C: rw,trans=fd
27 22 0:44 / /plan rw - 9p host rw,trans=tcp
28 22 0:45 / /covered rw - nfs old:/x rw
29 28 0:46 / /covered rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/var/lib/radar", None),
        ("/home/op1/.local/state/radar", "nfs4"),
        ("/homestead", None),
        ("/home/local/radar", None),
        ("/mnt/with space/radar", "fuse.sshfs"),
        ("/windows/radar", None),
        ("/plan/radar", "9p"),
        ("/covered/radar", None),
    ],
)
def test_network_file_systems_are_told_apart(directory: str, kind: str | None) -> None:
    assert filesystem_of(Path(directory), MOUNTS) == kind


def test_a_network_file_system_is_refused_in_words() -> None:
    with pytest.raises(UnsuitablePlace, match=r"network file system \(nfs4\).*choose a local directory"):
        refuse_network(Path("/home/op1"), MOUNTS)
    refuse_network(Path("/var/lib"), MOUNTS)
    refuse_network(Path("/var/lib"), "")


@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_sqlite_versions_with_known_faults_are_named(version: tuple[int, int, int], faulty: bool) -> None:
    assert bool(sqlite_faults(version)) is faulty


def test_the_ballast_takes_real_room_and_gives_it_back(tmp_path: Path) -> None:
    records = tmp_path / "records.db"
    Records.open(records)
    reserve = ballast.path_of(records)
    assert reserve.stat().st_size == ballast.BALLAST_BYTES
    assert reserve.stat().st_blocks * 512 >= ballast.BALLAST_BYTES
    assert ballast.free(records)
    assert not reserve.exists()
    assert not ballast.free(records)
    assert ballast.fill(records)


def test_the_readers_connection_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "observed.db"
    ObservedStore.open(path, ManualClock()).close()
    connection = files.connect_reader(path)
    with pytest.raises(Exception, match="readonly"):
        connection.execute("DELETE FROM span")
    assert connection.execute("PRAGMA mmap_size").fetchone()[0] == 0
    connection.close()
