"""What a person may type as a destination or a jump host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.ssh.config.target import Hop, Target, parse_hop, parse_jumps, parse_target
from hermes_tunnel.text import plain


@pytest.mark.parametrize(
    ("typed", "hop"),
    [
        ("host", Hop(None, "host", None)),
        ("user@host", Hop("user", "host", None)),
        ("user@host:2222", Hop("user", "host", 2222)),
        ("host:65535", Hop(None, "host", 65535)),
        ("first@last@host", Hop("first@last", "host", None)),
        ("::1", Hop(None, "::1", None)),
        ("user@2001:db8::1", Hop("user", "2001:db8::1", None)),
        ("[2001:db8::1]:22", Hop(None, "2001:db8::1", 22)),
        ("user@[::1]:2022", Hop("user", "::1", 2022)),
        ("fe80::1%eth0", Hop(None, "fe80::1%eth0", None)),
        ("ssh://host", Hop(None, "host", None)),
        ("ssh://user@host:22/", Hop("user", "host", 22)),
        ("SSH://a%40b;fingerprint=x@[::1]:22", Hop("a@b", "::1", 22)),
        ("DOMAIN\\user@host", Hop("DOMAIN\\user", "host", None)),
        ("my_alias-1.example", Hop(None, "my_alias-1.example", None)),
    ],
)
def test_a_hop_is_what_ssh_understands(typed: str, hop: Hop) -> None:
    """A destination may have a user, a port, an IPv6 address, or the form of a URI."""
    assert parse_hop(typed) == hop


@pytest.mark.parametrize("typed", ["host", "user@host:2222", "[2001:db8::1]:22", "::1", "u@::1"])
def test_a_hop_is_given_back_as_it_was_typed(typed: str) -> None:
    """A hop that is shown reads as the person wrote it."""
    assert str(parse_hop(typed)) == typed


@pytest.mark.parametrize(
    "typed",
    [
        "-oProxyCommand=touch x", "", "@host", "user@", "a;b", "$(id)", "a`id`", "a\nb", "a\0b", "a\x1b[31m",
        "x" * 300, "a b", "a|b", "a&b", "a,b", "a'b", 'a"b', "a\\b", "host/path", "\u202ehost", "[host]:22",
        "a[b]", "[::1", "[::1]x",
    ],
)  # fmt: skip
def test_a_host_that_could_be_an_option_or_a_command_is_refused(typed: str) -> None:
    """What OpenSSH would not take as a host name is refused before ssh sees it, and shown escaped."""
    with pytest.raises(UsageFailure) as refusal:
        parse_hop(typed)
    assert refusal.value.hint
    assert plain(refusal.value.message) == refusal.value.message


@pytest.mark.parametrize(
    "user", ["a;b", "-l", "a -l", "a\x1bb", "a'b", "a|b", "a\\", "", "a\nb", "$(x)", "u" * 300]
)
def test_a_user_that_could_be_an_option_or_a_command_is_refused(user: str) -> None:
    """What OpenSSH would not take as a user name is refused, in the destination and in -l."""
    with pytest.raises(UsageFailure, match="invalid user"):
        parse_hop(f"{user}@host")
    with pytest.raises(UsageFailure, match="invalid user"):
        parse_target("host", user=user)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("http://host", "invalid host 'http://host': that is the address of something other than ssh"),
        ("[::1", r"invalid host '\[::1': its brackets do not enclose an address"),
        ("u@[::1]x", "its brackets do not enclose an address"),
    ],
)
def test_what_is_wrong_with_a_destination_is_named(typed: str, words: str) -> None:
    """The error is about the destination as typed, not about a part of it."""
    with pytest.raises(UsageFailure, match=words):
        parse_hop(typed)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "", "22x", "1e3", "٢٢", "999999999999"])
def test_a_port_is_a_number_from_1_to_65535(port: str) -> None:
    """Any other port is refused, and the destination named."""
    with pytest.raises(UsageFailure, match="invalid port"):
        parse_hop(f"host:{port}")


def test_options_win_over_the_destination() -> None:
    """-l and -p win over USER@ and :PORT, as with ssh."""
    assert parse_target("a@host:1", user="b", port=2).destination == Hop("b", "host", 2)
    with pytest.raises(UsageFailure, match="invalid port '70000'"):
        parse_target("host", port=70000)


def test_jump_hosts_are_lists_that_add_up() -> None:
    """-J takes a list with commas and may be given again; without it ssh_config decides."""
    hops = (Hop("u", "a", 2222), Hop(None, "::1", 22), Hop(None, "c", None))
    assert parse_target("host", ["u@a:2222,[::1]:22", "c"]) == Target(Hop(None, "host", None), hops)
    assert parse_target("host").jumps is None


def test_none_means_no_jump_host() -> None:
    """``-J none`` overrides what ssh_config has."""
    assert parse_target("host", ["none"]).jumps == ()


@pytest.mark.parametrize("jumps", ["a,,b", "", "a,-b", "a,"])
def test_an_impossible_jump_host_is_refused(jumps: str) -> None:
    """Each entry of -J is judged as a destination is."""
    with pytest.raises(UsageFailure):
        parse_jumps(jumps)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_hop_or_refused_in_clean_words(text: str) -> None:
    """No input raises anything but a refusal, and no refusal carries a control character."""
    try:
        hop = parse_hop(text)
    except UsageFailure as refusal:
        assert plain(refusal.message) == refusal.message  # noqa: PT017
    else:
        assert not hop.host.startswith("-")
        assert parse_hop(str(hop)) == hop or text.lower().startswith("ssh://")
