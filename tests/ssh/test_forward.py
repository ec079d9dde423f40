"""The forward's listener, and the release of sshtunnel that it relies on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sshtunnel

from hermes_tunnel.errors import Failure
from hermes_tunnel.ssh.forward import ATTRIBUTES, MEMBERS, check_names
from tests.cli.program import run
from tests.ssh.test_leaned_on import without

EXHAUSTED = """
import os, resource, socket, time
from hermes_tunnel.ssh.forward import LocalForward
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
client = socket.socket()
with LocalForward(("127.0.0.1",), port, lambda _: None):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        pass
    client.connect(("127.0.0.1", port))
    begun = time.process_time()
    time.sleep(1)
    print(time.process_time() - begun)
    for one in held:
        os.close(one)
"""
NAMES = [(owner, name) for names in (MEMBERS, ATTRIBUTES) for owner in names for name in names[owner]]


def test_this_sshtunnel_has_every_name() -> None:
    """The installed release lacks none, and neither does the stand-in."""
    check_names(sshtunnel)
    check_names(without(sshtunnel, "SSHTunnelForwarder", "", MEMBERS, ATTRIBUTES))


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_a_missing_name_is_reported(owner: str, name: str) -> None:
    """The error gives the name and the release, and says what to install."""
    with pytest.raises(Failure) as failure:
        check_names(without(sshtunnel, owner, name, MEMBERS, ATTRIBUTES))
    called = f"{owner}.{name}" if owner else name
    assert failure.value.message.startswith(f"this sshtunnel (99) lacks {called}")
    assert failure.value.hint.endswith("sshtunnel>=0.5.1,<0.6")


@pytest.mark.slow
def test_another_sshtunnel_is_an_error_in_words(tmp_path: Path) -> None:
    """Not a traceback, though the names are needed when the module is imported."""
    (tmp_path / "sshtunnel.py").write_text("__version__ = '9'\nclass SSHTunnelForwarder: pass\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = run("demo", "--approve", env={"PYTHONPATH": path})
    assert done.returncode == 1
    assert done.stderr.startswith("hermes-tunnel: error: this sshtunnel (9) lacks _ForwardHandler, ")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are limited elsewhere")
def test_out_of_descriptors_it_does_not_spin() -> None:
    """Whoever waits to be served still does, and nothing is to be done about it just now."""
    done = subprocess.run([sys.executable, "-c", EXHAUSTED], capture_output=True, timeout=60, check=True)
    assert float(done.stdout) < 0.3
