"""What ``--browser``, ``$BROWSER`` and each system mean by a browser."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hermes_tunnel.browser.commands import Command, check_command, commands
from hermes_tunnel.browser.machine import Machine
from hermes_tunnel.browser.names import GRAPHICAL, TEXT
from hermes_tunnel.errors import UsageFailure

URL = "https://auth.x.ai/a?b=$(c)&d=e"
SCREEN = {"DISPLAY": ":0"}
WSL = "6.6.87.2-microsoft-standard-WSL2"
RUNDLL32 = "rundll32.exe url.dll,FileProtocolHandler %s"


def machine(
    programs: str = "", platform: str = "linux", *, kernel: str = "", environment: Mapping[str, str] = SCREEN
) -> Machine:
    """A machine that has these programs on its PATH."""
    there = {name: f"/there/{name}" for name in programs.split()}
    return Machine(platform, environment, kernel, there.get)


def lines(text: str | None, where: Machine) -> list[str]:
    """The command lines to try; in brackets why one is not run."""
    return [" ".join(one.words) or f"[{one.problem}]" for one in commands(text, where)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("firefox", [["firefox", "%s"]]),
        ("firefox --private-window", [["firefox", "--private-window", "%s"]]),
        ("firefox --private-window &", [["firefox", "--private-window", "%s"]]),
        ("'my browser' -P 'at work'", [["my browser", "-P", "at work", "%s"]]),
        ("chromium --app=%s -x", [["chromium", "--app=%s", "-x"]]),
        ("a:b %s x:'c:d' --e", [["a", "%s"], ["b", "%s", "x"], ["c:d", "--e", "%s"]]),
        (" : a :: b:", [["a", "%s"], ["b", "%s"]]),
        ("flatpak run org.mozilla.firefox", [["flatpak", "run", "org.mozilla.firefox", "%s"]]),
        ("xterm -e w3m", [["xterm", "-e", "w3m", "%s"]]),
    ],
)
def test_grammar(text: str, expected: list[list[str]]) -> None:
    """Words and quotes, %s, several commands: the same in the option and in the variable."""
    where = machine("firefox")
    assert [list(one.words) for one in commands(text, where)] == expected
    variable = machine("firefox", environment={"BROWSER": text})
    assert list(commands(None, variable)) == list(commands(text, where))


def test_the_option_is_stronger_than_the_variable() -> None:
    """Where both are given."""
    assert lines("a", machine(environment={"BROWSER": "b"})) == ["a %s"]


@pytest.mark.parametrize("empty", ["", " ", ":", " : "])
def test_an_empty_variable_names_nothing(empty: str) -> None:
    """The system's browser opens."""
    assert lines(None, machine(platform="darwin", environment={"BROWSER": empty})) == ["open %s"]


def test_the_path_of_a_program_needs_no_quotes() -> None:
    """If the program is there, as Python's ``webbrowser`` reads it."""
    path = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    there = Machine("darwin", {}, "", {path: path}.get)
    assert [one.words for one in commands(path, there)] == [(path, "%s")]


def test_windows_has_another_separator_and_backslashes() -> None:
    r"""And a colon in each path."""
    found = commands(r'"C:\Program Files\x.exe" -p;C:\y.exe', machine(platform="win32"))
    assert [one.words for one in found] == [(r"C:\Program Files\x.exe", "-p", "%s"), (r"C:\y.exe", "%s")]


@pytest.mark.parametrize("text", ["none", "true", "/bin/true", "echo", "echo %s", ":;", "None"])
def test_nothing(text: str) -> None:
    """People have several ways to say that nothing is to open."""
    where = machine("true echo", "win32")
    assert [one.opens_nothing for one in commands(text, where)] == [True]
    assert [one.opens_nothing for one in commands("firefox", where)] == [False]


@pytest.mark.parametrize(
    ("programs", "text", "expected"),
    [
        ("firefox org.mozilla.firefox", "firefox -x", "firefox -x %s"),
        ("org.mozilla.firefox", "firefox -x", "org.mozilla.firefox -x %s"),
        ("com.google.Chrome", "chrome", "com.google.Chrome %s"),
        ("google-chrome", "chrome", "google-chrome %s"),
        ("", "chrome", "chrome %s"),
        ("firefox", "/opt/firefox", "/opt/firefox %s"),
    ],
)
def test_a_browser_has_several_names(programs: str, text: str, expected: str) -> None:
    """Whatever its package, snap or flatpak calls it, the usual name is enough; a path is that path."""
    assert lines(text, machine(programs)) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("firefox", "open -a Firefox %s"),
        ("Chrome", "open -a Google Chrome %s"),
        ("safari", "open -a safari %s"),
        ("firefox --private-window", "open -n -a Firefox --args --private-window %s"),
        ("open -a Arc", "open -a Arc %s"),
        ("./mine", "./mine %s"),
    ],
)
def test_applications_of_macos(text: str, expected: str) -> None:
    """They are not on PATH, and ``open`` finds them."""
    assert lines(text, machine("open", "darwin")) == [expected]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (machine(platform="win32", environment={}), [RUNDLL32]),
        (machine("open", "darwin", environment={}), ["open %s"]),
        (machine("wslview rundll32.exe", kernel=WSL, environment={}), ["wslview %s", RUNDLL32]),
        (machine("rundll32.exe xdg-open", kernel=WSL), [RUNDLL32, "xdg-open %s"]),
        (machine("xdg-open", kernel=WSL, environment={}), []),
        (machine("wslview xdg-open"), ["xdg-open %s"]),
        (
            machine("xdg-open org.mozilla.firefox chromium x-www-browser"),
            ["xdg-open %s", "x-www-browser %s", "org.mozilla.firefox %s", "chromium %s"],
        ),
        (machine("firefox", environment={"WAYLAND_DISPLAY": "wayland-0"}), ["firefox %s"]),
        (machine("firefox", "freebsd14"), ["firefox %s"]),
        (machine("xdg-open firefox w3m", environment={}), []),
        (machine(" ".join(TEXT)), []),
    ],
)
def test_of_the_system(where: Machine, expected: list[str]) -> None:
    """What opens a page in a window: without a display, where that needs none."""
    assert lines(None, where) == expected


