"""What is a user code, and what only looks like one."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.codes import announces_code, code_alone, codes_in, is_user_code


@pytest.mark.parametrize(
    "code", ["ABCD-EFGH", "ABCD-EFGHI", "ABC-DEF-GHI", "019-450-730", "A1B2C3D4E", "WDJBMJHT", "WDJB-MJHT"]
)
def test_a_user_code(code: str) -> None:
    """It is made to be typed: in groups, letters among digits, or letters that make no word."""
    assert is_user_code(code)


@pytest.mark.parametrize(
    "text",
    [
        "PRIVATE",
        "1234",
        "123456",
        "404",
        "UTF-8",
        "E404",
        "ENOENT",
        "SIGTERM",
        "ABCD-" * 3 + "ABCD",
        "abcd-efgh",
    ],
)
def test_no_user_code(text: str) -> None:
    """Neither is a word in capitals, a number (a person is sent those), the name of an error, or a key."""
    assert not is_user_code(text)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("First copy your one-time code: ABCD-EFGH", "ABCD-EFGH"),
        ("enter the code A1B2C3D4E to authenticate.", "A1B2C3D4E"),
        ("Your code is ABCD-EFGH.", "ABCD-EFGH"),
        ('Enter the code "ABCD-EFGH" there', "ABCD-EFGH"),
        ("Code (expires in 15 minutes): ABCD-EFGH", "ABCD-EFGH"),
        ("CODE:    ABCD-EFGH", "ABCD-EFGH"),
    ],
)
def test_a_code_in_a_line(line: str, code: str) -> None:
    """It follows the word, or the colon that ends what is said of it."""
    assert [found for _, found in codes_in(line)] == [code]
    assert not announces_code(line)


@pytest.mark.parametrize(
    "line",
    [
        "exit code 1234",
        "HTTP code 404",
        "npm ERR! code E401ABCD",
        "error code: ABCD-EFGH",
        "The process ended with exit code: A1B2C3",
        "The code is LOUD",
        "code: PRIVATE",
        "Verification code: 123456",
        "codes: ABCD-EFGH",
        "decode ABCD-EFGH",
        "Scan the QR code ABCD-EFGH",
        "code: ABCD-EFGH_1",
    ],
)
def test_no_code_in_a_line(line: str) -> None:
    """Other codes are none, and neither is what cannot be one."""
    assert list(codes_in(line)) == []


def test_a_code_that_may_go_on() -> None:
    """In a line that has not ended, the last word is not known yet."""
    assert list(codes_in("code: ABCD-EFGH", finished=False)) == []
    assert list(codes_in("code: ABCD-EFGH ", finished=False)) == [(6, "ABCD-EFGH")]


def test_a_code_on_the_next_line() -> None:
    """A line that says *code* without one announces it; then it is all that the next line says."""
    assert announces_code("2. Enter this one-time code (expires in 15 minutes)")
    assert announces_code("Then enter the code:")
    assert not announces_code("exit code")
    assert code_alone("   ABCD-EFGHI  ") == "ABCD-EFGHI"
    assert code_alone("ABCD-EFGH there") == code_alone("PRIVATE") == ""
