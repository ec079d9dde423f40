"""What is done about a host key: accepted, asked about, added, refused."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hermes_tunnel.errors import ExitStatus, HostKeyFailure
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.ssh.hostkeys.known_hosts import Verdict, append
from hermes_tunnel.ssh.hostkeys.verification import KnownHosts, known_as, verify
from hermes_tunnel.ssh.public_key import fingerprint
from tests.ssh.answering import Answering
from tests.ssh.hostkeys.test_known_hosts import ECDSA, KEY, OTHER, blob, text

SMALL = blob(b"ssh-rsa", b"\x01\x00\x01", b"\x00\x80" + bytes(127))


@pytest.fixture
def hop(tmp_path: Path) -> HopConfiguration:
    """A server called prod that is srv.example on port 2222."""
    return HopConfiguration(
        alias="prod",
        hostname="srv.example",
        user="me",
        port=2222,
        user_known_hosts_files=(str(tmp_path / "known_hosts"), str(tmp_path / "known_hosts2")),
    )


def hint(failure: HostKeyFailure, words: str) -> list[str]:
    """The rest of a hint after these words, split as a shell would."""
    return shlex.split(failure.hint.rpartition(words)[2])


def check(hop: HopConfiguration, person: Answering, *lines: str, address: str | None = None) -> str:
    """Verify the server's key with these lines in known_hosts; the lines that were added come back."""
    file = Path(hop.user_known_hosts_files[0])
    before = "".join(f"{line}\n" for line in lines)
    file.write_text(before)
    known = KnownHosts.read(hop.user_known_hosts_files, hop.global_known_hosts_files)
    try:
        verify(known, hop, "ssh-ed25519", KEY, address=address, person=person.person)
    finally:
        after = file.read_text()
        assert after.startswith(before)
    return after.removeprefix(before)


def refusal(hop: HopConfiguration, person: Answering, *lines: str) -> HostKeyFailure:
    """Why the server's key is refused; nothing is added to known_hosts."""
    with pytest.raises(HostKeyFailure) as caught:
        check(hop, person, *lines)
    assert Path(hop.user_known_hosts_files[0]).read_text() == "".join(f"{line}\n" for line in lines)
    assert caught.value.status is ExitStatus.HOST_KEY
    assert fingerprint(KEY) in caught.value.message
    assert "me@prod" in caught.value.message
    return caught.value


STRICTNESS = ("ask", "yes", "true", "accept-new", "no", "off", "false")


@pytest.mark.parametrize("strictness", STRICTNESS)
def test_a_known_key_is_silently_accepted(hop: HopConfiguration, strictness: str) -> None:
    """A known key needs no question, and nothing is written."""
    person, hop = Answering(), replace(hop, strict_host_key_checking=strictness)
    assert not check(hop, person, f"[srv.example]:2222 {text(KEY)}")
    assert (person.questions, person.told) == ([], [])


@pytest.mark.parametrize("strictness", STRICTNESS)
@pytest.mark.parametrize("other", [OTHER, ECDSA])
def test_a_changed_key_is_never_accepted(hop: HopConfiguration, strictness: str, other: bytes) -> None:
    """Whatever StrictHostKeyChecking says, we refuse a changed key: line, both fingerprints, a way out."""
    person, hop = Answering(), replace(hop, strict_host_key_checking=strictness)
    failure = refusal(hop, person, "#", f"* {text(other)}")
    file = hop.user_known_hosts_files[0]
    assert "CHANGED" in failure.message
    assert fingerprint(other) in failure.message
    assert f"{file}:2" in failure.message
    assert f"ssh-keygen -R '[srv.example]:2222' -f {file}" in failure.hint
    assert "administrator" in failure.hint
    assert (person.questions, person.told) == ([], [])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
@pytest.mark.parametrize("hashed", [False, True])
def test_the_line_that_removes_a_changed_key_works(
    hop: HopConfiguration, tmp_path: Path, hashed: bool
) -> None:
    """Typed into a shell, it removes the old key from every file that has it, even if names have spaces."""
    files = [tmp_path / "it's $HOME", tmp_path / "another"]
    for file in files:
        append(file, "srv.example", 2222, "ssh-ed25519", OTHER, hashed=hashed)
        append(file, "other.example", 2222, "ssh-ed25519", OTHER, hashed=hashed)
    known = KnownHosts.read(files[:1], files[1:])
    with pytest.raises(HostKeyFailure) as failure:
        verify(known, hop, "ssh-ed25519", KEY, person=Answering().person)
    line = failure.value.hint.rpartition("remove the old one: ")[2]
    subprocess.run(line, shell=True, check=True, capture_output=True)
    after = KnownHosts.read(files, [])
    assert after.find("srv.example", 2222, KEY).verdict is Verdict.UNKNOWN
    assert len(after.find("other.example", 2222, KEY).lines) == 2


