"""The hosts that a shell can complete."""

from __future__ import annotations

from pathlib import Path

from hermes_tunnel.ssh.config.names import host_names


def test_names_of_ssh_config_and_known_hosts(tmp_path: Path) -> None:
    """Aliases, with those of included files in their place, then known hosts; no pattern, nothing hashed."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "b").write_text("host = inner deep # a comment\n")
    (tmp_path / "conf.d" / "a").write_text('Host "first"\n Include conf.d/a\n')
    config = tmp_path / "config"
    config.write_text(
        "Host box *.example !no web?\n User me\nInclude conf.d/* none-such\nMatch all\nHost box last\n"
    )
    known = tmp_path / "known_hosts"
    known.write_text(
        "# a comment\n|1|c2FsdA==|aGFzaA== ssh-ed25519 AAAA\ngate,192.0.2.1 ssh-ed25519 AAAA\n"
        "[far.example]:2222 ssh-ed25519 AAAA\n@cert-authority *.example ssh-ed25519 AAAA\n"
        "@revoked old.example ssh-ed25519 AAAA\n\n"
    )
    assert host_names(config, known) == [
        *("box", "first", "inner", "deep", "last"),
        *("gate", "192.0.2.1", "far.example", "old.example"),
    ]


def test_a_file_that_is_missing_has_no_names(tmp_path: Path) -> None:
    """Nothing is completed, and nothing is said."""
    assert host_names(tmp_path / "config", tmp_path / "known_hosts") == []
