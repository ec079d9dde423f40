"""known_hosts without a server; ``test_differential`` puts the same questions to ssh."""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hermes_tunnel.ssh.hostkeys.known_hosts import Finding, KnownHosts, Line, Verdict, append, known_name
from hermes_tunnel.ssh.public_key import called, describe, fingerprint


def blob(*strings: bytes) -> bytes:
    """A key as RFC 4253 section 6.6 writes it."""
    return b"".join(len(string).to_bytes(4, "big") + string for string in strings)


def text(key: bytes) -> str:
    """A key as known_hosts writes it: its type, and base64."""
    return f"{key[4 : 4 + key[3]].decode()} {base64.b64encode(key).decode()}"


KEY = blob(b"ssh-ed25519", bytes(range(32)))
OTHER = blob(b"ssh-ed25519", bytes(32))
ECDSA = blob(b"ecdsa-sha2-nistp256", b"nistp256", b"\x04" + bytes(64))
RSA = blob(b"ssh-rsa", b"\x01\x00\x01", b"\x00\x80" + bytes(255))
HASHED = "|1|uJVil1eTspI+G58Wxv98sYhkyWY=|CEfvxadPZn1n94HkHtW3YkaLHAM="  # example.com, by ssh-keygen -H


def known(*lines: str) -> KnownHosts:
    """These lines of a file called ``file``."""
    return KnownHosts((f"file:{number}", line.encode()) for number, line in enumerate(lines, 1))


def verdict(*lines: str, host: str = "srv", port: int = 22, key: bytes = KEY) -> Verdict:
    """What these lines say about a server."""
    return known(*lines).find(host, port, key).verdict


@pytest.mark.parametrize(
    ("hosts", "host", "port", "is_about"),
    [
        ("srv", "srv", 22, True),
        ("SRV", "srv", 22, True),
        ("srv", "SRV", 22, True),
        ("srv", "srv.example", 22, False),
        ("a,srv,b", "srv", 22, True),
        ("*.example", "srv.example", 22, True),
        ("*.example", "example", 22, False),
        ("sr?", "srv", 22, True),
        ("sr?", "sr", 22, False),
        ("sr[v]", "srv", 22, False),
        ("srv.*", "srvx", 22, False),
        ("*,!srv", "srv", 22, False),
        ("!srv,*", "srv", 22, False),
        ("*,!srv", "srv2", 22, True),
        ("!srv2", "srv", 22, False),
        ("[srv]:2222", "srv", 2222, True),
        ("[srv]:2222", "srv", 2223, False),
        ("[srv]:2222", "srv", 22, False),
        ("[srv]:22", "srv", 22, False),
        ("srv", "srv", 2222, True),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222, True),
        ("2001:db8::1", "2001:db8::1", 22, True),
        (HASHED, "example.com", 22, True),
        (HASHED, "Example.COM", 22, True),
        (HASHED, "srv", 22, False),
        (HASHED.upper(), "example.com", 22, False),
        ("|1|", "srv", 22, False),
        ("|", "srv", 22, False),
        ("\u212a", "k", 22, False),
        ("*a" * 100 + "b", "a" * 200, 22, False),
    ],
)
def test_names(hosts: str, host: str, port: int, is_about: bool) -> None:
    """Names, patterns, negations, hashes and ports mean what sshd(8) says."""
    expected = Verdict.KNOWN if is_about else Verdict.UNKNOWN
    assert verdict(f"{hosts} {text(KEY)}", host=host, port=port) is expected


def test_any_key_of_a_host_will_do() -> None:
    """A host may have several keys, of one type or of several; each is good."""
    lines = [f"srv {text(key)}" for key in (OTHER, ECDSA, KEY)]
    assert known(*lines).find("srv", 22, KEY) == Finding(
        Verdict.KNOWN, (Line("file:3", "", "ssh-ed25519", KEY),)
    )
    assert verdict(*lines, key=ECDSA) is Verdict.KNOWN


def test_changed_names_every_line_that_contradicts() -> None:
    """A host whose known keys are all different has changed, even if they are of other types."""
    finding = known("#", f"srv {text(OTHER)}", f"other {text(KEY)}", f"* {text(ECDSA)}").find("srv", 22, KEY)
    assert finding.verdict is Verdict.CHANGED
    assert [str(line) for line in finding.lines] == [
        f"ED25519 {fingerprint(OTHER)} in file:2",
        f"ECDSA {fingerprint(ECDSA)} in file:4",
    ]


def test_a_revoked_key_is_never_known() -> None:
    """@revoked wins over any other line; ssh overlooks a marker before a tab, this program does not."""
    line = f"srv {text(KEY)}"
    for marked in ("@revoked * ", "@revoked\tsrv\t", "  @revoked \t srv "):
        finding = known(line, marked + text(KEY) + " no more").find("srv", 22, KEY)
        assert (finding.verdict, [line.place for line in finding.lines]) == (Verdict.REVOKED, ["file:2"])
    assert verdict(line, f"@revoked srv {text(OTHER)}") is Verdict.KNOWN
    assert verdict(f"@revoked srv {text(KEY)}", port=2222) is Verdict.REVOKED