@pytest.mark.parametrize("strictness", STRICTNESS)
def test_a_revoked_key_is_never_accepted(hop: HopConfiguration, strictness: str) -> None:
    """Whatever StrictHostKeyChecking says, a revoked key is refused, even if it is known too."""
    hop = replace(hop, strict_host_key_checking=strictness)
    failure = refusal(hop, Answering(), f"[srv.example]:2222 {text(KEY)}", f"@revoked * {text(KEY)}")
    assert "revoked" in failure.message
    assert f"{hop.user_known_hosts_files[0]}:2" in failure.message


@pytest.mark.parametrize("strictness", STRICTNESS)
def test_an_authority_alone_is_not_enough(hop: HopConfiguration, strictness: str) -> None:
    """A host known only by an authority is refused: certificates are not supported."""
    hop = replace(hop, strict_host_key_checking=strictness)
    failure = refusal(hop, Answering(), f"@cert-authority *.example {text(OTHER)}")
    assert "host certificates are not supported" in failure.message
    assert "[srv.example]:2222" in failure.hint


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
def test_a_binary_list_of_revoked_keys_is_read(hop: HopConfiguration, tmp_path: Path) -> None:
    """RevokedHostKeys may be what ssh-keygen -k makes; one that is damaged revokes every key, as with ssh."""
    public, revoked = tmp_path / "key.pub", tmp_path / "revoked"
    public.write_text(text(OTHER))
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", revoked, public], check=True)
    hop = replace(hop, revoked_host_keys=str(revoked))
    line = f"srv.example {text(KEY)}"
    assert check(hop, Answering(), line) == ""
    public.write_text(text(KEY))
    subprocess.run(["ssh-keygen", "-q", "-k", "-u", "-f", revoked, public], check=True)
    with pytest.raises(HostKeyFailure, match=r"is revoked: ED25519 .*, by .*revoked"):
        check(hop, Answering(), line)
    revoked.write_bytes(revoked.read_bytes()[:-3])
    with pytest.raises(HostKeyFailure, match="a binary list, which ssh-keygen did not read"):
        check(hop, Answering(), line)


def test_an_unknown_key_is_asked_about(hop: HopConfiguration) -> None:
    """The question shows who it is, where, and the fingerprint; yes adds one line."""
    person = Answering("yes")
    assert check(hop, person, "# mine") == f"[srv.example]:2222 {text(KEY)}\n"
    authenticity = "The authenticity of host 'prod (srv.example:2222)' can't be established."
    shown = f"ED25519 key fingerprint is {fingerprint(KEY)}."
    question = "Are you sure you want to continue connecting (yes/no/[fingerprint])?"
    compare = "Compare it with what the server's administrator has. Enter means no."
    assert person.questions == [Question(question, above=(authenticity, shown, compare))]
    assert person.told == [f"Added '[srv.example]:2222' (ED25519) to {hop.user_known_hosts_files[0]}."]


@pytest.mark.parametrize("answer", ["yes", "YES", " yes ", fingerprint(KEY), fingerprint(KEY) + "\n"])
def test_yes_or_the_fingerprint_accepts(hop: HopConfiguration, answer: str) -> None:
    """Nothing else is a yes: after any other answer we ask again."""
    person = Answering("y", "maybe", fingerprint(OTHER), fingerprint(KEY).lower(), answer)
    assert check(hop, person)
    assert person.asked[1:] == [("Please type 'yes', 'no' or the fingerprint:", False)] * 4


@pytest.mark.parametrize("answer", ["no", "No", "", " "])
def test_no_refuses(hop: HopConfiguration, answer: str) -> None:
    """A no, or nothing, ends it."""
    assert "was not accepted" in refusal(hop, Answering("what?", answer)).message


def test_without_anybody_to_ask_the_answer_is_no(hop: HopConfiguration) -> None:
    """Without a terminal, or in batch mode, an unknown key is refused, and the hint says how to add it."""
    asked, batch = Answering(None), Answering()
    for person, one in ((asked, hop), (batch, replace(hop, batch_mode=True))):
        failure = refusal(one, person, f"srv.example {text(OTHER)}")
        assert "is not known" in failure.message
        line = hint(failure, "yes: ")
        assert line == ["ssh", *(("-o", "BatchMode=no") if one.batch_mode else ()), "-p", "2222", "me@prod"]
    assert (len(asked.questions), len(batch.questions)) == (1, 0)


