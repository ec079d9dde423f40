"""The log file: what ``-v`` shows, a line each, in a file that nobody else reads or had a hand in.

Whoever may rename files in a directory on the way to it could put a link in its place, and have us write
elsewhere. So every directory on the way has to be the person's or root's, and writable by nobody else, unless
it is sticky as /tmp is (then nobody else can replace a file or directory of theirs).
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from hermes_tunnel.errors import ConfigurationFailure
from hermes_tunnel.text import quote

_NEW = os.O_CREAT | os.O_EXCL  # which never follows a link
_WRITE = os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_MODE = 0o600
_ROOT = 0


def _me() -> int | None:
    if sys.platform == "win32":
        return None
    return os.geteuid()


class LogFile:
    """A log file, written to until it is closed. Lines are added to a file of the person's that exists.

    :param path: as the person typed it
    :param owner: the person's user ID; None where files have access lists in place of owners and modes
        (Windows): a new file gets those of its directory
    :param now: the clock
    :raises ConfigurationFailure: it cannot be written, or others could have a hand in it
    """

    def __init__(
        self,
        path: str,
        *,
        owner: int | None = _me(),
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._now = now
        try:
            self._file = _opened(path, owner)
        except (OSError, ValueError) as problem:
            reason = (isinstance(problem, OSError) and problem.strerror) or str(problem)
            raise ConfigurationFailure(
                f"the log file {quote(path)} cannot be written: {reason}",
                "give --log-file a file in a directory of yours",
            ) from None

    def write(self, line: str) -> None:
        """Add a line, with the time in UTC (RFC 3339) before it.

        :param line: already scrubbed
        :raises OSError: the disk is full
        """
        time = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        os.write(self._file, f"{time} {line}\n".encode(errors="backslashreplace"))

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


def _opened(path: str, owner: int | None) -> int:
    """The file's descriptor.

    :raises OSError: it cannot be opened
    :raises ConfigurationFailure: others could have a hand in it
    """
    typed = Path(path)
    place = typed.parent.resolve(strict=True) / typed.name
    if owner is not None:
        _check_directories(place, owner)
    try:
        return os.open(place, _WRITE | _NEW, _MODE)
    except FileExistsError:
        pass
    before = place.lstat()
    if not stat.S_ISREG(before.st_mode):  # a link, a pipe, a device: opening one may do something
        raise _not_a_file_of_yours(path)
    file = os.open(place, _WRITE | _NO_LINK)
    found = os.fstat(file)
    if not os.path.samestat(found, before) or found.st_nlink != 1 or owner not in (None, found.st_uid):
        os.close(file)
        raise _not_a_file_of_yours(path)
    if sys.platform != "win32":
        os.fchmod(file, _MODE)
    return file


def _check_directories(place: Path, owner: int) -> None:
    for directory in place.parents:
        found = directory.stat()
        others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
        if others or found.st_uid not in (owner, _ROOT):
            raise ConfigurationFailure(
                f"others may write to {quote(str(directory))}, on the way to the log file",
                "give --log-file a file in a directory that only you may write to",
            )


def _not_a_file_of_yours(path: str) -> ConfigurationFailure:
    return ConfigurationFailure(
        f"the log file {quote(path)} is a link, or not a regular file of yours alone",
        "give --log-file the name of a new file",
    )