def test_an_authority_is_not_a_key() -> None:
    """An authority's key does not make itself known, and any line but @cert-authority outweighs it."""
    authority = f"@cert-authority srv {text(KEY)}"
    assert verdict(authority) is Verdict.ONLY_AUTHORITY
    assert verdict(authority, port=2222) is Verdict.ONLY_AUTHORITY
    assert verdict(authority, f"[srv]:2222 {text(OTHER)}", port=2222) is Verdict.CHANGED
    assert verdict(authority.replace("srv", "*"), f"srv {text(KEY)}", port=2222) is Verdict.KNOWN
    assert verdict(authority, f"srv {text(OTHER)}") is Verdict.CHANGED
    assert verdict(authority, host="other") is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "line",
    [
        "",
        "#",
        f"#srv {text(KEY)}",
        "srv",
        "srv ssh-ed25519",
        "srv ssh-ed25519 *",
        f"srv ssh-rsa {base64.b64encode(KEY).decode()}",
        f"srv {text(KEY)[:-1]}",
        f"srv {text(KEY)[:-4]}",
        f"srv {text(KEY + bytes(4))}",
        f"srv {text(KEY + bytes(3))}",
        f"srv {text(blob(b'ssh-new', b''))}",
        f"@other srv {text(KEY)}",
        f"@revoked @revoked srv {text(KEY)}",
        f"srv \0{text(KEY)}",
        f"#,srv {text(KEY)}",
        f"@other,srv {text(KEY)}",
        f"|1|AAAAAAAAAAAAAA==|7RX2EReQaiohIOkoPPAkTomGhNo= {text(KEY)}",
    ],
)
def test_what_is_not_a_line_says_nothing(line: str) -> None:
    """A line that ssh would pass over is passed over, and those beside it count."""
    assert verdict(line) is Verdict.UNKNOWN
    assert verdict(line, f"srv {text(KEY)}", line) is Verdict.KNOWN


def test_a_line_ends_where_ssh_sees_its_end() -> None:
    """What comes after a NUL or a carriage return is not part of a key."""
    assert verdict(f"srv {text(KEY)}\0junk") is Verdict.KNOWN
    assert verdict(f"srv {text(KEY)}\r") is Verdict.KNOWN


def test_base64_has_one_form() -> None:
    """A key with bits to spare in its last character is a broken line, as it is to ssh."""
    line = f"srv {text(ECDSA)}"
    assert line.endswith("AAA=")
    assert verdict(line, key=ECDSA) is Verdict.KNOWN
    assert verdict(line[:-2] + "B=", key=ECDSA) is Verdict.UNKNOWN


def test_known_types_are_those_that_would_be_accepted() -> None:
    """The types of a host's keys come in the order of the lines, once each, without those of marked lines."""
    lines = known(
        f"srv {text(RSA)}",
        f"[srv]:2222 {text(ECDSA)}",
        f"@cert-authority * {text(OTHER)}",
        f"srv {text(KEY)}",
        f"s* {text(RSA)}",
        f"srv rsa-sha2-256 {base64.b64encode(RSA).decode()}",
    )
    assert lines.known_types("srv", 22) == ["ssh-rsa", "ssh-ed25519"]
    assert lines.known_types("srv", 2222) == ["ecdsa-sha2-nistp256"]
    assert lines.known_types("srv", 2200) == []
    assert lines.known_types("other", 22) == []


def test_read_takes_all_files_and_misses_none_that_is_not_there(tmp_path: Path) -> None:
    """User files come before global ones; a missing file or a directory counts as empty."""
    mine, ours = tmp_path / "mine", tmp_path / "ours"
    mine.write_text(f"\nsrv {text(OTHER)}\n")
    ours.write_text(f"srv {text(KEY)}\r\n")
    finding = KnownHosts.read([tmp_path / "none", mine], [str(tmp_path), ours]).find("srv", 22, KEY)
    assert (finding.verdict, [line.place for line in finding.lines]) == (Verdict.KNOWN, [f"{ours}:1"])
    finding = KnownHosts.read([mine], []).find("srv", 22, KEY)
    assert (finding.verdict, [line.place for line in finding.lines]) == (Verdict.CHANGED, [f"{mine}:2"])


def test_a_key_in_words() -> None:
    """Key types and fingerprints read as ``ssh-keygen -l`` prints them."""
    key = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f")
    assert describe("ssh-ed25519", key) == "ED25519 SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
    assert [called(one) for one in ("ssh-rsa", "ecdsa-sha2-nistp521", "ssh-new")] == [
        "RSA",
        "ECDSA",
        "ssh-new",
    ]


