"""`run`: a login with each of nine programs of other people, in a session on the laptop's terminal."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.lab import programs
from tests.lab.chromium import Page
from tests.lab.lab import Lab
from tests.lab.logins import LOGINS, Done, Login, log_in
from tests.lab.network import wait_for
from tests.lab.terminal import Terminal
from tests.lab.tunnel import PROGRAM, left_nothing

BESIDE = 4
"""How many log in at a time: they mostly wait, for one another and for the providers."""

HERE = [
    login for login in LOGINS if login.program not in programs.HEAVY or not programs.missing([login.program])
]
ON_LOOPBACK = [login for login in HERE if login.port]
OPENS = {"codex", "firebase"}
"""Whose page opens by itself: they wait on loopback for an issuer that everybody knows."""

CODEX, GH = (next(one for one in LOGINS if one.name == name) for name in ("codex", "gh"))

every = pytest.mark.parametrize("login", HERE, ids=lambda login: login.name)
with_a_port = pytest.mark.parametrize("login", ON_LOOPBACK, ids=lambda login: login.name)


@dataclass(frozen=True)
class Session:
    """A login in a session that has ended: what the terminal showed, and where the browser came to rest."""

    done: Done
    output: str
    page: Page | None


Sessions = dict[str, "Future[Session]"]


@pytest.fixture(scope="module")
def installed() -> None:
    """The programs are there."""
    programs.install({login.program for login in HERE})


def log_in_here(
    lab: Lab,
    login: Login,
    *,
    host: str = "",
    approved: bool = True,
    before: Callable[[Terminal], None] | None = None,
) -> Session:
    """Log in through `run` in a new home directory there, as the person at the laptop.

    A page that does not open by itself, they open by its link.

    :param host: as the person names it
    :param before: what they do before that
    """
    lab.fresh_home(login.user)
    browser = lab.another_browser(f"browser-{login.name}")
    browser.make()
    environment = {**lab.environment, "BROWSER": str(browser.program), "TERM": "xterm-256color"}
    page: list[Page] = []

    def visit(address: str) -> str:
        if not login.port:
            return lab.visit(lab.network.laptop, address)
        if before is not None:
            before(terminal)
        if before is not None or login.name not in OPENS:
            page.append(browser.open(address, environment))
        return ""

    words = [PROGRAM, "run", host or login.user, "--", *login.command]
    with lab.terminal(words, columns=80, rows=24, env=environment) as terminal:
        done = log_in(terminal, login, visit, approved=approved)
        if login.port and not page:
            page.append(browser.page())
        return Session(done, terminal.output, page[0] if page else None)


def _side_by_side(
    lab: Lab, logins: list[Login], decision: str, one: Callable[[Login], Session]
) -> Iterator[Sessions]:
    """Log in with all of them, those of one account one after another; the sessions by name."""
    lab.identity("POST", "/reset")
    lab.identity("POST", "/decision", {"decision": decision})
    sessions: Sessions = {login.name: Future() for login in logins}

    def of_one_account(logins: list[Login]) -> None:
        for login in logins:
            try:
                sessions[login.name].set_result(one(login))
            except BaseException as error:  # the test of this login raises it
                sessions[login.name].set_exception(error)

    with ThreadPoolExecutor(BESIDE) as several:
        for _, same in groupby(logins, lambda login: login.user):
            several.submit(of_one_account, list(same))
    yield sessions
    left_nothing(lab)
    for process in lab.running(lab.network.hermes, *(f"/{login.program}" for login in logins)):
        wait_for(process, 5)


@pytest.fixture(scope="module")
def approved(lab: Lab, installed: None) -> Iterator[Sessions]:
    """A session of each program whose person said yes."""
    yield from _side_by_side(lab, HERE, "redirect", partial(log_in_here, lab))


@pytest.fixture(scope="module")
def denied(lab: Lab, installed: None) -> Iterator[Sessions]:
    """A session of each program whose person said no."""
    yield from _side_by_side(lab, HERE, "deny", partial(log_in_here, lab, approved=False))


@pytest.fixture(scope="module")
def taken_there(lab: Lab, installed: None) -> Iterator[Sessions]:
    """A session of each program with a port that something else has on its own machine."""

    def one(login: Login) -> Session:
        occupy = partial(socket.create_server, ("127.0.0.1", login.port))
        with lab.network.hermes.call(occupy):
            return log_in_here(lab, login)

    yield from _side_by_side(lab, ON_LOOPBACK, "redirect", one)


@pytest.fixture(scope="module")
def taken_here(lab: Lab, installed: None) -> Iterator[Sessions]:
    """A session of each program with a port that something else has on the laptop, until it is ended."""

    def one(login: Login) -> Session:
        def end_it(terminal: Terminal) -> None:
            terminal.expect(rf"~k\s+{login.port}\s+ends\s+it", 30)
            terminal.send(f"~k {login.port}\r")
            terminal.expect(rf"port\s+{login.port}\s+is\s+ready", 30)

        occupant = lab.laptop(["nc.openbsd", "-lk", "127.0.0.1", str(login.port)], stdin=subprocess.DEVNULL)
        try:
            return log_in_here(lab, login, before=end_it)
        finally:
            occupant.kill()
            occupant.wait()

    yield from _side_by_side(lab, ON_LOOPBACK, "redirect", one)


def stored(lab: Lab, login: Login) -> bool:
    """Whether the program has its credential there."""
    words = f"grep -qaE '{login.credential}' {login.stored} && echo stored || :"
    return lab.remote(login.user, words) == "stored\n"


@every
def test_a_login_succeeds(approved: Sessions, lab: Lab, login: Login) -> None:
    """The program says so and stores its credential; the session ends with it, and with its status."""
    session = approved[login.name].result()
    assert session.done.status == 0, session.output
    assert stored(lab, login)


@with_a_port
def test_the_browser_ends_on_our_page(approved: Sessions, login: Login) -> None:
    """It is sent to the laptop, where the page says that the person can go back to their terminal."""
    page = approved[login.name].result().page
    assert page is not None
    assert page.title == "Back to your terminal"


@every
def test_a_login_that_is_denied_fails(denied: Sessions, lab: Lab, login: Login) -> None:
    """The session ends with the program's own status, or as the person ends it; nothing is stored."""
    session = denied[login.name].result()
    assert session.done.status == login.denied, session.output
    assert not stored(lab, login)


