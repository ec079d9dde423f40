"""What ssh_config says about each hop, according to the real ssh where there is one."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hermes_tunnel.deadlines import IDENTIFICATION
from hermes_tunnel.errors import ConfigurationFailure, UsageFailure
from hermes_tunnel.ssh.by_hand import by_hand, by_ssh
from hermes_tunnel.ssh.config.chain import HopConfiguration, Options, resolve
from hermes_tunnel.ssh.config.hop import allows
from hermes_tunnel.ssh.config.keywords import _lines, read
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.config.tokens import Tokens, home
from hermes_tunnel.ssh.dial import connect_seconds

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh on this machine")


def resolved(
    directory: Path, text: str, target: str, *jumps: str, **options: Any
) -> tuple[HopConfiguration, ...]:
    """The hops to a target, under a configuration file with this text."""
    return resolve(parse_target(target, jumps), Options(config_file=_written(directory, text), **options))


def _written(directory: Path, text: str) -> str:
    """A configuration file with this text."""
    file = directory / "config"
    file.write_text(text)
    return str(file)


def way(hops: tuple[HopConfiguration, ...]) -> list[str]:
    """The hops in short."""
    return [f"{hop.user}@{hop.address}" for hop in hops]


def test_include_and_match_mean_what_ssh_says(tmp_path: Path) -> None:
    """Included files, Match blocks, comments and quotes are understood by asking ssh."""
    (tmp_path / "more").write_text('Host box\n  Port 2200 # the usual\n  IdentityFile "/keys/my key"\n')
    text = f"Include {tmp_path}/more\nMatch originalhost box user alice\n  HostName box.example\n"
    (hop,) = resolved(tmp_path, text, "box", options=("User=alice",))
    assert (hop.address, hop.user, hop.alias, hop.label) == ("box.example:2200", "alice", "box", "alice@box")
    assert hop.identity_files == ("/keys/my key",)


def test_every_keyword_that_is_honoured(tmp_path: Path) -> None:
    """Each keyword becomes a field of the hop, in this program's types."""
    text = f"""
    Host box
      User u
      IdentitiesOnly yes
      CertificateFile /c
      IdentityFile {tmp_path}/%r-%h
      IdentityAgent none
      UserKnownHostsFile "{tmp_path}/known hosts" /b
      GlobalKnownHostsFile none
      StrictHostKeyChecking accept-new
      HashKnownHosts yes
      HostKeyAlias other
      HostKeyAlgorithms rsa-sha2-256
      ConnectTimeout 7
      ServerAliveInterval 30
      ServerAliveCountMax 4
      PreferredAuthentications password,publickey
      PasswordAuthentication no
      NumberOfPasswordPrompts 1
      BatchMode yes
      AddressFamily inet
      BindAddress 127.0.0.1
      ProxyCommand nc %h %p %%
    """
    (tmp_path / "known hosts").touch()
    (hop,) = resolved(tmp_path, text, "box")
    assert hop == HopConfiguration(
        alias="box", hostname="box", user="u", port=22,
        identity_files=(f"{tmp_path}/u-box",), certificate_files=("/c",), identities_only=True,
        identity_agent="",
        preferred_authentications=("publickey",), number_of_password_prompts=1, batch_mode=True,
        user_known_hosts_files=(f"{tmp_path}/known hosts", "/b"), global_known_hosts_files=(),
        strict_host_key_checking="accept-new", hash_known_hosts=True, host_key_alias="other",
        host_key_algorithms=("rsa-sha2-256",), kex_algorithms=hop.kex_algorithms, ciphers=hop.ciphers,
        macs=hop.macs, pubkey_accepted_algorithms=hop.pubkey_accepted_algorithms,
        proxy_command="nc box 22 %", address_family="inet", bind_address="127.0.0.1",
        connect_timeout=7, server_alive_interval=30, server_alive_count_max=4,
    )  # fmt: skip


