"""What ssh_config says of a session: the same by ``ssh -G`` and by our own reading of the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hermes_tunnel.errors import ConfigurationFailure
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.session import SessionConfiguration
from hermes_tunnel.ssh.config.target import parse_target

SSH = shutil.which("ssh") or ""


def session(tmp_path: Path, text: str, program: str) -> SessionConfiguration:
    """The destination's, as this program or, without one, the file says."""
    file = tmp_path / "config"
    file.write_text(f"Host box\nUser me\n{text}\n")
    options = Options(config_file=str(file))
    return resolve(parse_target("box", (), None, None), options, program=program)[-1].session


@pytest.mark.parametrize("program", ["", SSH] if SSH else [""], ids=lambda path: (path and "ssh") or "file")
def test_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Each keyword in our types; the first SetEnv counts, and more than SendEnv, whose patterns add up."""
    for name, value in (("RT_A", "1"), ("RT_B", "2"), ("RT_C", "3"), ("OTHER", "4")):
        monkeypatch.setenv(name, value)
    text = """
    RemoteCommand echo %n 100%%
    RequestTTY force
    EscapeChar %
    SetEnv RT_A=own "RT_D=two words"
    SetEnv RT_E=late
    SendEnv RT_A RT_B
    SendEnv RT_C*
    ForwardAgent yes
    LocalForward 8000 localhost:80
    DynamicForward 1080
    LocalCommand true
    """
    found = session(tmp_path, text, program)
    assert (found.remote_command, found.request_tty, found.escape_char) == ("echo box 100%", "force", "%")
    assert sorted(found.environment) == [("RT_A", "own"), ("RT_B", "2"), ("RT_C", "3"), ("RT_D", "two words")]
    assert found.not_done == ("ForwardAgent", "LocalForward", "DynamicForward")


@pytest.mark.parametrize("program", ["", SSH] if SSH else [""], ids=lambda path: (path and "ssh") or "file")
def test_nothing_is_said(tmp_path: Path, program: str) -> None:
    """Ssh's defaults; a cleared forward was not asked for."""
    text = "LocalForward 8000 localhost:80\nClearAllForwardings yes\nRemoteCommand none\nSendEnv NO_SUCH_*"
    assert session(tmp_path, text, program) == SessionConfiguration()


@pytest.mark.parametrize("line", ["RequestTTY perhaps", "EscapeChar two", "SetEnv NAME", "RemoteCommand"])
def test_what_ssh_would_not_accept(tmp_path: Path, line: str) -> None:
    """Nor is it accepted without ssh."""
    for program in ("", SSH) if SSH else ("",):
        with pytest.raises(ConfigurationFailure):
            session(tmp_path, line, program)
