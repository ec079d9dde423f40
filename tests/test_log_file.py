"""The log file: a file of the person's alone, in which nobody else has a hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hermes_tunnel.errors import ConfigurationFailure, ExitStatus
from hermes_tunnel.log_file import LogFile
from hermes_tunnel.text import quote

NOON = datetime(2026, 11, 27, 12, 0, 0, 5000, timezone.utc)
WINDOWS = None  # a system whose files have no owner and mode
if sys.platform == "win32":
    MINE: int | None = WINDOWS
else:
    MINE = os.geteuid()
SYSTEMS = sorted({WINDOWS, MINE}, key=str)
posix = pytest.mark.skipif(sys.platform == "win32", reason="files have access lists there")
any_system = pytest.mark.parametrize(
    "owner", SYSTEMS, ids=lambda owner: "posix" if owner is not None else "nt"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that only the person may write to."""
    tmp_path.chmod(0o700)
    return tmp_path


def write(path: Path, *lines: str, owner: int | None = MINE) -> None:
    """Write lines at noon, and a second later each."""
    times = (NOON + timedelta(seconds=passed) for passed in range(len(lines)))
    with closing(LogFile(str(path), owner=owner, now=lambda: next(times))) as log:
        for line in lines:
            log.write(line)


def refusal(path: Path, owner: int | None = MINE) -> str:
    """Why the file is refused, with the status of a configuration failure."""
    with pytest.raises(ConfigurationFailure) as caught:
        write(path, owner=owner)
    assert caught.value.status == ExitStatus.CONFIGURATION
    assert caught.value.hint
    return caught.value.message


@any_system
def test_each_line_has_its_time_in_utc(place: Path, owner: int | None) -> None:
    """Lines are added to what the file has."""
    write(place / "log", "one", "zwölf", owner=owner)
    write(place / "log", "again", owner=owner)
    assert (place / "log").read_text("utf-8").splitlines() == [
        "2026-11-27T12:00:00.005Z one",
        "2026-11-27T12:00:01.005Z zwölf",
        "2026-11-27T12:00:00.005Z again",
    ]


@posix
@pytest.mark.parametrize("before", [None, 0o644])
def test_nobody_else_may_read_it(place: Path, before: int | None) -> None:
    """It has mode 0600, whatever the umask, and whatever mode it had."""
    if before is not None:
        (place / "log").touch()
        (place / "log").chmod(before)
    old = os.umask(0)
    try:
        write(place / "log", "a line")
    finally:
        os.umask(old)
    assert (place / "log").stat().st_mode & 0o777 == 0o600


def link(path: Path) -> None:
    """A link to a file that is there."""
    (path.parent / "other").write_text("as it was")
    path.symlink_to("other")


def dangling(path: Path) -> None:
    """A link to a file that is not there."""
    path.symlink_to("nothing")


def second_name(path: Path) -> None:
    """A file that has another name."""
    (path.parent / "other").write_text("as it was")
    path.hardlink_to(path.parent / "other")


def pipe(path: Path) -> None:
    """A pipe, for which nobody reads."""
    if sys.platform != "win32":
        os.mkfifo(path)


@posix
@any_system
@pytest.mark.parametrize("kind", [link, dangling, second_name, pipe, Path.mkdir])
def test_only_a_regular_file_is_written(place: Path, kind: Callable[[Path], None], owner: int | None) -> None:
    """A link is not followed, and nothing is created through one."""
    kind(place / "log")
    assert "is a link, or not a regular file of yours alone" in refusal(place / "log", owner)
    assert not (place / "nothing").exists()
    assert not (place / "other").exists() or (place / "other").read_text() == "as it was"


@posix
@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
@pytest.mark.parametrize("below", ["", "mine"])
def test_others_may_not_write_on_the_way(place: Path, mode: int, below: str) -> None:
    """They could put a link there; a directory farther up counts, for they could rename what is below it."""
    (place / "shared" / "mine").mkdir(parents=True)
    (place / "shared").chmod(mode)
    assert f"others may write to {quote(str(place / 'shared'))}, " in refusal(
        place / "shared" / below / "log"
    )
    assert not (place / "shared" / below / "log").exists()


@posix
def test_a_link_on_the_way_is_where_it_leads(place: Path) -> None:
    """A directory of the person's may be a link, as a home is on some machines; what counts is its target."""
    (place / "shared").mkdir()
    (place / "way").symlink_to("shared")
    write(place / "way" / "log", "a line")
    (place / "shared").chmod(0o777)
    assert "others may write" in refusal(place / "way" / "log")


@posix
def test_a_sticky_directory_is_safe(place: Path) -> None:
    """As /tmp is: nobody else can replace a file of the person's there."""
    (place / "sticky").mkdir()
    (place / "sticky").chmod(0o1777)
    write(place / "sticky" / "log", "one")
    write(place / "sticky" / "log", "two")
    assert len((place / "sticky" / "log").read_text().splitlines()) == 2


@pytest.mark.root
@pytest.mark.skipif(sys.platform != "linux" or MINE != 0, reason="needs root, to make another user's file")
def test_the_files_and_directories_of_others_are_not_written_to(place: Path) -> None:
    """Neither a file of theirs in a sticky directory, nor a directory of theirs, which they may change."""
    (place / "sticky").mkdir()
    (place / "sticky").chmod(0o1777)
    (place / "sticky" / "log").touch()
    (place / "theirs").mkdir()
    if sys.platform != "win32":
        os.chown(place / "sticky" / "log", 12345, 12345)
        os.chown(place / "theirs", 12345, 12345)
    assert "yours alone" in refusal(place / "sticky" / "log")
    assert "others may write" in refusal(place / "theirs" / "log")


@any_system
def test_what_cannot_be_written_says_why(place: Path, owner: int | None) -> None:
    """The reason is the system's."""
    assert refusal(place / "nowhere" / "log", owner).endswith("cannot be written: No such file or directory")