def test_what_is_not_set_has_limits_all_the_same(tmp_path: Path) -> None:
    """15 s to connect, 120 s for a proxy that may ask something; three times 5 s of silence."""
    (proxied,) = resolved(tmp_path, "ProxyCommand ssh -W %h:%p jump", "box")
    assert (proxied.connect_timeout, IDENTIFICATION.seconds) == (None, 120)
    (hop,) = resolved(tmp_path, "", "box")
    assert (connect_seconds(hop), hop.server_alive_interval, hop.server_alive_count_max) == (15, 5, 3)
    assert connect_seconds(resolved(tmp_path, "ConnectTimeout 7", "box")[0]) == 7
    assert hop.strict_host_key_checking == "ask"


def test_options_are_for_the_destination_alone(tmp_path: Path) -> None:
    """As with ssh, -o, -i and -4 do not reach a jump host, but -F does."""
    (tmp_path / "key").touch()
    first, last = resolved(
        tmp_path, "Host *\n HostName %h.example\n", "box", "jump",
        options=("User=alice", "Port=2200"), identity_files=(str(tmp_path / "key"),), address_family="inet",
    )  # fmt: skip
    assert (first.hostname, first.port, first.address_family) == ("jump.example", 22, "any")
    assert (last.label, last.port, last.address_family) == ("alice@box", 2200, "inet")
    assert str(tmp_path / "key") in last.identity_files
    assert str(tmp_path / "key") not in first.identity_files


CHAINS = """
Host inner
  ProxyJump u2@middle:2022
Host middle
  ProxyJump outer
Host three
  ProxyJump a,b@b:23,[::1]:2022
Host via-command
  ProxyCommand nc %h %p
Host loop-a
  ProxyJump loop-b
Host loop-b
  ProxyJump loop-a
Host itself
  ProxyJump itself
Host deep*
  ProxyJump deep%h
Host bad
  ProxyJump none
Host *
  User u
"""


