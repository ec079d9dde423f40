"""ssh_config(5) when there is no ssh program to ask: read here, as far as possible.

What only ssh understands, and what ssh would not accept, is refused: it must not silently decide where a
login goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hermes_tunnel.errors import ConfigurationFailure, UsageFailure
from hermes_tunnel.ssh.config.patterns import in_list
from hermes_tunnel.ssh.config.target import parse_jumps
from hermes_tunnel.ssh.config.tokens import local_user
from hermes_tunnel.ssh.config.vocabulary import IGNORED, unheard_of
from hermes_tunnel.text import plain, quote

_OTHER_NAMES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "tisauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
    "identityfile2": "identityfile",
    "keepalive": "tcpkeepalive",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "smartcarddevice": "pkcs11provider",
}
_OF_OLD = frozenset(
    """
    AFSTokenPassing Cipher CompressionLevel FallBackToRsh GlobalKnownHostsFile2 KerberosAuthentication
    KerberosTgtPassing Protocol RhostsAuthentication RhostsRSAAuthentication RSAAuthentication
    UsePrivilegedPort UserKnownHostsFile2 UseRoaming UseRsh
    """.lower().split()
)
"""Still accepted, but without effect."""
_EACH_COUNTS = ("identityfile", "certificatefile", "sendenv")
_ONE_OF_THEM = ("proxycommand", "proxyjump")
_WHOLE_LINES = ("proxycommand", "knownhostscommand", "proxyjump", "remotecommand")
_LISTS = (
    "sendenv",
    "userknownhostsfile",
    "globalknownhostsfile",
    "canonicaldomains",
    "canonicalizepermittedcnames",
)
_YES_OR_NO = "yes|no|true|false"
# No more digits than ssh understands.
_TIME = "none|[0-9]{1,9}([smhdw][0-9]{1,9})*[smhdw]?"
_FLAGS = """
    BatchMode CheckHostIP GSSAPIAuthentication GSSAPIDelegateCredentials HashKnownHosts
    HostbasedAuthentication IdentitiesOnly KbdInteractiveAuthentication NoHostAuthenticationForLocalhost
    PasswordAuthentication ProxyUseFdpass TCPKeepAlive
    """.lower().split()
_FORMS = {
    **dict.fromkeys(_FLAGS, _YES_OR_NO),
    "addressfamily": "any|inet|inet6",
    "canonicalizehostname": "no|false",
    "escapechar": r"none|.|\^[@-_a-z]",
    "requesttty": f"{_YES_OR_NO}|force|auto",
    "connectionattempts": "[1-9][0-9]{0,8}",
    "connecttimeout": _TIME,
    # Every Match looks at the one, every unknown keyword at the other: keep them short.
    "hostname": ".{1,1024}",
    "ignoreunknown": ".{1,1024}",
    "numberofpasswordprompts": "[0-9]{1,9}",
    "port": "0{0,9}[1-9][0-9]{0,4}",
    "pubkeyauthentication": f"{_YES_OR_NO}|unbound|host-bound",
    "requiredrsasize": "[0-9]{1,9}",
    "serveralivecountmax": "[0-9]{1,9}",
    "serveraliveinterval": _TIME,
    "stricthostkeychecking": f"{_YES_OR_NO}|off|ask|accept-new",
}
_VALUES = {keyword: re.compile(form, re.IGNORECASE | re.ASCII) for keyword, form in _FORMS.items()}
_CANONICAL = [("canonicalizehostname", value) for value in ("yes", "true", "always")]
_TIMES = ("connecttimeout", "serveraliveinterval")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TIME_PART = re.compile("([0-9]+)([smhdw]?)")
_BLANKS = " \t\r\n\f\v"
_PLAIN = r"""(?:[^\s"'\\]|\\(?![\\"' ]))"""
_WORD = re.compile(rf"""\s*(?:"((?:{_PLAIN}|[ \t'])*)"|((?![#]){_PLAIN}+))(?=\s|$)|\s*(?:#.*)?$""", re.ASCII)
_KEYWORD = re.compile(r"([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)", re.ASCII | re.DOTALL)
_NO_BLANKS = re.compile(r"\S+", re.ASCII)
_TOKEN = re.compile("%[%h]")
_NEEDS_SSH = "install OpenSSH's client, or name another file with -F"


class Reading:
    """What some files and options say of a host; the first value of each keyword counts.

    :param host: as typed
    :param values: what is already known of it
    """

    def __init__(self, host: str, values: Mapping[str, str]) -> None:
        self._host = host
        self._values = {keyword: [value] for keyword, value in values.items()}

    def add(self, place: str, lines: Sequence[str], *, blocks: bool = True) -> None:
        """Read more lines.

        :param place: where they come from, for errors
        :param blocks: whether Host and Match are allowed
        :raises ConfigurationFailure: a line cannot be read here, or ssh would not accept it
        """
        self._applies, self._blocks = True, blocks
        for number, line in enumerate(lines, 1):
            stripped = line.strip(_BLANKS)
            if stripped and not stripped.startswith("#"):
                self._place = f"{plain(place)}:{number}"
                self._line(stripped)

    def result(self) -> dict[str, list[str]]:
        """The keywords in lower case, each with its values."""
        values = {keyword: list(dict.fromkeys(said)) for keyword, said in self._values.items()}
        values["hostname"] = [self._hostname()]
        return values

    def _line(self, line: str) -> None:
        found = _KEYWORD.fullmatch(line)
        if not found:
            raise self._needs_ssh(line)
        name, rest = found.groups()
        keyword = _OTHER_NAMES.get(name.lower(), name.lower())
        if keyword in ("host", "match") and not self._blocks:
            raise self._wrong(f"{plain(name)} is not an option")
        if keyword == "host":
            self._applies = in_list(self._words(name, rest), self._host)
        elif keyword == "match":
            self._applies = self._does_match(rest)
        elif keyword == "include" or (keyword, rest.lower()) in _CANONICAL:
            raise self._needs_ssh(name)
        elif keyword in _OF_OLD:
            return
        elif keyword in IGNORED:
            if self._applies:  # a run tells of some of them
                self._values.setdefault(keyword, [rest])
        elif unheard_of([keyword]):
            ignored = self._values.get("ignoreunknown", [""])[0].lower()
            if not in_list(ignored.split(","), keyword):
                raise self._wrong(f"bad configuration option {quote(name)}")
        else:
            self._value(keyword, name, rest)

    def _value(self, keyword: str, name: str, rest: str) -> None:
        if keyword in _WHOLE_LINES:
            value = rest.lstrip(f"{_BLANKS}=")
            value = value.partition("#")[0].rstrip() if keyword == "proxyjump" else value
        else:
            words = self._words(name, rest)
            if keyword == "setenv":
                self._set_environment(name, words)
                return
            alone = keyword not in _LISTS or any(word.lower() == "none" for word in words)
            if len(words) > 1 and alone:
                raise self._wrong(f"{plain(name)} has more than one value")
            value = " ".join(words)
        if not value or not self._is_possible(keyword, value):
            raise self._wrong(f"{plain(name)} cannot be {quote(value)}")
        # To ssh, a time of none is not set: the next one counts.
        if not self._applies or (keyword in _TIMES and value.lower() == "none"):
            return
        if keyword in _TIMES:
            parts = _TIME_PART.findall(value.lower())
            value = str(sum(int(number) * _SECONDS[unit] for number, unit in parts))
        if keyword in _EACH_COUNTS:
            self._values.setdefault(keyword, []).append(value)
        elif keyword not in _ONE_OF_THEM or not any(each in self._values for each in _ONE_OF_THEM):
            # Whichever of the two comes first counts.
            self._values.setdefault(keyword, [value])
        elif keyword == "proxycommand" and self._values.get("proxyjump", [""])[0].lower() == "none":
            # Before ssh 10.3 it did not count after "ProxyJump none"; since then it does.
            raise self._needs_ssh(f"{name} behind ProxyJump none")

    def _set_environment(self, name: str, words: Sequence[str]) -> None:
        """The first line counts, with all its variables."""
        if not all("=" in word for word in words):
            raise self._wrong(f"{plain(name)} needs NAME=VALUE")
        if self._applies:
            self._values.setdefault("setenv", list(words))

    def _is_possible(self, keyword: str, value: str) -> bool:
        if keyword == "proxyjump":
            try:
                parse_jumps(value)
            except UsageFailure:
                return False
        if keyword in _VALUES and not _VALUES[keyword].fullmatch(value):
            return False
        return keyword != "port" or int(value) < 65536

    def _words(self, name: str, text: str) -> list[str]:
        """The words of a line up to its end or a comment, without their quotes."""
        words, position = [], 0
        while position < len(text):
            found = _WORD.match(text, position)
            if not found:
                raise self._needs_ssh(name)
            words += [word for word in found.groups() if word is not None]
            position = found.end()
        if not words or not all(words):
            raise self._wrong(f"{plain(name)} has no value")
        return words

    def _does_match(self, text: str) -> bool:
        words = _NO_BLANKS.findall(text)
        if [word.lower() for word in words] == ["all"]:
            return True
        names, lists = words[::2], words[1::2]
        facts = {
            "host": self._hostname().lower(),
            "originalhost": self._host.lower(),
            "user": self._values.get("user", [""])[0] or local_user(),
            "localuser": local_user(),
        }
        if len(names) != len(lists) or {*text} & {*"\"'\\#="} or not {n.lower() for n in names} <= {*facts}:
            raise self._needs_ssh("Match")
        # Only host names ignore case.
        return all(
            in_list((each.lower() if "host" in name.lower() else each).split(","), facts[name.lower()])
            for name, each in zip(names, lists, strict=True)
        )

    def _hostname(self) -> str:
        """In lower case, as in ssh, unless it is not a name."""
        text = self._values.get("hostname", ["%h"])[0]
        if "%" in _TOKEN.sub("", text):
            raise self._wrong(f"Hostname cannot be {quote(text)}")
        name = _TOKEN.sub(lambda token: "%" if token[0] == "%%" else self._host, text)
        return name if "%" in name or ":" in name else name.lower()

    def _needs_ssh(self, what: str) -> ConfigurationFailure:
        return ConfigurationFailure(
            f"{self._place}: {plain(what)} needs the ssh program, which was not found", _NEEDS_SSH
        )

    def _wrong(self, what: str) -> ConfigurationFailure:
        return ConfigurationFailure(f"{self._place}: ssh would not accept it: {what}", "see ssh_config(5)")
