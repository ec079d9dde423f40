"""A Hermes in a real container: found, run, answered and ended there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.container import HOME, OWNER, Container
from tests.lab.lab import Lab
from tests.lab.network import wait_for
from tests.lab.tunnel import left_nothing, on_terminal, run

IN_THERE = ("xai-oauth", "dock", "--container", "hermes")
EACH = pytest.mark.parametrize("account", ["dock", "pod"])
"""A container of root's, which the account gets at by sudo alone; and one of the account's own, rootless."""


@pytest.fixture(scope="module")
def containers(lab: Lab) -> Iterator[dict[str, Container]]:
    """Both containers, by account."""
    with lab.container("dock") as dock, lab.container("pod") as pod:
        yield {"dock": dock, "pod": pod}


@pytest.fixture
def account() -> str:
    """Whose container a test is about."""
    return "dock"


@pytest.fixture(autouse=True)
def container(lab: Lab, containers: dict[str, Container], account: str) -> Container:
    """The container; every test starts with providers and a Hermes that know nothing."""
    lab.identity("POST", "/reset")
    containers[account].run(f"rm -rf {HOME}/* {HOME}/.[a-z]*")
    return containers[account]


def in_there(lab: Lab, account: str) -> list[int]:
    """The Hermes processes in a container."""
    return lab.running(lab.network.containers[account], "/bin/hermes")


@pytest.mark.parametrize("account", ["pod"])
def test_a_rootless_container(container: Container) -> None:
    """Root in it is the account outside; everybody else in it is one of its subordinate uids."""
    assert container.run("cat /proc/self/uid_map").split() == ["0", "2027", "1", "1", "2000000000", "65536"]


@EACH
def test_a_login_in_a_container(lab: Lab, container: Container, account: str) -> None:
    """As the owner of Hermes' home, past the container's own loopback; by sudo if a plain call is refused."""
    done = run(lab, "login", "xai-oauth", account, "--container", "hermes", "--json")
    assert done.status == 0, done.stderr
    assert done.event("callback")["way"] == "relay"
    assert container.run(f"stat -c %u:%a {HOME}/auth.json").strip() == f"{OWNER}:600"
    assert in_there(lab, account) == []
    assert lab.page().title == "Back to your terminal"


@EACH
def test_a_login_in_a_container_without_a_terminal(lab: Lab, account: str) -> None:
    """If the server gives none, neither has Hermes in there; we see its credential all the same."""
    with lab.sshd("hermes", 2222, PermitTTY="no"):
        done = run(lab, "login", "xai-oauth", account, "-p", "2222", "--container", "hermes")
        assert done.status == 0, done.stderr
        assert done.stdout.endswith(f"; credential in {HOME}/auth.json (owner hermes, mode 600)\n")
        assert in_there(lab, account) == []


def test_where_the_credential_is_in_there(lab: Lab) -> None:
    """We look for it in the container, with the same account."""
    done = run(lab, "login", *IN_THERE)
    assert done.stdout.endswith(f"; credential in {HOME}/auth.json (owner hermes, mode 600)\n")


def test_denied_in_there(lab: Lab) -> None:
    """We report the provider's no, and the exit status of the command in there."""
    lab.identity("POST", "/decision", {"decision": "deny"})
    done = run(lab, "login", *IN_THERE, "--json")
    assert done.status == 9, done.stderr
    assert done.event("finished")["remote_exit_status"] == 1


@EACH
@pytest.mark.parametrize("permit", ["yes", "no"])
@pytest.mark.parametrize("ended", ["Ctrl-C", "SIGKILL"])
def test_hermes_ends_in_there(lab: Lab, account: str, ended: str, permit: str) -> None:
    """However the login ends here, even with no chance to say goodbye, and without a terminal."""
    words = ("xai-oauth", account, "-p", "2222", "--container", "hermes", "--no-browser")
    with lab.sshd("hermes", 2222, PermitTTY=permit), on_terminal(lab, "login", *words) as tunnel:
        tunnel.expect("Waiting for your browser")
        (hermes,) = in_there(lab, account)
        if ended == "Ctrl-C":
            tunnel.send("\x03")
            assert tunnel.wait(10) == 130
        else:
            tunnel.process.kill()
        wait_for(hermes, 10)
    left_nothing(lab)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("xai-oauth", "dock", "--container", "nothing"), "no such container"),
        (("xai-oauth", "h018", "--container", "hermes"), "the container cannot be entered"),
    ],
)
def test_a_container_that_cannot_be_entered(lab: Lab, words: tuple[str, ...], reason: str) -> None:
    """No such container, or an account that may not enter it: 8, in the engine's words."""
    done = run(lab, "login", *words)
    assert done.status == 8
    assert reason in done.stderr
    assert "docker ps" in done.stderr


def test_another_user_in_there(lab: Lab, container: Container) -> None:
    """--as-user decides whose credential it is."""
    done = run(lab, "login", *IN_THERE, "--as-user", "root")
    assert done.status == 0, done.stderr
    assert container.run(f"stat -c %U {HOME}/auth.json").strip() == "root"


def test_a_login_that_waits_in_there(lab: Lab) -> None:
    """``forward`` looks at the container's own loopback, and leads there."""
    command = "sudo podman exec -it -u hermes hermes hermes auth add xai-oauth --no-browser"
    with lab.terminal(["ssh", "-tt", "dock", command]) as waiting:
        url = waiting.expect(r"^https://\S+redirect_uri=\S+").group().strip()
        with on_terminal(lab, "forward", "dock", "--container", "hermes") as tunnel:
            tunnel.expect(r"\(Enter: look for what waits\): ")
            tunnel.send("\n")
            tunnel.expect("The tunnel is open: port 56121 here")
            assert lab.browse(url).title == "Back to your terminal"
            tunnel.expect("delivered to port 56121 on dock@dock")
            assert tunnel.wait() == 0
        waiting.expect("Saved xai-oauth")


@EACH
def test_a_program_in_a_container(lab: Lab, container: Container, account: str) -> None:
    """`run` gives it its words as they were typed, and ends as it does."""
    words = ["sh", "-c", 'echo "got:$1"; exit 3', "sh", "a  $b"]
    done = run(lab, "run", account, "--container", "hermes", "--", *words)
    assert (done.status, done.stdout) == (3, "got:a  $b\n")