@pytest.mark.parametrize(
    ("target", "jumps", "expected"),
    [
        ("inner", (), ["u@outer:22", "u2@middle:2022", "u@inner:22"]),
        ("inner", ("none",), ["u@inner:22"]),
        ("inner", ("x",), ["u@x:22", "u@inner:22"]),
        ("three", (), ["u@a:22", "b@b:23", "u@[::1]:2022", "u@three:22"]),
        # Given earlier hops, middle's own ProxyJump does not count; as the first hop it does.
        ("x", ("y,middle",), ["u@y:22", "u@middle:22", "u@x:22"]),
        ("x", ("middle,y",), ["u@outer:22", "u@middle:22", "u@y:22", "u@x:22"]),
        ("bad", (), ["u@bad:22"]),
    ],
)
def test_a_chain_of_jump_hosts_is_that_of_ssh(
    tmp_path: Path, target: str, jumps: tuple[str, ...], expected: list[str]
) -> None:
    """The last entry is the direct predecessor, and only the first hop honours its own ProxyJump."""
    assert way(resolved(tmp_path, CHAINS, target, *jumps)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize(
    "value",
    ["gate", "u@gate:2022", "[::1]", "u@[::1]:2022", "127.0.0.1", "127.0.0.1:23", "GATE.Example", "none",
     "NONE", "ssh://u@gate:2022", "ssh://gate/", "ssh://[::1]:24", "a,b", "u@a:1,ssh://b,127.0.0.1:3",
     "none,a", "%r@%h-gate", "%n.%p", "100%%", "a-%n,b-%h:9,%r@c", "first@last@gate", "_a-1.x", "::1", "a,,b",
     "a,", "%d", "gate%"],
)  # fmt: skip
def test_a_jump_means_what_it_means_to_ssh(tmp_path: Path, value: str, typed: bool) -> None:
    """Whatever ProxyJump or -J says, the host before the last is reached as ssh reaches it, or not at all."""
    text = "" if typed else f"ProxyJump {value}\n"
    file = _written(tmp_path, f"Host box\n HostName box.invalid\n Port 2200\n User alice\n{text}")
    # The shell does nothing: ssh says what it would run, and runs nothing. It also shows the time-out.
    ssh = ["ssh", "-F", file, "-v", "-o", "ConnectTimeout=1", *(("-J", value) if typed else ()), "box"]
    done = subprocess.run(
        ssh,
        env={**os.environ, "SHELL": shutil.which("true") or ""},
        capture_output=True,
        text=True,
        check=False,
    )
    run = re.search(r"Executing proxy command: exec (.*)", done.stderr)
    connects = run is not None or "Connecting to box.invalid" in done.stderr or "resolve" in done.stderr
    try:
        hops = resolve(parse_target("box", (value,) if typed else ()), Options(file))
    except (ConfigurationFailure, UsageFailure):
        assert not connects, done.stderr
        return
    # We accept what can mean only one thing, though ssh wants other brackets.
    assert connects or value in ("::1", "ssh://[::1]:24"), done.stderr
    if run is not None:
        words = shlex.split(run[1].replace("ssh://", ""))
        assert words[-3:-1] == ["-W", "[box.invalid]:2200"]
        assert sorted(hops[-2].way) == sorted([*words[1:-4], words[-1]])
    else:
        assert (len(hops) == 1) is (value.lower() == "none")


def test_a_host_may_be_passed_twice(tmp_path: Path) -> None:
    """A chain that was typed is not a loop, since it has an end."""
    assert way(resolved(tmp_path, CHAINS, "x", "y,z,y")) == ["u@y:22", "u@z:22", "u@y:22", "u@x:22"]


def test_a_proxy_command_is_the_first_hop_s_alone(tmp_path: Path) -> None:
    """-J overrides ProxyCommand; a jump host that has one keeps it."""
    (hop,) = resolved(tmp_path, CHAINS, "via-command")
    assert hop.proxy_command == "nc via-command 22"
    _, last = resolved(tmp_path, CHAINS, "via-command", "a")
    assert last.proxy_command is None
    first, _ = resolved(tmp_path, CHAINS, "a", "via-command")
    assert first.proxy_command == "nc via-command 22"


def test_a_circle_of_jump_hosts_is_named(tmp_path: Path) -> None:
    """A chain that comes back to an earlier hop is an error that shows the chain."""
    with pytest.raises(ConfigurationFailure, match="loop-a -> loop-b -> loop-a"):
        resolved(tmp_path, CHAINS, "loop-a")
    with pytest.raises(ConfigurationFailure, match=r"itself -> itself|jumphost loop via itself"):
        resolved(tmp_path, CHAINS, "itself")


def test_more_than_eight_jump_hosts_are_an_error(tmp_path: Path) -> None:
    """A chain without an end is an error that shows the chain."""
    text = "".join(f"Host h{n}\n ProxyJump h{n + 1}\n" for n in range(12))
    with pytest.raises(ConfigurationFailure, match=r"more than 8 jump hosts: h0 -> h1 -> .* -> h9"):
        resolved(tmp_path, text, "h0")


@pytest.mark.parametrize(
    ("text", "words"),
    [("Nonsense yes\n", "config.*line 1: Bad configuration option"), ("Host *\n Port x\n", "line 2"),
     ("ProxyJump a;b\n", "config.*line 1|ProxyJump")],
)  # fmt: skip
def test_a_mistake_in_ssh_config_is_shown_in_ssh_s_words(tmp_path: Path, text: str, words: str) -> None:
    """The error is ssh's own line, with file and line number."""
    with pytest.raises(ConfigurationFailure, match=words):
        resolved(tmp_path, text, "box")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A -F that does not exist is an error; an -i that does not is a warning, as with ssh."""
    with pytest.raises(ConfigurationFailure, match="/does/not/exist"):
        resolve(parse_target("box"), Options(config_file="/does/not/exist"))
    (hop,) = resolved(tmp_path, "", "box", identity_files=("/no/key",))
    assert any("/no/key" in warning for warning in hop.warnings)


@pytest.mark.parametrize("option", ["Port", "=x", "Port=1\nProxyCommand=x", "-x"])
def test_an_option_is_key_and_value(tmp_path: Path, option: str) -> None:
    """Anything else is refused before ssh sees it."""
    with pytest.raises(UsageFailure, match="not KEY=VALUE"):
        resolved(tmp_path, "", "box", options=(option,))


@pytest.mark.parametrize(("value", "there"), [("/bin/true", True), ("none", False), (None, False)])
def test_a_known_hosts_command_is_noted(tmp_path: Path, value: str | None, there: bool) -> None:
    """It matters only where no file has the host's key."""
    text = "" if value is None else f"KnownHostsCommand {value}\n"
    assert resolved(tmp_path, text, "box")[0].known_hosts_command is there


def test_a_newer_keyword_is_a_warning_where_it_is_set(tmp_path: Path) -> None:
    """What a newer ssh prints by default is mentioned with -v only; what somebody set is always mentioned."""
    ssh = tmp_path / "ssh"
    real = shutil.which("ssh")
    ssh.write_text(
        f'#!/bin/sh\n{real} "$@" && echo MoonGate closed || exit\n'
        'case "$*" in *"-F none"*) echo TeleportViaMoon no;; *) echo TeleportViaMoon yes;; esac\n'
    )
    ssh.chmod(0o700)
    (tmp_path / "config").write_text("")
    options = Options(config_file=str(tmp_path / "config"))
    (hop,) = resolve(parse_target("box"), options, program=str(ssh))
    assert hop.warnings == ("Warning: teleportviamoon is set for 'box'; hermes-tunnel has not heard of it.",)
    assert len(hop.details) == 1
    assert "moongate" in hop.details[0]


def test_ssh_itself_is_told_the_same_way(tmp_path: Path) -> None:
    """The line for what only ssh can do carries the options and jump hosts that were typed, for every hop."""
    (tmp_path / "my config").write_text("")
    options = Options(str(tmp_path / "my config"), ("Compression=yes",), ("/k",), "inet6")
    for hop in resolve(parse_target("me@box:2200", ("gate,inner",)), options):
        assert by_hand(hop).endswith(
            "ssh -N -L PORT:127.0.0.1:PORT -J gate,inner -p 2200 -l me "
            f"-F '{tmp_path}/my config' -o Compression=yes -i /k -6 box"
        )


def test_ssh_itself_is_told_of_one_hop(tmp_path: Path) -> None:
    """The line that reaches a jump host carries what ssh hands on: the file, and the hops before it."""
    (tmp_path / "my config").write_text("Host box\n ProxyJump first,u@[::1]:23\n")
    options = Options(str(tmp_path / "my config"), ("Compression=yes",), ("/k",), "inet6")
    first, second, box = resolve(parse_target("box"), options)
    file = f"-F '{tmp_path}/my config'"
    assert by_ssh(first) == f"ssh {file} first"
    assert by_ssh(second) == f"ssh -J first -p 23 -l u {file} ::1"
    assert by_ssh(box) == f"ssh {file} -o Compression=yes -i /k -6 box"
    _, box = resolve(parse_target("box", ["::1"]), options)
    assert "-J '[::1]' " in by_ssh(box)


def test_user_and_port_that_were_typed_win_over_options(tmp_path: Path) -> None:
    """-l, -p and USER@HOST:PORT win over -o: with ssh, without it, and in the line to type for it."""
    given = Options(_written(tmp_path, "User carol\n"), ("User=alice", "Port 2200"))
    for program in (None, ""):
        (hop,) = resolve(parse_target("bob@box:8"), given, program=program)
        assert way((hop,)) == ["bob@box:8"]
        (hop,) = resolve(parse_target("box"), given, program=program)
        assert way((hop,)) == ["alice@box:2200"]
    words = resolve(parse_target("bob@box:8"), given)[0].typed
    said = subprocess.run(["ssh", "-G", *words], capture_output=True, text=True, check=True).stdout
    assert "\nuser bob\n" in f"\n{said}"
    assert "\nport 8\n" in said


def test_ways_that_only_ssh_has_are_remembered(tmp_path: Path) -> None:
    """PKCS11Provider, GSSAPI and host-based authentication are mentioned if the server takes them."""
    text = "PKCS11Provider /lib/token.so\nGSSAPIAuthentication yes\nHostbasedAuthentication yes\n"
    (hop,) = resolved(tmp_path, text, "box")
    assert [each.method for each in hop.not_done] == ["publickey", "gssapi-with-mic", "hostbased"]
    assert hop.not_done[0].hint.endswith("ssh-add -s /lib/token.so")
    (hop,) = resolved(tmp_path, "GSSAPIAuthentication no\n", "box")
    assert hop.not_done == ()


def test_tokens_are_ssh_config_s() -> None:
    """``%`` tokens, ``~`` and variables are replaced; an unknown token is an error."""
    tokens = Tokens("box", "box.example", 2200, "alice", None, "jump", {"KEYS": "/keys"})
    assert tokens.path("~/%n/%h_%p_%r%%") == f"{home()}/box/box.example_2200_alice%"
    assert tokens.path("${KEYS}/%k-%j") == "/keys/box-jump"
    assert tokens.path("${KEYS}/${KEYS") == "/keys/${KEYS"
    assert len(tokens.expand("%C")) == 40
    for text in ("%z", "100%"):
        with pytest.raises(ConfigurationFailure, match="unknown token"):
            tokens.expand(text)
    with pytest.raises(ConfigurationFailure, match="'NOPE'"):
        tokens.path("${NOPE}")
    windows = Tokens("box", "box", 22, "alice", environment={"PROGRAMDATA": r"D:\Data"})
    assert windows.path(r"__PROGRAMDATA__\ssh/known_hosts") == r"D:\Data\ssh/known_hosts"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 5), ("ServerAliveInterval 0", 5), ("ServerAliveInterval 7", 7), ("ServerAliveInterval 1m", 60),
     ("BatchMode yes", 5), ("BatchMode yes\nServerAliveInterval 60", 60)],
)  # fmt: skip
def test_five_seconds_where_nobody_said_otherwise(tmp_path: Path, text: str, seconds: int) -> None:
    """ServerAliveInterval is 5 if unset or 0, although Debian's ssh then says 300 in BatchMode."""
    for program in (None, ""):
        (hop,) = resolve(parse_target("box"), Options(_written(tmp_path, f"{text}\n")), program=program)
        assert hop.server_alive_interval == seconds


