"""Where the keywords of ssh_config come from: ``ssh -G`` or, without ssh, a careful reading of the files.

ssh itself is asked first, because Include, Match and canonical names mean what ssh says they mean.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hermes_tunnel.deadlines import CONFIGURATION
from hermes_tunnel.errors import ConfigurationFailure, UsageFailure
from hermes_tunnel.ssh.by_hand import shell_line
from hermes_tunnel.ssh.child import run, what_runs
from hermes_tunnel.ssh.config.files import Reading
from hermes_tunnel.ssh.config.target import Hop, Target
from hermes_tunnel.ssh.config.tokens import home
from hermes_tunnel.ssh.config.vocabulary import unheard_of
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.text import plain, quote

Keywords = Mapping[str, Sequence[str]]

_OPTION = re.compile("[A-Za-z]+[ =]")
_LARGEST = 1 << 20
_NO_TERMINAL = "Pseudo-terminal will not be allocated"
_SYSTEM_FILE = (
    str(Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "ssh", "ssh_config"))
    if sys.platform == "win32"
    else "/etc/ssh/ssh_config"
)


@dataclass(frozen=True)
class Options:
    """The command-line options that we share with ssh.

    :param config_file: ``-F``
    :param options: each ``-o`` as ``KEY=VALUE``
    :param identity_files: each ``-i``
    :param address_family: ``inet`` for ``-4``, ``inet6`` for ``-6``
    """

    config_file: str | None = None
    options: tuple[str, ...] = ()
    identity_files: tuple[str, ...] = ()
    address_family: str | None = None

    def for_a_jump_host(self) -> Options:
        """What ssh passes on to a jump host: only the configuration file."""
        return replace(Options(), config_file=self.config_file)

    def as_keywords(self) -> tuple[str, ...]:
        """All but the file, in the form of ``-o``."""
        family = (f"AddressFamily={self.address_family}",) if self.address_family else ()
        return (*self.options, *(f"IdentityFile={name}" for name in self.identity_files), *family)

    def as_words(self) -> tuple[str, ...]:
        """As words of ssh's command line."""
        file = () if self.config_file is None else ("-F", self.config_file)
        options = [word for option in self.options for word in ("-o", option)]
        keys = [word for name in self.identity_files for word in ("-i", name)]
        family = {None: (), "inet": ("-4",), "inet6": ("-6",)}[self.address_family]
        return (*file, *options, *keys, *family)


def find_ssh(name: str = "ssh") -> str | None:
    """A program of OpenSSH's client; on Windows, never one in the current directory."""
    if sys.platform == "win32":
        own = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "OpenSSH", f"{name}.exe")
        if own.is_file():
            return str(own)
        found = shutil.which(name)
        return found if found and Path(found).resolve().parent != Path.cwd() else None
    return shutil.which(name)


@dataclass(frozen=True)
class Ssh:
    """The ssh program, which knows what its configuration says of a host.

    :param person: is told what it says meanwhile, and what it waits for
    :param seconds: how long it may take: a Match exec may wait for somebody
    """

    program: str
    person: Person
    seconds: float = CONFIGURATION.seconds

    def keywords(self, target: Target, options: Options) -> Keywords:
        """What ``ssh -G`` prints.

        :raises ConfigurationFailure: it does not like its configuration, or does not answer
        """
        *words, host = target.as_words(options.as_words())
        line = shell_line("ssh", "-G", *words, host)
        person, waits = self.person, ""

        def slow(pid: int) -> None:
            nonlocal waits
            waits = what_runs(pid)
            what = f"a Match exec of ssh_config: {waits}" if waits else "ssh to read its configuration"
            person.tell(f"Still waiting for {what} ...")

        def said(line: str) -> None:
            # It is not to have a terminal; and -T, which would spare us the remark, overrides RequestTTY.
            if not line.startswith(_NO_TERMINAL):
                person.quote("ssh", line)

        try:
            result = run(
                [self.program, "-G", *words, "--", host],
                person.check,
                seconds=self.seconds,
                said=said,
                slow=slow,
                patience=person.patience,
            )
        except TimeoutError as problem:
            what = f"; its Match exec runs {waits}" if waits else ""
            raise ConfigurationFailure(
                f"ssh did not say how to reach {quote(host)} within {self.seconds:g} s{what}",
                f"look for a Match exec that hangs: {line}",
            ) from problem
        except OSError as problem:
            raise ConfigurationFailure(f"{self.program} cannot be run: {problem.strerror}") from problem
        if result.returncode:
            raise _said_no(line, result.returncode, result.stderr.decode(errors="replace"))
        if len(result.stdout) > _LARGEST:
            raise ConfigurationFailure(f"ssh says more than {_LARGEST} bytes about {quote(host)}")
        keywords: dict[str, list[str]] = {}
        for each in result.stdout.decode(errors="surrogateescape").splitlines():
            keyword, _, value = each.partition(" ")
            keywords.setdefault(keyword.lower(), []).append(value)
        return keywords