@pytest.mark.parametrize("strictness", ["yes", "true", "YES"])
def test_strict_checking_asks_nothing(hop: HopConfiguration, strictness: str) -> None:
    """With StrictHostKeyChecking an unknown key is refused."""
    failure = refusal(replace(hop, strict_host_key_checking=strictness, port=22), Answering())
    assert "StrictHostKeyChecking" in failure.message
    assert hint(failure, "yes: ") == ["ssh", "-o", "StrictHostKeyChecking=ask", "me@prod"]


def test_the_way_to_an_unknown_host_is_the_one_that_was_typed(hop: HopConfiguration) -> None:
    """The line that asks about the key carries the file and the jump hosts, quoted for a shell."""
    words = ("-J", "gate", "-p", "2222", "-F", "/my config", "prod")
    assert hint(refusal(replace(hop, way=words), Answering(None)), "yes: ") == ["ssh", *words]


@pytest.mark.parametrize(("strictness", "warnings"), [("accept-new", 0), ("no", 1), ("off", 1), ("false", 1)])
def test_a_new_key_can_be_accepted_unasked(hop: HopConfiguration, strictness: str, warnings: int) -> None:
    """accept-new adds a new key; so does no, with a warning that has its fingerprint."""
    person = Answering()
    added = check(replace(hop, strict_host_key_checking=strictness), person)
    assert added == f"[srv.example]:2222 {text(KEY)}\n"
    assert len(person.told) == 1 + warnings
    assert person.told[-1].startswith("Added ")
    assert all(fingerprint(KEY) in line for line in person.told[:-1])


def test_hash_known_hosts_is_honoured(hop: HopConfiguration) -> None:
    """With HashKnownHosts, the added line does not reveal the name, and is found again."""
    hop = replace(hop, hash_known_hosts=True)
    added = check(hop, Answering("yes")).rstrip()
    assert added.startswith("|1|")
    assert "srv" not in added
    assert not check(hop, Answering(), added)


def test_an_alias_stands_for_name_and_port(hop: HopConfiguration) -> None:
    """HostKeyAlias is the name that we look up and add."""
    assert known_as(hop) == ("srv.example", 2222)
    hop = replace(hop, host_key_alias="PROD-key")
    assert known_as(hop) == ("PROD-key", 22)
    assert check(hop, Answering("yes"), f"[srv.example]:2222 {text(OTHER)}") == f"prod-key {text(KEY)}\n"
    assert not check(hop, Answering(), f"prod-key {text(KEY)}")


@pytest.mark.parametrize("strictness", ["yes", "ask"])
def test_an_alias_is_named_where_its_key_is_not_known(hop: HopConfiguration, strictness: str) -> None:
    """Who looks for the host's own name in known_hosts would look in vain."""
    hop = replace(hop, host_key_alias="prod", strict_host_key_checking=strictness)
    person = Answering()
    with pytest.raises(HostKeyFailure) as failure:
        verify(
            KnownHosts([("file", f"[srv.example]:2222 {text(KEY)}".encode())]),
            hop,
            "ssh-ed25519",
            KEY,
            person=person.person,
        )
    assert "is not known under its HostKeyAlias 'prod', and " in failure.value.message
    shown = [line for question in person.questions for line in question.above]
    assert [line for line in shown if "alias" in line.lower()] == (
        ["Its HostKeyAlias, 'prod', is not known."] if strictness == "ask" else []
    )


@pytest.mark.parametrize("strictness", STRICTNESS)
def test_a_known_hosts_command_matters_only_for_a_key_in_no_file(
    hop: HopConfiguration, strictness: str
) -> None:
    """It is not run: with the key in a file the login goes on, and otherwise nobody is asked."""
    hop = replace(hop, known_hosts_command=True, strict_host_key_checking=strictness)
    assert not check(hop, Answering(), f"[srv.example]:2222 {text(KEY)}")
    person = Answering("yes")
    with pytest.raises(HostKeyFailure, match="does not run KnownHostsCommand, which may know it") as failure:
        check(hop, person)
    assert "under [srv.example]:2222" in failure.value.hint
    assert not person.questions
    for line in (f"[srv.example]:2222 {text(OTHER)}", f"@cert-authority [srv.example]:2222 {text(OTHER)}"):
        with pytest.raises(HostKeyFailure, match="does not run KnownHostsCommand"):
            check(hop, Answering(), line)


def test_a_key_that_cannot_be_written_down_is_good_for_once(hop: HopConfiguration, tmp_path: Path) -> None:
    """As with ssh, a file that cannot be written is only a warning."""
    unknown = KnownHosts([])
    for broken in (
        replace(hop, user_known_hosts_files=(str(tmp_path),)),
        replace(hop, host_key_alias="a,b"),
    ):
        person = Answering("yes")
        verify(unknown, broken, "ssh-ed25519", KEY, person=person.person)
        assert len(person.told) == 1
        assert "could not be added" in person.told[0]


