"""ssh_config read without ssh, compared with what ssh says about the same files."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hermes_tunnel.errors import ConfigurationFailure
from hermes_tunnel.ssh.config.chain import HopConfiguration, Options, resolve
from hermes_tunnel.ssh.config.target import parse_target

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh on this machine")


def read(
    file: Path, target: str, options: tuple[str, ...], program: str | None
) -> list[HopConfiguration] | None:
    """The chain to a target, by ssh's word or without it; None if the file is refused."""
    try:
        hops = resolve(parse_target(target), Options(str(file), options), program=program)
    except ConfigurationFailure:
        return None
    # What ssh adds where nothing is set.
    own = {"host_key_algorithms", "kex_algorithms", "ciphers", "macs", "pubkey_accepted_algorithms"}
    nothing: Any = dict.fromkeys((*own, "details"), ())
    keys = [[each for each in hop.identity_files if not each.endswith(("_dsa", "_xmss"))] for hop in hops]
    return [
        replace(hop, identity_files=tuple(files), **nothing) for hop, files in zip(hops, keys, strict=True)
    ]


_PATTERNS = (
    "box",
    "b*",
    "*",
    "?ox",
    "!box",
    "BOX",
    "box.example",
    "*.example",
    "other",
    '"box"',
    "b[ou]x",
    "",
)
_MATCHES = (
    *("all", "host box", "host box.example", "host BOX*", "originalhost box", "user alice", "user !alice,*"),
    *(
        "host *,!box",
        "localuser root",
        "localuser nobody",
        "user bob host box",
        "ALL",
        "Host box",
        "host other",
    ),
    *(
        "exec true",
        "final",
        "canonical",
        "host",
        "!host other",
        "tagged x",
        'host "box"',
        "all host box",
        "host=box",
    ),
)
_WORDS = {
    "HostName": ("box.example", "%h.example", "100%%.%h", "%n", "10.0.0.1", "Box.Example", "a b", '"a"'),
    "User": ("alice", "bob", '"carol"', "a b", "dave # comment", "e#f"),
    "Port": ("22", "2200", "0", "70000", "x", "022", "23 24", '"25"', "26 # comment"),
    "IdentityFile": (
        "/a",
        "~/b",
        "/c-%h-%r",
        "/d%%",
        '"/e f"',
        "/g h",
        "none",
        "/%d",
        "/%z",
        "${HOME}/i",
        "/a~b",
    ),
    "CertificateFile": ("/c1", "/c2", "~/c3", '"/c 4"', "/c5 6"),
    "IdentitiesOnly": ("yes", "no", "true", "YES", "maybe", ""),
    "IdentityAgent": ("none", "/agent", "~/agent", "SSH_AUTH_SOCK", "/%h", '"/my agent"', "$NOTHING"),
    "UserKnownHostsFile": ("/k", "~/k /l", '"/k m" /n', "none", "none /k", "/%h", "/a /b # c"),
    "GlobalKnownHostsFile": ("/k", "none", "/k%h"),
    "StrictHostKeyChecking": ("yes", "no", "ask", "accept-new", "off", "sometimes", "ASK"),
    "ConnectTimeout": ("3", "1m", "1m30s", "none", "0", "-1", "x", "2.5"),
    "ServerAliveInterval": ("7", "1m", "0", "x"),
    "ServerAliveCountMax": ("2", "x"),
    "ConnectionAttempts": ("2", "0", "-1", "x"),
    "NumberOfPasswordPrompts": ("1", "x"),
    "AddressFamily": ("inet", "inet6", "any", "ANY", "ipx"),
    "BatchMode": ("yes", "no", "1", "yes no"),
    "PasswordAuthentication": ("no", "yes", "nope"),
    "ChallengeResponseAuthentication": ("no", "yes"),
    "PubkeyAuthentication": ("no", "unbound", "host-bound", "bound"),
    "PreferredAuthentications": ("password,publickey", "publickey"),
    "ProxyCommand": ("nc %h %p", "none", "sh -c 'x' # %r", 'nc "%h"', "nc %%", "=nc x", "nc %d"),
    "ProxyJump": ("gate", "a@gate:23,b", "none", "gate # comment", "gate#x", "[::1]:24", "a,,b", "%r@gate"),
    "HostKeyAlias": ("alias", "Alias", "a b"),
    "HashKnownHosts": ("yes", "no"),
    "CheckHostIP": ("yes", "no", "perhaps"),
    "NoHostAuthenticationForLocalhost": ("yes", "no"),
    "TCPKeepAlive": ("no", "yes"),
    "RevokedHostKeys": ("/r", "none"),
    "BindAddress": ("10.0.0.2", "a b"),
    "ForwardAgent": ("yes", "no"),
    "LocalForward": ("8080 127.0.0.1:80",),
    "SendEnv": ("LANG LC_*",),
    "Protocol": ("2",),
    "CanonicalizeHostname": ("no", "yes"),
    "Include": ("/does/not/exist",),
    "Nonsense": ("yes",),
    "IgnoreUnknown": ("Nonsense", "N*,x"),
}


def _line(chance: random.Random) -> str:
    keyword = chance.choice(tuple(_WORDS))
    words = _WORDS[keyword]
    # The first of each is what people write; the others are tried now and then.
    value = words[0] if chance.random() < 0.5 else chance.choice(words)
    name = chance.choice((keyword, keyword, keyword.lower(), keyword.upper()))
    between = chance.choice((" ", " ", " ", "\t", "  ", "=", " = ", " ="))
    return chance.choice(("", "  ", "\t")) + name + between + value + chance.choice(("", "", " ", "\r", "\f"))


def _generated(number: int) -> tuple[str, str, tuple[str, ...]]:
    """A file, a target to look up in it, and options."""
    chance = random.Random(number)
    lines = []
    for _ in range(chance.randint(1, 4)):
        kind = chance.random()
        if kind < 0.5:
            lines.append("Host " + " ".join(chance.choices(_PATTERNS[:-1], k=chance.choice((1, 1, 2, 3)))))
        elif kind < 0.8:
            lines.append(
                "Match "
                + (chance.choice(_MATCHES[:14]) if chance.random() < 0.8 else chance.choice(_MATCHES))
            )
        elif kind < 0.9:
            lines.append(
                chance.choice(
                    ("# a comment", "", "  # IdentityFile /no", "Host=box", "Host", "Match", "Port")
                )
            )
        lines += [_line(chance) for _ in range(chance.randint(0, 3))]
    target = chance.choice(("box", "box", "box", "Box", "alice@box", "box:2222", "box.example", "bob@other"))
    options = [chance.choice(("User=bob", "Port 23", "IdentityFile=/o", "BatchMode=yes", "ProxyJump=none"))]
    return "\n".join(lines) + "\n", target, tuple(options) if chance.random() < 0.3 else ()


@pytest.mark.slow
def test_a_generated_file_means_the_same_or_is_refused(tmp_path: Path) -> None:
    """Whatever a file contains, we read it as ssh does or refuse it; what ssh refuses, we refuse too."""
    file = tmp_path / "config"
    both = 0
    for number in range(300):
        text, target, options = _generated(number)
        file.write_text(text, newline="")
        ours = read(file, target, options, "")
        theirs = read(file, target, options, None)
        assert ours is None or ours == theirs, (number, text, target, options)
        both += ours is not None
    # Refusing everything would be too easy.
    assert both > 75