def read(target: Target, options: Options, ssh: Ssh | None) -> Keywords:
    """What ssh_config says of a hop reached this way: lower-case keywords, each with its values.

    :param ssh: the ssh program; None if there is none
    :raises UsageFailure: an option is malformed
    :raises ConfigurationFailure: the configuration is wrong, or cannot be read without ssh
    """
    for option in options.options:
        if plain(option) != option or not _OPTION.match(option):
            raise UsageFailure(f"-o {quote(option)} is not KEY=VALUE", "see ssh_config(5) for the keys")
    return _without_ssh(target, options) if ssh is None else ssh.keywords(target, options)


def newer(hop: Hop, said: Keywords, ssh: Ssh | None) -> list[str]:
    """The keywords that this program does not know, if set to something other than the default.

    :param said: everything that ``read`` gave for the hop
    """
    strange = unheard_of(said)
    if not strange or ssh is None:
        return strange
    default = ssh.keywords(Target(hop), Options(config_file="none"))
    return [keyword for keyword in strange if said[keyword] != default.get(keyword)]


def _said_no(line: str, status: int, words: str) -> ConfigurationFailure:
    lines = [plain(line) for line in words.splitlines() if line.strip()]
    # Apple's ssh has this keyword; Homebrew's and everyone else's do not.
    if lines and "bad configuration option: usekeychain" in lines[0].lower():
        hint = "another ssh on this machine knows it: put 'IgnoreUnknown UseKeychain' above it in the file"
    else:
        hint = f"correct it until this works: {line}"
    return ConfigurationFailure(lines[0] if lines else f"{line} ended with status {status}", hint)


def _without_ssh(target: Target, options: Options) -> Keywords:
    hop, jumps = target.destination, target.jumps
    typed = {
        "user": hop.user,
        "port": None if hop.port is None else str(hop.port),
        "proxyjump": None if jumps is None else ",".join(map(Hop.as_jump, jumps)) or "none",
    }
    reading = Reading(hop.host, {keyword: value for keyword, value in typed.items() if value is not None})
    reading.add("command-line", options.as_keywords(), blocks=False)
    needed = options.config_file is not None
    for name in [options.config_file] if options.config_file else [f"{home()}/.ssh/config", _SYSTEM_FILE]:
        reading.add(name, _lines(name, needed=needed))
    return reading.result()


def _lines(name: str, *, needed: bool) -> list[str]:
    if name == "none":
        return []
    try:
        text = Path(name).read_text(encoding="utf-8", errors="surrogateescape")
        status = Path(name).stat()
    except FileNotFoundError:
        if not needed:
            return []
        raise ConfigurationFailure(f"Can't open user config file {quote(name)}", "see -F") from None
    except OSError as problem:
        raise ConfigurationFailure(f"{quote(name)} cannot be read: {problem.strerror}", "see -F") from problem
    # As in ssh: a file that someone else owns or may write decides nothing, unless it was named.
    if (
        not needed
        and sys.platform != "win32"
        and (status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022)
    ):
        raise ConfigurationFailure(f"Bad owner or permissions on {plain(name)}", f"chmod 600 {plain(name)}")
    return text.split("\n")