def test_a_name_has_its_port_unless_it_is_22() -> None:
    """A server on port 22 is called by its name alone."""
    assert [known_name("srv", 22), known_name("::1", 2222)] == ["srv", "[::1]:2222"]


@pytest.mark.parametrize("hashed", [False, True])
def test_append_adds_one_line_in_a_new_file(tmp_path: Path, hashed: bool) -> None:
    """The file and its directory are created if need be, for the person alone."""
    path = tmp_path / "ssh" / "known_hosts"
    append(path, "SRV", 2222, "ssh-ed25519", KEY, hashed=hashed)
    line = path.read_bytes()
    assert line.endswith(f" {text(KEY)}\n".encode())
    assert line.startswith(b"|1|" if hashed else b"[srv]:2222 ")
    assert line.count(b"\n") == 1
    if sys.platform != "win32":
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert KnownHosts.read([path], []).find("srv", 2222, KEY).verdict is Verdict.KNOWN


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_append_follows_a_symbolic_link(tmp_path: Path) -> None:
    """A known_hosts that is a link stays one; its target gets the line and keeps its mode."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("# mine")
    real.chmod(0o644)
    link.symlink_to(real)
    append(link, "srv", 22, "ssh-ed25519", KEY, hashed=False)
    assert link.is_symlink()
    assert real.read_text() == f"# mine\nsrv {text(KEY)}\n"
    assert real.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "host", ["", "*", "a,b", "!srv", "a b", "srv\nevil", "@revoked", "|1|", "#", "[srv]"]
)
def test_append_refuses_names_that_mean_more(tmp_path: Path, host: str) -> None:
    """What would be a pattern, a list, a marker or a second line is not written."""
    path = tmp_path / "known_hosts"
    with pytest.raises(ValueError, match="characters"):
        append(path, host, 22, "ssh-ed25519", KEY, hashed=False)
    assert not path.exists()


def test_append_lets_an_error_through(tmp_path: Path) -> None:
    """A file that cannot be written is the caller's to report."""
    with pytest.raises(OSError, match=r"directory|denied"):
        append(tmp_path, "srv", 22, "ssh-ed25519", KEY, hashed=False)


_keys = st.sampled_from([text(KEY), text(OTHER), text(RSA), "ssh-ed25519", "ssh-ed25519 AAAA"])
_names = st.sampled_from(["srv", "SRV", "[srv]:2222", "s*", "sr?", "*", "[*", "x", "", HASHED])
_lists = st.lists(st.sampled_from(["", "!"]).flatmap(lambda sign: _names.map(sign.__add__))).map(",".join)
_markers = st.sampled_from(["", "", "@revoked ", "@cert-authority ", "@other ", "#", "\0"])
_lines = st.tuples(_markers, _lists, st.sampled_from([" ", "\t", ""]), _keys, st.text()).map("".join)
_contents = st.one_of(
    st.binary(),
    st.lists(_lines, max_size=6).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")),
)
_hosts = st.from_regex(r"[A-Za-z0-9._:%-]{1,60}", fullmatch=True) | st.just("srv")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(content=_contents, host=_hosts | st.text(), port=st.sampled_from([22, 2222]))
def test_no_content_is_too_strange(content: bytes, host: str, port: int) -> None:
    """Whatever a file holds and whatever a host is called, there is a verdict; its lines bear it out."""
    hosts = KnownHosts((f"file:{n}", line) for n, line in enumerate(content.split(b"\n"), 1))
    finding = hosts.find(host, port, KEY)
    assert bool(finding.lines) is (finding.verdict is not Verdict.UNKNOWN)
    if finding.verdict in (Verdict.KNOWN, Verdict.REVOKED):
        assert {line.blob for line in finding.lines} == {KEY}
    if finding.verdict is Verdict.KNOWN and b"@revoked" not in content:
        # A key of the bare name is good on any port, but on another port we do not ask for its type first.
        assert "ssh-ed25519" in {*hosts.known_types(host, port), *hosts.known_types(host, 22)}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    content=_contents,
    host=_hosts,
    port=st.integers(1, 65535) | st.sampled_from([22, 2222]),
    hashed=st.booleans(),
)
def test_what_is_added_is_known_and_the_rest_untouched(
    content: bytes, host: str, port: int, hashed: bool
) -> None:
    """An unknown key, once added to any file, is known; what the file held stays, byte by byte."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "known_hosts"
        path.write_bytes(content)
        before = KnownHosts.read([path], []).find(host, port, KEY).verdict
        append(path, host, port, "ssh-ed25519", KEY, hashed=hashed)
        after = path.read_bytes()
        begin = content if content.endswith(b"\n") or not content else content + b"\n"
        assert after.startswith(begin)
        assert after.endswith(b"\n")
        assert after[len(begin) :].count(b"\n") == 1
        if before is not Verdict.REVOKED:
            assert KnownHosts.read([path], []).find(host, port, KEY).verdict is Verdict.KNOWN
