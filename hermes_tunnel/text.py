"""Making text from elsewhere safe to show: no escape sequences, no secrets.

One place serves every sink (terminal, JSON, log, error), because a remote machine may print anything:
escape sequences that rewrite the screen or the clipboard (ECMA-48, OSC 52), bidirectional overrides
that reorder a host name, or the very codes this program must keep to itself.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

HIDDEN = "[hidden]"
_INDENT = "  "

# ECMA-48 5.3-5.6: a string (DCS, SOS, OSC, PM, APC) runs to ST or BEL, or to the end of the text if
# nothing ends it; CSI is parameters, intermediates, one final byte; the rest is ESC, intermediates, final.
# An alternative that begins with one character or class is looked for twice as fast as one that does not.
_STRING, _CSI = r".*?(?:\x1b\\|\x9c|\x07|\Z)", r"[0-?]*[ -/]*[@-~]?"
_ESCAPES = re.compile(
    rf"\x1b(?:\[{_CSI}|[PX\]^_]{_STRING}|[ -/]*[0-~]?)|\x9b{_CSI}|[\x90\x98\x9d-\x9f]{_STRING}", re.DOTALL
)
# C0 (except tab), DEL, C1, line and paragraph separators, and the invisible characters that reorder or
# hide text (Unicode TR 9 and TR 36): bidi embeddings, overrides and isolates, zero-width, BOM, tags.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
# Blanks other than a space: lines do not break there, so the text after one could start a line unmarked.
_BLANKS = re.compile("[\t\u00a0\u115f\u1160\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0]")
_TO_CHANGE = re.compile(f"{_INVISIBLE.pattern}|{_BLANKS.pattern}")
NOT_BLANK = re.compile(r"\S")
_RUNS = re.compile(r"( |[^\w\s]|_)\1{7,}")
# What is secret by its nature. A ``code_challenge`` (RFC 7636) and a ``nonce`` (OpenID Connect) are not,
# and a page cannot be opened without them.
_PARAMETERS = (
    "access_token|refresh_token|id_token|client_secret|authorization_code|code_verifier"
    "|device_code|code|token|assertion|password|passphrase|api_key|oauth_verifier|session_secret|jwt"
)
_FIRST_LETTERS = "".join(sorted({name[0] for name in _PARAMETERS.split("|")}))
_HIDDEN_PARAMETER = rf"(?=[{_FIRST_LETTERS}s])(?:{_PARAMETERS}|state)"  # saves trying every name everywhere
_VALUE = r"(?!(?:\[hidden\]|[.\u2026]+`*)(?:[\s&\"'#,;)}\]]|\Z))[^\s&\"'#,;)}\]]+"  # dots stand for a value
# In a query (k=v, also percent-encoded inside another URL) ...
_IN_A_QUERY = re.compile(
    rf"(?i)(?:(?<![A-Za-z_])|(?<=%3F))((?=[{_FIRST_LETTERS}])(?:{_PARAMETERS})(?:=|%(?:25)?3D)){_VALUE}"
)
_STATE_IN_A_QUERY = re.compile(rf"(?i)(?:(?<![A-Za-z_])|(?<=%3F))(state(?:=|%(?:25)?3D)){_VALUE}")
_HTTPS_ADDRESS = re.compile(r"(?i)\bhttps://[^\s<>\"'`]+")
# ... in JSON or a Python dict ("k": "v"), as in tracebacks and error bodies, even nested in one another.
# This matches what precedes the value, up to its opening quote. An expression for the whole value would
# try every way to read its backslashes if no quote closed it ...
_IN_AN_OBJECT = re.compile(rf"(?i)([\"']){_HIDDEN_PARAMETER}\\*\1\s*:\s*(\\*)([\"'])")
_QUOTES = {quote: re.compile(rf"(?<!\\)(\\*){quote}") for quote in "\"'"}
# ... and in a header (RFC 6750 section 2.1).
_IN_A_HEADER = re.compile(r"(?i)\b(Bearer )[A-Za-z0-9\-._~+/]{8,}=*")
# What all of these have; most lines have none of it, and it is found in a tenth of the time.
_MAY_HIDE = re.compile("[=%\"']|(?i:bearer )")
_SECRET_PROMPT = re.compile(r"(?i)passw|passphrase|secret|token|\bkey\b|code|\bpaste\b|callback|redirect")


def asks_for_a_secret(prompt: str) -> bool:
    """Whether a prompt, in a program's or a server's words, asks for what no output may show."""
    return bool(_SECRET_PROMPT.search(prompt))


def plain(text: str) -> str:
    """One line without escape sequences, control or invisible characters; blanks become spaces.

    :param text: any single line (a line feed is a control character here)
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPES.sub("", text)
    return _BLANKS.sub(" ", _INVISIBLE.sub("", text)) if _TO_CHANGE.search(text) else text


def one_line(text: str) -> str:
    """All lines of a text joined into one, each made ``plain``."""
    return " ".join(filter(None, map(plain, text.splitlines())))


