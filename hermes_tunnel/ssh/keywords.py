"""Where the keywords of ssh_config come from: ``ssh -G``, or without ssh, a careful reading of the files.

ssh itself is asked first, because Include, Match and canonical names mean what it says they mean.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hermes_tunnel.errors import ConfigurationFailure
from hermes_tunnel.ssh.target import Hop, Target
from hermes_tunnel.ssh.tokens import home
from hermes_tunnel.ssh.vocabulary import unheard_of
from hermes_tunnel.text import plain, quote

Keywords = Mapping[str, Sequence[str]]

_SECONDS = 10.0
_LARGEST = 1 << 20
_SYSTEM_FILE = "/etc/ssh/ssh_config"
_OLD_NAMES = {  # that ssh still takes, and ssh -G does not print
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "tisauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
    "rsaauthentication": "pubkeyauthentication",
    "keepalive": "tcpkeepalive",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "smartcarddevice": "pkcs11provider",
}


@dataclass(frozen=True)
class Options:
    """The options of our command line that ssh has too.

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
        """What ssh hands on to a jump host: the configuration file alone."""
        return replace(Options(), config_file=self.config_file)

    def as_keywords(self) -> tuple[str, ...]:
        """All but the file, as ``-o`` has it."""
        family = (f"AddressFamily={self.address_family}",) if self.address_family else ()
        return (*self.options, *(f"IdentityFile={name}" for name in self.identity_files), *family)

    def as_words(self) -> tuple[str, ...]:
        """As the command line of ssh has them."""
        file = () if self.config_file is None else ("-F", self.config_file)
        options = [word for option in self.options for word in ("-o", option)]
        keys = [word for name in self.identity_files for word in ("-i", name)]
        family = {None: (), "inet": ("-4",), "inet6": ("-6",)}[self.address_family]
        return (*file, *options, *keys, *family)


def find_ssh(name: str = "ssh") -> str | None:
    """A program of OpenSSH's client; on Windows never one that lies in the current directory."""
    if sys.platform == "win32":
        own = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "OpenSSH", f"{name}.exe")
        if own.is_file():
            return str(own)
        found = shutil.which(name)
        return found if found and Path(found).resolve().parent != Path.cwd() else None
    return shutil.which(name)


def read(hop: Hop, options: Options, program: str | None) -> Keywords:
    """What ssh_config says of a hop: lower-case keywords, each with its values.

    :param program: the ssh program, or None where there is none
    :raises ConfigurationFailure: the configuration is wrong, or cannot be read without ssh
    """
    for option in options.options:
        if plain(option) != option or not re.match(r"[A-Za-z]+[ =]", option):
            raise ConfigurationFailure(
                f"-o {quote(option)} is not KEY=VALUE", "see ssh_config(5) for the keys"
            )
    return _without_ssh(hop, options) if program is None else _ask_ssh(hop, options, program)


def newer(hop: Hop, said: Keywords, program: str | None) -> list[str]:
    """The keywords that this program has not heard of and that are set to something else than the default.

    :param said: all that ``read`` gave for the hop
    """
    strange = unheard_of(said)
    if not strange or program is None:
        return strange
    default = _ask_ssh(hop, Options(config_file="none"), program)
    return [keyword for keyword in strange if said[keyword] != default.get(keyword)]