def test_what_ssh_has_expanded_is_not_expanded_again(tmp_path: Path) -> None:
    """``ssh -G`` expands the tokens in some file names itself, and others have none: a percent sign stays."""
    (hop,) = resolved(
        tmp_path,
        "UserKnownHostsFile /a%%h /%n\nGlobalKnownHostsFile ~/g%h\nRevokedHostKeys /r%h\n"
        "IdentityAgent ~/s%%n\nIdentityFile /k%%-%n\n",
        "box",
    )
    assert hop.user_known_hosts_files == ("/a%h", "/box")
    assert hop.global_known_hosts_files == (f"{home()}/g%h",)
    assert (hop.revoked_host_keys, hop.identity_agent) == ("/r%h", f"{home()}/s%n")
    assert hop.identity_files == ("/k%-box",)


def test_without_ssh_a_simple_file_is_read_here(tmp_path: Path) -> None:
    """Without an ssh program, Host blocks and -o still count."""
    file = tmp_path / "config"
    file.write_text("Host box\n HostName box.example # comment\n IdentityFile /k\nMatch user bob\n Port 7\n")
    said = read(parse_target("bob@box"), Options(str(file), ("ConnectTimeout=3",)), None)
    assert said["hostname"] == ["box.example"]
    assert said["identityfile"] == ["/k"]
    assert (said["connecttimeout"], said["user"]) == (["3"], ["bob"])


