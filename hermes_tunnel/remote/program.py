"""A program that logs in through a browser: what runs, how we find it, whom it may ask, what proves success.

Programs are data; the engine knows none by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hermes_tunnel.oauth.authorization import Mode, Policy
from hermes_tunnel.oauth.states import PersonTime


@dataclass(frozen=True)
class Executable:
    """What runs: found on the ``PATH``, or where its installers put it.

    :param name: as a person types it
    :param folders: absolute, or below the account's home directory
    """

    name: str
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Credential:
    """The file that a login writes: that it has changed proves that the login succeeded.

    :param file: below the program's own home
    :param home: that home, below the account's home directory
    :param variable: the environment variable that names another home; empty if none does
    :param profile: the file in that home that names the profile in use, whose home is in ``profiles``; empty
        if there are no profiles
    """

    file: str
    home: str
    variable: str = ""
    profile: str = ""


@dataclass(frozen=True)
class Program:
    """A program that logs in through a browser.

    :param name: as it is typed after ``hermes-tunnel login``
    :param title: what it logs in to, as a person calls it
    :param executable: what runs there
    :param words: the words after the executable that start the login
    :param policy: what may be opened for it
    :param time: how long it waits for the person, less a few seconds
    :param credential: what proves that it logged in; None if we know of nothing
    :param status: the words after the executable that show a person whether it is logged in
    :param callback: the port and the path that its callback is known to use
    :param mode: how today's releases log in, for the person to read; what the program prints decides
    :param before: how earlier releases logged in, a sentence without a full stop
    """

    name: str
    title: str
    executable: Executable
    words: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)
    time: PersonTime = field(default_factory=PersonTime)
    credential: Credential | None = None
    status: tuple[str, ...] = ()
    callback: tuple[int, str] | None = None
    mode: Mode | None = None
    before: str = ""
