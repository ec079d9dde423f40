"""The undocumented names of paramiko that this program leans on; checked when this module is imported.

Everything that uses one of these names imports this module first.
"""

from __future__ import annotations

from typing import Any

import paramiko

from hermes_tunnel.ssh.leaned_on import check

MEMBERS = {
    # Algorithms: which there are, in what order, and what does a key exchange.
    "Transport": (
        *("_preferred_kex", "_preferred_keys", "_preferred_ciphers", "_preferred_macs", "_kex_info"),
        *("preferred_kex", "preferred_keys", "preferred_ciphers", "preferred_macs"),
        # Messages: what was offered, why it was left, what was proved, which channel opened.
        *("_really_parse_kex_init", "_parse_disconnect", "_verify_key", "_parse_channel_open_success"),
        *("_channel_handler_table", "_send_message", "_send_user_message", "_auth_trigger"),
    ),
    "Channel": ("_request_failed", "_handle_close", "_handle_request"),
    "packet.Packetizer": ("start_handshake", "readline", "_read_timeout", "read_message"),
    "ssh_exception": ("IncompatiblePeer",),
}
ATTRIBUTES = {
    "Transport": (
        *("packetizer", "saved_exception", "clear_to_send", "initial_kex_done", "banner_timeout"),
        *("host_key", "session_id", "remote_version", "remote_cipher", "server_extensions", "_channels"),
        # What it calls on an auth_handler, which ours replaces.
        *("auth_handler", "_handler_table", "abort", "is_authenticated", "get_username"),
    ),
    "Channel": ("status_event", "remote_chanid", "closed"),
}


def check_names(module: Any) -> None:
    """Check that a release of paramiko has the names used here.

    :raises Failure: it lacks some
    """
    check(module, "paramiko>=5.1,<6", members=MEMBERS, attributes=ATTRIBUTES)


check_names(paramiko)
TRANSPORT: Any = paramiko.Transport
CHANNEL: Any = paramiko.Channel
