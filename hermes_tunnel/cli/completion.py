"""Completion in a shell: click's for bash, zsh and fish, ours for PowerShell, and what we complete."""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string


def complete_provider(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The providers that begin with this, each with its title, and the form for an MCP server."""
    from hermes_tunnel.remote.hermes import ALIASES, KNOWN

    names = {name: known.title for name, known in KNOWN.items()}
    names |= {alias: f"{name}, by another name" for alias, name in ALIASES.items()}
    names["mcp:"] = "an MCP server: mcp:NAME"
    return [CompletionItem(name, help=title) for name, title in names.items() if name.startswith(incomplete)]


def complete_host(ctx: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The hosts of ssh_config and known_hosts that begin with this, after a user and earlier jump hosts."""
    from pathlib import Path

    from hermes_tunnel.ssh.config.names import host_names

    ssh = Path.home() / ".ssh"
    config = ctx.params.get("config_file") or ssh / "config"
    at = max(incomplete.rfind("@"), incomplete.rfind(",")) + 1
    before, begun = incomplete[:at], incomplete[at:]
    names = host_names(Path(config).expanduser(), ssh / "known_hosts")
    return [CompletionItem(before + name) for name in names if name.startswith(begun)]


class PowerShell(ShellComplete):
    """Windows' shell: the script asks for lines, each a word, a tab and what it means."""

    name = "powershell"
    source_template = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $line, $cursor)
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = $line.ToString().Substring(0, [Math]::Min($cursor, $line.ToString().Length))
    $env:COMP_CWORD = $word
    try {
        & %(prog_name)s | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_CWORD
    }
}
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is being typed, and that one."""
        words, incomplete = split_arg_string(os.environ["COMP_WORDS"])[1:], os.environ["COMP_CWORD"]
        return (words[:-1] if incomplete and words[-1:] == [incomplete] else words), incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """One line; PowerShell insists that what a word means is not empty."""
        return f"{item.value}\t{item.help or item.value}"


add_completion_class(PowerShell)
