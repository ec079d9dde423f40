"""The container's scripts in real shells, with an engine that runs here what it would run inside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from hermes_tunnel.deadlines import DELIVERY, RELAY_BEGIN
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.call import Call, begin_marker
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.remote.line import script
from hermes_tunnel.remote.typed import typed_line
from tests.remote.shells import LOGIN_SHELLS, SH, Account

if sys.platform == "win32":
    pytest.skip("runs scripts of sh", allow_module_level=True)

NONCE = "0123456789abcdef"
XAI = provider("xai-oauth")
CALL = Call(container="hermes")
ENGINE = """#!/bin/sh
echo "$0 $*" | sed "s|.*/system/||; s| sh -c .*| sh ...|" >>"$HOME/calls"
[ -z "$REFUSED" ] || { echo "permission denied while trying to connect" >&2; exit 1; }
for name in "$@"; do :; done
case $1 in
  container) [ "$name" = hermes ] && { echo "${RUNNING-true}"; exit; }
    echo "Error: No such container: $name" >&2; exit 1;;
  exec) shift
    while :; do case $1 in
      -i|-t|--privileged) shift;; -u) shift 2;; -e) export "$2"; shift 2;; *) break;;
    esac; done
    shift; exec "$@";;
esac
"""
SUDO = """#!/bin/sh
[ "$1" = -n ] || exit 1
shift; unset REFUSED; exec "$@"
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of this machine, without its engines and its sudo."""
    directory = tmp_path_factory.mktemp("tools")
    for folder in os.defpath.split(os.pathsep):
        for program in Path(folder).iterdir():
            if program.name not in ("docker", "podman", "sudo") and not (directory / program.name).exists():
                (directory / program.name).symlink_to(program)
    return directory


@pytest.fixture(params=LOGIN_SHELLS, ids=" ".join)
def account(tmp_path: Path, tools: Path, request: pytest.FixtureRequest) -> Account:
    """An account with each of the shells, which may use docker and has a container with a Hermes."""
    return contained(Account(tmp_path, request.param), tools)


def contained(account: Account, tools: Path, engine: str = "docker") -> Account:
    """Give the account an engine, and the container a Hermes with its home."""
    account.environment["PATH"] = f"{account.bin}:{tools}"
    account.install("system", ENGINE, engine)
    account.install(".local/bin")
    (account.home / ".hermes").mkdir()
    return account


def calls(account: Account) -> list[str]:
    """How the engine was called."""
    return (account.home / "calls").read_text().splitlines()


@pytest.mark.slow
def test_hermes_runs_in_the_container(account: Account) -> None:
    """It runs as the owner of its home, on a terminal, with its words and its exit status unchanged."""
    status, lines = account.run(CALL.login_line(XAI, NONCE, ["--label", "a=b"]))
    assert lines[0].startswith(f"{begin_marker(NONCE)}begin:")
    assert lines[3:-2] == [f"[{word}]" for word in (*XAI.words, "--label", "a=b")]
    assert status == 7
    owner, home = f"{os.getuid()}:{os.getgid()}", account.home / ".hermes"
    inspect, look, *both = calls(account)
    assert inspect == "docker container inspect -f {{.State.Running}} hermes"
    assert look == "docker exec hermes sh ..."
    privileged = "--privileged " if os.getuid() == 0 else ""
    assert sorted(both) == sorted(
        [
            f"docker exec -i -u {owner} -t -e HERMES_HOME={home} -e TERM=dumb -e HERMES_TUNNEL={NONCE} "
            "hermes sh ...",
            f"docker exec -i -u {owner} {privileged}hermes sh ...",
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", SH)
def test_any_sh(tmp_path: Path, tools: Path, name: str) -> None:
    """The scripts run under whatever is called ``sh`` there."""
    account = contained(Account(tmp_path, ["bash"], sh=name), tools, "podman")
    status, lines = account.run(CALL.login_line(XAI, NONCE))
    assert lines[0].startswith(f"{begin_marker(NONCE)}begin:")
    assert status == 7
    assert all(call.startswith("podman ") for call in calls(account))


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [False, True])
def test_what_a_person_typed_runs_in_the_container(account: Account, terminal: bool) -> None:
    """As the container's own user, with its words, the person's TERM, its standard error and its status."""
    account.install("system", "#!/bin/sh\nprintf '[%s]' \"$@\" $TERM; echo err >&2; exit 7\n", "program")
    account.environment["TERM"] = "xterm"
    made = typed_line(("program", "a b", "$HOME", "it's"), CALL, NONCE, terminal=terminal)
    assert made is not None
    status, lines = account.run(made)
    term = "xterm" if terminal else "dumb"
    assert sorted(lines) == [f"[a b][$HOME][it's][{term}]err"]
    assert status == 7
    assert any(f"exec -i {'-t ' if terminal else ''}-e TERM={term} " in call for call in calls(account))


@pytest.mark.slow
def test_a_container_that_is_not_there(account: Account) -> None:
    """The engine's own words are on standard error, and the status is a shell's."""
    made = typed_line(("true",), Call(container="other"), NONCE, terminal=True)
    assert made is not None
    assert account.run(made) == (127, ["Error: No such container: other"])


ASKS = """#!/bin/sh
printf 'answer: '
read -r answer
echo "got <$answer>"
exec sleep 60
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", SH)
def test_without_a_terminal(tmp_path: Path, tools: Path, name: str) -> None:
    """Hermes still gets its answers in there, and ends with the input of the command outside."""
    account = contained(Account(tmp_path, ["bash"], sh=name), tools)
    account.install(".local/bin", ASKS)
    with account.on_pipes(CALL.login_line(XAI, NONCE, terminal=False)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"this\n")
        process.stdin.flush()
        output = b""
        while b"got <this>" not in output:
            output += os.read(process.stdout.fileno(), 4096)
        process.stdin.close()
        rest = process.stdout.read()
        assert process.wait(10) != 0
    assert b":landed:absent:" in rest
    assert not any(" -t " in call for call in calls(account))