def redact(text: str, secrets: Iterable[str] = (), *, to_open: bool = True) -> str:
    """The text with ``secrets`` and the values of secret parameters hidden.

    A ``state`` (RFC 6749 section 10.12) is hidden too, unless it stands in an https address with nothing else
    to hide: such an address is there to be opened, and would be of no use without it.

    :param text: what is about to be shown or stored
    :param secrets: literal values known to be secret, such as an answer just given
    :param to_open: whether such an address may be opened from there; otherwise every ``state`` is hidden
    """
    # Longest first, as one may be part of another; sorted() copies, as another thread may add to them.
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, HIDDEN)
    if not _MAY_HIDE.search(text):
        return text
    text = _IN_A_QUERY.sub(rf"\1{HIDDEN}", _without_values_of_objects(text))
    text = _IN_A_HEADER.sub(rf"\1{HIDDEN}", text)
    return _without_state(text) if to_open else _STATE_IN_A_QUERY.sub(rf"\1{HIDDEN}", text)


def _without_state(text: str) -> str:
    to_open = [found.span() for found in _HTTPS_ADDRESS.finditer(text) if HIDDEN not in found[0]]
    ends = [end for _, end in to_open]

    def hidden(found: re.Match[str]) -> str:
        next_one = bisect_right(ends, found.start())
        opens = next_one < len(to_open) and to_open[next_one][0] <= found.start()
        return found[0] if opens else f"{found[1]}{HIDDEN}"

    return _STATE_IN_A_QUERY.sub(hidden, text)


def _without_values_of_objects(text: str) -> str:
    """The text with secret values in JSON and Python dicts hidden; one that no quote closes, to the end.

    Putting an object into a string doubles its backslashes and adds one before each quote. So if n
    backslashes and a quote open a value, each backslash in it is written as n + 1. Pairs of those escape
    one another; n more and the quote close the value.
    """
    shown, position = [], 0
    while found := _IN_AN_OBJECT.search(text, position):
        backslashes = len(found[2])
        shown += [text[position : found.start(2)], HIDDEN]
        quotes = _QUOTES[found[3]].finditer(text, found.end())
        ends = (each.end() for each in quotes if len(each[1]) % (2 * backslashes + 2) == backslashes)
        position = next(ends, len(text))
    return "".join((*shown, text[position:]))


def narrowed(text: str, columns: int) -> str:
    """The text with its long runs of one mark, or of spaces, shortened evenly until it fits, if it can.

    A command that draws a panel or a rule makes it as wide as its terminal, and ours is very wide.

    :param text: plain text
    """
    excess = (len(text) if text.isascii() else sum(map(columns_of, text))) - columns
    runs = [found.span() for found in _RUNS.finditer(text)] if excess > 0 else []
    spare = sum(end - begin - 1 for begin, end in runs)
    shown, position, seen, dropped = [], 0, 0, 0
    for begin, end in runs:
        seen += end - begin - 1
        until_here = round(seen * min(excess, spare) / spare)
        shown.append(text[position : end - (until_here - dropped)])
        position, dropped = end, until_here
    return "".join((*shown, text[position:]))


def wrapped(text: str, columns: int, *, cut: bool) -> list[str]:
    """The text in lines of at most ``columns``, broken between words.

    :param text: plain text
    :param cut: whether to cut a word that does not fit; if not, it stays whole and overruns the line
    """
    # The column after each character, as if all were one line: so each is measured once.
    behind = range(1, len(text) + 1) if text.isascii() else list(accumulate(map(columns_of, text)))
    lines, begin, word = [], 0, _word_from(text, 0)
    while (fits := bisect_right(behind, (behind[begin - 1] if begin else 0) + columns, begin)) < len(text):
        end = text.rfind(" ", word, fits + 1)
        if end < 0:
            end = max(fits, begin + 1) if cut else text.find(" ", fits)
        if end < 0:
            break
        lines.append(text[begin:end].rstrip())
        begin = word = _word_from(text, end)
    return [*lines, text[begin:]] if text[begin:] or not lines else lines


def _word_from(text: str, position: int) -> int:
    found = NOT_BLANK.search(text, position)
    return found.start() if found else len(text)


def folded(text: str, columns: int) -> list[str]:
    """A sentence of ours that may quote a remote machine, folded to the window.

    Every line but the first is indented, so that a quotation can never pass for a line of ours.

    :param columns: the window's width; 0 if nothing wraps
    """
    if not columns:
        return [text]
    first, *others = wrapped(text, max(columns - len(_INDENT), 1), cut=True)
    return [first, *(f"{_INDENT}{line}" for line in others)]


def columns_of(character: str) -> int:
    """How many columns the character takes on a terminal (Unicode TR 11)."""
    if unicodedata.combining(character):
        return 0
    # Hexagrams are wide since Unicode 16, which not every Python knows; newer characters may be wide too.
    wide = unicodedata.east_asian_width(character) in "WF" or "\u4dc0" <= character <= "\u4dff"
    return 2 if wide or unicodedata.category(character) == "Cn" else 1


def quote(text: str, longest: int = 80) -> str:
    """What someone typed, safe to show in an error: control characters escaped, long input cut."""
    shown = text if len(text) <= longest else text[: longest - 3] + "..."
    return repr(shown) if plain(shown) != shown or not shown else f"'{shown}'"