def _ask_ssh(hop: Hop, options: Options, program: str) -> Keywords:
    *words, host = Target(hop).as_words(options.as_words())
    try:
        result = subprocess.run(
            [program, "-G", *words, "--", host],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as problem:
        raise ConfigurationFailure(
            f"ssh did not say how to reach {quote(hop.host)} within {_SECONDS:.0f} s",
            f"look for a Match exec that hangs: ssh -G {hop.host}",
        ) from problem
    except OSError as problem:
        raise ConfigurationFailure(f"{program} cannot be run: {problem.strerror}") from problem
    if result.returncode:
        raise _said_no(hop, result.returncode, result.stderr.decode(errors="replace"))
    if len(result.stdout) > _LARGEST:
        raise ConfigurationFailure(f"ssh says more than {_LARGEST} bytes about {quote(hop.host)}")
    keywords: dict[str, list[str]] = {}
    for line in result.stdout.decode(errors="surrogateescape").splitlines():
        keyword, _, value = line.partition(" ")
        keywords.setdefault(keyword.lower(), []).append(value)
    return keywords


def _said_no(hop: Hop, status: int, words: str) -> ConfigurationFailure:
    lines = [plain(line) for line in words.splitlines() if line.strip()]
    # Apple's ssh has this keyword, Homebrew's and everybody else's have not.
    if lines and re.search(r"(?i)bad configuration option: usekeychain", lines[0]):
        hint = "another ssh on this machine knows it: put 'IgnoreUnknown UseKeychain' above it in the file"
    else:
        hint = f"correct it until this works: ssh -G {hop.host}"
    return ConfigurationFailure(lines[0] if lines else f"ssh -G {hop.host} ended with status {status}", hint)


def _without_ssh(hop: Hop, options: Options) -> Keywords:
    import paramiko

    typed = [f"User {hop.user}\n"] if hop.user is not None else []
    typed += [f"Port {hop.port}\n"] if hop.port is not None else []
    text = "".join((*typed, *(f"{re.sub('[ =]+', ' ', each, count=1)}\n" for each in options.as_keywords())))
    for name in [options.config_file] if options.config_file else [f"{home()}/.ssh/config", _SYSTEM_FILE]:
        # Host * ends the block before, so that each file begins as if it were alone.
        text += "Host *\n" + _file_for_paramiko(name, needed=options.config_file is not None)
    try:
        found = paramiko.SSHConfig.from_text(text).lookup(hop.host)
    except paramiko.ConfigParseError as problem:
        raise ConfigurationFailure(f"ssh_config cannot be read: {plain(str(problem))}") from problem
    # The stubs know of lines only, but IdentityFile and the forwards are lists.
    values: Mapping[str, object] = found
    return {
        _OLD_NAMES.get(key, key): value if isinstance(value, list) else [str(value)]
        for key, value in values.items()
    }


def _file_for_paramiko(name: str, *, needed: bool) -> str:
    if name == "none":
        return ""
    try:
        text = Path(name).read_text(encoding="utf-8", errors="surrogateescape")
        status = Path(name).stat()
    except FileNotFoundError:
        if not needed:
            return ""
        raise ConfigurationFailure(f"Can't open user config file {quote(name)}", "see -F") from None
    except OSError as problem:
        raise ConfigurationFailure(f"{quote(name)} cannot be read: {problem.strerror}", "see -F") from problem
    # As ssh: another's file, or one that another may write, decides nothing, unless it was named.
    if (
        not needed
        and sys.platform != "win32"
        and (status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022)
    ):
        raise ConfigurationFailure(f"Bad owner or permissions on {plain(name)}", f"chmod 600 {plain(name)}")
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        keyword, _, value = line.strip().replace("=", " ", 1).partition(" ")
        if _misread(keyword.lower(), value):
            raise ConfigurationFailure(
                f"{plain(name)}:{number}: {plain(keyword)} needs the ssh program, which is not here",
                "install OpenSSH's client, or name another file with -F",
            )
        lines.append(re.sub(r"\s#.*", "", line))
    return "\n".join(lines) + "\n"


def _misread(keyword: str, value: str) -> bool:
    """Whether paramiko would misunderstand the line in silence: that must not decide where a login goes."""
    if keyword == "match":
        return not re.fullmatch(r"(?i)\s*(all|((host|originalhost|user|localuser)\s+[^\s\[]+\s*)+)\s*", value)
    if keyword == "host":
        return "[" in value  # a letter to ssh, a set of letters to paramiko
    return keyword in ("include", "canonicalizehostname") or "%%" in value