@pytest.mark.slow
@pytest.mark.parametrize("name", SH)
def test_a_home_with_a_blank_in_its_name(tmp_path: Path, tools: Path, name: str) -> None:
    """The engine gets it as one word."""
    account = contained(Account(tmp_path, ["bash"], sh=name), tools)
    home = account.home / "her *mes"
    home.mkdir()
    account.environment["HERMES_HOME"] = str(home)
    status, lines = account.run(CALL.login_line(XAI, NONCE))
    assert f":{home}:" in lines[0]
    assert status == 7


@pytest.mark.slow
def test_a_container_that_hangs_is_given_up(tmp_path: Path, tools: Path) -> None:
    """Where the machine can set a limit, every call but the login has one, long enough for a relay."""
    account = contained(Account(tmp_path, ["bash"]), tools)
    limits = account.home / "limits"
    account.install("system", f'#!/bin/sh\necho "$*" >>"{limits}"; shift; exec "$@"\n', "timeout")
    account.run(CALL.landing_line(XAI, NONCE))
    looked, landed = limits.read_text().splitlines()
    assert looked.startswith("120 docker exec hermes sh -c ")
    assert landed.startswith("120 docker exec -i -u ")
    assert RELAY_BEGIN.seconds + DELIVERY.seconds < 120
    account.run(CALL.login_line(XAI, NONCE))
    assert len(limits.read_text().splitlines()) == 3


@pytest.mark.slow
def test_another_user_there(account: Account) -> None:
    """--as-user decides, and no home is looked for."""
    status, _ = account.run(Call(container="hermes", as_user="nobody").login_line(XAI, NONCE))
    assert status == 7
    assert not any("HERMES_HOME" in call for call in calls(account))
    assert sum(" -u nobody " in call for call in calls(account)) == 2