@with_a_port
def test_a_port_that_is_taken_there(taken_there: Sessions, lab: Lab, login: Login) -> None:
    """The program moves to another port, and the way back with it."""
    session = taken_there[login.name].result()
    assert session.done.status == 0, session.output
    redirect = dict(parse_qsl(urlsplit(session.done.page).query))["redirect_uri"]
    assert re.fullmatch(login.next_port, str(urlsplit(redirect).port))
    assert stored(lab, login)


@with_a_port
def test_a_port_that_is_taken_here(taken_here: Sessions, lab: Lab, login: Login) -> None:
    """The person is told by whom, ends that with ~k, and opens the page by its link."""
    session = taken_here[login.name].result()
    assert session.done.status == 0, session.output
    assert re.search(rf"local port {login.port} is taken by .*nc", " ".join(session.output.split()))
    assert stored(lab, login)


@pytest.fixture
def fresh(lab: Lab, installed: None) -> None:
    """Providers that know nothing."""
    lab.identity("POST", "/reset")


def test_through_a_jump_host(fresh: None, lab: Lab) -> None:
    """The way back goes through it too."""
    session = log_in_here(lab, CODEX, host=f"inner-{CODEX.user}")
    assert session.done.status == 0, session.output
    assert stored(lab, CODEX)
    left_nothing(lab)


@pytest.mark.parametrize("option", [[], ["--browser-here"]])
def test_a_page_that_the_person_lists_and_opens(fresh: None, lab: Lab, option: list[str]) -> None:
    """~l lists the pages; ~o opens one of them, and the program goes on undisturbed.

    With --browser-here, the program believes that it has opened the page; without, it says that it could not.
    """
    lab.fresh_home(GH.user)

    def visit(_: str) -> str:
        terminal.send("~l")
        number = terminal.expect(r"^ *(\d+)  github\.com", 60)[1]
        terminal.send(f"~o {number}\r")
        terminal.expect("has opened in your browser", 60)
        assert lab.page().title == "GitHub: connect a device"
        (code,) = set(re.findall(r"[A-Z]{4}-[A-Z]{4}", terminal.output))
        return lab.visit(lab.network.laptop, f"https://github.com/login/device?user_code={code}")

    # The page that is handed over is not seen on the terminal.
    login = replace(GH, page=r"to open github\.com") if option else GH
    with lab.terminal([PROGRAM, "run", *option, GH.user, "--", *GH.command]) as terminal:
        done = log_in(terminal, login, visit)
    assert done.status == 0, terminal.output
    assert ("Failed opening a web browser" in terminal.output) is not bool(option)
    assert stored(lab, GH)
    left_nothing(lab)


@pytest.mark.parametrize("user", ["h018", "h019"])
def test_hermes_typed_in_a_shell(fresh: None, lab: Lab, user: str) -> None:
    """Its own login works there as any program's does, and the shell goes on."""
    lab.fresh_home(user)
    with lab.terminal([PROGRAM, "run", user]) as shell:
        shell.expect(r"\$ ", 60)
        shell.send("hermes auth add xai-oauth --no-browser\r")
        if user == "h019":  # a device login
            lab.visit(lab.network.laptop, shell.expect(r"https://accounts\.x\.ai/\S+user_code=[\w-]+", 60)[0])
        shell.expect("(Saved|Added) xai-oauth", 60)
        shell.send("exit\r")
        assert shell.wait() == 0
        if user == "h018":
            assert lab.page().title == "Back to your terminal"
    assert "refresh_token" in lab.remote(user, "cat .hermes/auth.json")
    left_nothing(lab)