@pytest.mark.parametrize("strictness", STRICTNESS)
def test_without_a_file_nobody_new_is_trusted(hop: HopConfiguration, strictness: str) -> None:
    """As with ssh, UserKnownHostsFile none leaves only the keys in the machine's own files."""
    hop = replace(hop, user_known_hosts_files=(), strict_host_key_checking=strictness)
    person = Answering()
    with pytest.raises(HostKeyFailure, match="is not known, and UserKnownHostsFile is none"):
        verify(KnownHosts([]), hop, "ssh-ed25519", KEY, person=person.person)
    known = KnownHosts([("global", f"srv.example {text(KEY)}".encode())])
    verify(known, hop, "ssh-ed25519", KEY, person=person.person)
    assert (person.questions, person.told) == ([], [])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/null")
def test_dev_null_remembers_nothing(hop: HopConfiguration) -> None:
    """UserKnownHostsFile /dev/null is read and written without complaint."""
    hop = replace(hop, user_known_hosts_files=("/dev/null",), strict_host_key_checking="accept-new")
    person = Answering()
    known = KnownHosts.read(hop.user_known_hosts_files, ())
    verify(known, hop, "ssh-ed25519", KEY, person=person.person)
    assert person.told == ["Added '[srv.example]:2222' (ED25519) to /dev/null."]


def test_the_address_may_contradict_the_name(hop: HopConfiguration) -> None:
    """CheckHostIP: as with ssh, we refuse if checking is strict, ask by default, and otherwise warn."""
    lines = (f"[srv.example]:2222 {text(KEY)}", f"[192.0.2.7]:2222 {text(OTHER)}")
    assert check(hop, Answering(), *lines, address="192.0.2.7") == ""
    checking = replace(hop, check_host_ip=True)
    assert check(checking, Answering(), lines[0], address="192.0.2.7") == ""
    here = f"[127.0.0.1]:2222 {text(OTHER)}"
    assert check(checking, Answering(), lines[0], here, address="127.0.0.1") == ""
    person = Answering("yes")
    assert check(checking, person, *lines, address="192.0.2.7") == ""
    assert "differs from that of its address 192.0.2.7 in " in person.questions[0].above[0]
    warned = Answering()
    check(replace(checking, strict_host_key_checking="no"), warned, *lines, address="192.0.2.7")
    assert "differs from that of its address" in warned.told[0]
    for strictness, answers in (("yes", ()), ("ask", ("no",)), ("ask", (None,))):
        strict = replace(checking, strict_host_key_checking=strictness)
        for one in (strict, replace(strict, host_key_alias="srv.example")):
            known = lines if one is strict else (f"srv.example {text(KEY)}", lines[1])
            with pytest.raises(HostKeyFailure) as refused:
                check(one, Answering(*answers), *known, address="192.0.2.7")
            expected = ["ssh-keygen", "-R", "[192.0.2.7]:2222", "-f", hop.user_known_hosts_files[0]]
            assert hint(refused.value, "old key: ") == expected


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_this_machine_needs_no_key_that_is_known(hop: HopConfiguration, tmp_path: Path, address: str) -> None:
    """NoHostAuthenticationForLocalhost skips known_hosts, as with ssh, but not RevokedHostKeys or sizes."""
    here, lines = replace(hop, no_host_authentication_for_localhost=True), [f"@revoked * {text(KEY)}"]
    assert check(here, Answering(), *lines, address=address) == ""
    with pytest.raises(HostKeyFailure, match="revoked"):
        check(here, Answering(), *lines, address="192.0.2.7")
    with pytest.raises(HostKeyFailure, match="revoked"):
        check(here, Answering(), *lines)  # behind a jump host or a ProxyCommand its address is unknown
    with pytest.raises(HostKeyFailure, match="revoked"):
        check(replace(here, host_key_alias="here"), Answering(), *lines, address=address)
    (tmp_path / "revoked").write_text(text(KEY))
    with pytest.raises(HostKeyFailure, match=r"revoked: .*, by"):
        check(replace(here, revoked_host_keys=str(tmp_path / "revoked")), Answering(), address=address)
    rsa = replace(here, required_rsa_size=2048)
    with pytest.raises(HostKeyFailure, match="has 1024 bits, which RequiredRSASize forbids"):
        verify(
            KnownHosts([]),
            rsa,
            "ssh-rsa",
            SMALL,
            address=address,
            person=Answering().person,
        )