@pytest.mark.slow
def test_sudo_where_the_plain_call_is_refused(account: Account) -> None:
    """It is called without a question: we do not ask for its password here."""
    account.install("system", SUDO, "sudo")
    account.environment["REFUSED"] = "1"
    status, lines = account.run(CALL.login_line(XAI, NONCE))
    assert lines[0].startswith(f"{begin_marker(NONCE)}begin:")
    assert status == 7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("container", "environment", "engine", "words"),
    [
        ("other", {}, "docker", "Error: No such container: other"),
        ("other", {}, "podman", "Error: No such container: other"),
        ("hermes", {"RUNNING": "false"}, "docker", "hermes is not running"),
        ("hermes", {"REFUSED": "1"}, "docker", "permission denied while trying to connect"),
        ("hermes", {}, "nothing", "there is neither docker nor podman"),
    ],
)
def test_a_container_that_cannot_be_entered(
    account: Account, container: str, environment: dict[str, str], engine: str, words: str
) -> None:
    """The marker is followed by the reason in the engine's own words."""
    (account.bin / "docker").rename(account.bin / engine)
    account.environment.update(environment)
    status, lines = account.run(Call(container=container).login_line(XAI, NONCE))
    assert lines == [f"{begin_marker(NONCE)}no-container:{words}"]
    assert status == 127


@pytest.mark.slow
def test_the_credential_is_looked_at_in_the_container(account: Account) -> None:
    """The same account looks, without a terminal."""
    (account.home / ".hermes" / "auth.json").write_text("SECRET")
    status, lines = account.run(CALL.landing_line(XAI, NONCE))
    (line,) = lines
    assert status == 0
    assert line.startswith(f"{begin_marker(NONCE)}landed:")
    assert line.endswith(f":{account.home}/.hermes/auth.json")
    assert not any(" -t " in call for call in calls(account))


@pytest.mark.slow
@pytest.mark.parametrize("ended", ["shell", "group", "engine"])
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_hermes_ends_in_there_when_it_is_ended_here(tmp_path: Path, tools: Path, ended: str) -> None:
    """If all or part of it is killed, nothing keeps running in the container."""
    account = contained(Account(tmp_path, ["bash"]), tools)
    # What a real engine's exec starts in a container is no child of ours, and has a session of its own.
    engine = ENGINE.replace('exec "$@";;', 'case $* in *"exec "*) exec setsid "$@";; esac; exec "$@";;')
    account.install("system", engine, "docker")
    account.install(".local/bin", "#!/bin/sh\nexec python3 -uc 'print(\"up\"); input()'\n")
    nobody, terminal = os.openpty()
    process = subprocess.Popen(
        ["bash", "-c", CALL.login_line(XAI, NONCE)],
        env={"HOME": str(tmp_path), **account.environment},
        stdin=terminal,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(terminal)
    assert process.stdout is not None
    while process.stdout.readline() != b"up\n":
        pass
    (hermes,) = marked()
    if ended == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif ended == "shell":
        process.kill()
        for child in children_of(process.pid):
            child.kill()
    else:
        hermes.kill()
    hermes.wait(10)
    process.communicate(timeout=10)
    os.close(nobody)
    assert marked() == []


def children_of(pid: int) -> list[psutil.Process]:
    """The processes that are left of a group."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError):  # it has ended in the meantime
            if os.getpgid(process.pid) == pid:
                found.append(process)
    return found


def marked() -> list[psutil.Process]:
    """The processes with our marker in their environment, without the engine's clients."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HERMES_TUNNEL") == NONCE and "input()" in process.cmdline()[-1]:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_an_impossible_container() -> None:
    """An impossible name for a container is refused."""
    for name in ("-x", "a b", "a;b", "", "a/b"):
        if name:
            with pytest.raises(UsageFailure, match="--container"):
                Call(container=name)


def test_described() -> None:
    """The command is described with its container, and without sudo, which is not used there."""
    described = Call(container="hermes", as_user="svc").described(XAI)
    assert described == "hermes auth add xai-oauth --no-browser in the container hermes"


SCRIPTS = sorted(Path(__file__).parents[2].glob("hermes_tunnel/remote/*.sh"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_script_holds_in_single_quotes(path: Path) -> None:
    """A script has no character that some shell acts on within single quotes."""
    assert not set("'!\\\n") & set(script(path.name))