def test_without_ssh_what_was_typed_comes_first(tmp_path: Path) -> None:
    """The user and port that were typed count, for ``Match user`` too; old names of keywords are known."""
    file = tmp_path / "config"
    file.write_text(
        "Match user bob\n HostName bobs.example\nHost *\n User alice\n Port 7\n"
        "ChallengeResponseAuthentication no\nCiphers -3des-cbc,aes*-cbc\nMACs ^hmac-sha2-512\n"
    )
    (hop,) = resolve(parse_target("bob@box:8"), Options(str(file)), program="")
    assert (hop.user, hop.port, hop.hostname) == ("bob", 8, "bobs.example")
    assert "keyboard-interactive" not in hop.preferred_authentications
    assert not allows(hop.ciphers, "aes128-cbc")
    assert allows(hop.ciphers, "aes128-ctr")
    assert allows(hop.macs, "hmac-sha2-256")


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("ConnectTimeout 1h1m1s", "connect_timeout", 3661),
        ("ConnectTimeout 1h1m1", "connect_timeout", 3661),
        ("ConnectTimeout 90", "connect_timeout", 90),
        ("Port 0000022", "port", 22),
        ("UserKnownHostsFile " + " ".join("abc" * 30), "user_known_hosts_files", (*"abc" * 30,)),
    ],
)
def test_without_ssh_a_value_means_what_it_does_to_ssh(
    tmp_path: Path, line: str, field: str, value: object
) -> None:
    """Times with and without units, a port with leading zeros, and several file names mean the same."""
    (hop,) = resolve(parse_target("box"), Options(_written(tmp_path, f"{line}\n")), program="")
    assert getattr(hop, field) == value