def test_a_text_browser_behind_another_name_is_not_of_the_system() -> None:
    """Debian's alternatives are links."""
    there = {"x-www-browser": "/usr/bin/w3m", "firefox": "/usr/bin/firefox"}
    assert lines(None, Machine("linux", SCREEN, "", there.get)) == ["firefox %s"]


@pytest.mark.parametrize("name", sorted(TEXT))
def test_a_text_browser_never_gets_this_terminal(name: str) -> None:
    """A terminal window of its own, if there is one."""
    refused = ["[it is a text browser, and this terminal is taken]"]
    assert lines(name, machine(f"{name} xterm", environment={})) == refused
    assert lines(f"/usr/bin/{name} -x", machine()) == refused
    assert lines(name, machine(name, "darwin", environment={})) == refused
    assert lines(f"{name} -x", machine(f"{name} xterm")) == [f"xterm -e {name} -x %s"]


def test_a_launcher_looks_for_browsers_that_have_a_window() -> None:
    """Neither for text browsers, which it falls back to, nor for itself in ``$BROWSER``."""
    where = machine("xdg-open", environment={"BROWSER": "xdg-open", "DISPLAY": ":0", "A": "b"})
    (launcher,) = commands(None, where)
    assert launcher.environment(where) == {"DISPLAY": ":0", "A": "b", "BROWSER": ":".join(GRAPHICAL)}
    (other,) = commands("firefox", where)
    assert other.environment(where)["BROWSER"] == "xdg-open"


@pytest.mark.parametrize("start", ["start", "cmd /c start", 'cmd.exe /C start "" /b', 'start "" %s'])
def test_start_of_windows_needs_no_shell(start: str) -> None:
    """Its shell would read ``&`` in the address; what it starts is started."""
    for where in (machine(platform="win32"), machine("rundll32.exe cmd.exe", kernel=WSL)):
        assert lines(start, where) == [RUNDLL32]
        if "%s" not in start:
            assert lines(f"{start} x.exe --y", where) == ["x.exe --y %s"]
    assert lines("start", machine()) == ["start %s"]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("sh -c 'firefox %s'", "linux"),
        ("bash -lc 'firefox \"%s\"'", "darwin"),
        ("sh -c", "linux"),
        ("cmd /c x.exe", "win32"),
        ("powershell.exe -c Start-Process", "linux"),
        ("pwsh -c x", "darwin"),
        ("x.cmd", "win32"),
        (r"C:\x.BAT -y", "win32"),
    ],
)
def test_no_shell_reads_the_address(text: str, platform: str) -> None:
    """A remote machine wrote it."""
    assert lines(text, machine(platform=platform)) == [
        "[it would take the address for a part of its commands]"
    ]


def test_a_program_that_is_a_script_of_cmd_does_not_get_the_address_either() -> None:
    """Windows hands it to cmd.exe, whatever it is called."""
    (found,) = commands("firefox", Machine("win32", {}, "", {"firefox": r"C:\shims\firefox.CMD"}.get))
    assert found.problem


def test_a_shell_may_get_the_address_as_an_argument() -> None:
    """It is data there."""
    assert [one.words for one in commands("sh -c 'exec firefox \"$0\"'", machine())] == [
        ("sh", "-c", 'exec firefox "$0"', "%s")
    ]


def test_the_address_is_one_argument() -> None:
    """With every character that it has, but for the one that PowerShell would expand behind ``wslview``."""
    command = Command("x", ("x", "--app=%s", "%s"))
    assert command.arguments(URL, machine()) == ["x", f"--app={URL}", URL]
    escaped = URL.replace("$", "%24")
    assert command.arguments(URL, machine(kernel=WSL)) == ["x", f"--app={escaped}", escaped]


@pytest.mark.parametrize("text", ["", "  ", ":", "''", "&", "firefox 'a", 'x "', "a:b 'c"])
def test_check_command(text: str) -> None:
    """Anything but command lines is refused before anything starts."""
    with pytest.raises(UsageFailure, match="is not a command"):
        check_command(text, machine())


def test_a_bad_line_in_the_variable_is_told() -> None:
    """Where it stands, and the others count."""
    found = lines(None, machine(environment={"BROWSER": "a:b 'c"}))
    assert found == ["a %s", "[it is not a command (No closing quotation)]"]


def test_check_good_command() -> None:
    """A command line is accepted, installed or not."""
    check_command("firefox --new-window '%s':none", machine())