@pytest.mark.parametrize(
    "line",
    [
        *(f"Port {zeros}1" for zeros in ("0" * 40, "0" * 5000)),
        *(f"ConnectTimeout {time}" for time in ("1" * 40, "1" * 5000, "1x", "s", "1ss", "1" * 40 + "x")),
        f"HostName {'a' * 1025}",
        f"IgnoreUnknown {'a' * 1025}",
    ],
)
def test_without_ssh_what_is_far_too_long_is_refused(tmp_path: Path, line: str) -> None:
    """It is refused at once, like any other impossible value."""
    with pytest.raises(ConfigurationFailure, match="cannot be"):
        resolve(parse_target("box"), Options(_written(tmp_path, f"{line}\n")), program="")


@pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")
def test_without_ssh_a_file_that_others_may_write_decides_nothing(tmp_path: Path) -> None:
    """As with ssh, the person's own file is then refused, but a file named with -F is not."""
    file = tmp_path / ".ssh" / "config"
    file.parent.mkdir()
    file.write_text("Host box\n Port 7\n")
    file.chmod(0o622)
    with pytest.raises(ConfigurationFailure, match="Bad owner or permissions"):
        _lines(str(file), needed=False)
    assert " Port 7" in _lines(str(file), needed=True)
    assert _lines("none", needed=True) == []


@pytest.mark.parametrize(
    "line",
    ["Include other", "include=x", "Match tagged x", "Match exec true", "Match localnetwork 10.0.0.0/8",
     "Match final all", "  CanonicalizeHostname yes", "CanonicalizeHostname=always", 'Match host "box"',
     "Match !host x", "IdentityFile 'a'", 'User "a\\"b"', "Match host", "Match host=box"],
)  # fmt: skip
def test_without_ssh_what_cannot_be_read_is_an_error(tmp_path: Path, line: str) -> None:
    """A file that only ssh understands is not guessed at."""
    file = tmp_path / "config"
    file.write_text(f"\n{line}\n")
    with pytest.raises(ConfigurationFailure, match=r"config:2: \w+ needs the ssh program"):
        read(parse_target("box"), Options(str(file)), None)
