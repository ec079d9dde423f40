"""What people see when a browser login on another machine fails: who says it, why, and what to type.

The words are those of Hermes, a browser, a provider, ssh or a system, whether the login was made by hand or
with hermes-tunnel. Our own errors carry their hint themselves. ``docs/troubleshooting.md`` is made from this
table by ``scripts/pages``.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Speaker(Enum):
    """Who says the words; in the order in which a person looks for them."""

    HERMES = "Hermes says"
    BROWSER = "The browser shows"
    SSH = "ssh says"
    THERE = "The other machine says"
    HERE = "This machine says"
    NOTICE = "hermes-tunnel says"


class Symptom(NamedTuple):
    """Something that a person sees, and what it comes to.

    :param words: what is seen, in one form or several; ``...`` stands for what differs from case to case
    :param speaker: who says it
    :param cause: why, in sentences; code is in backquotes
    :param command: the one thing to type, on the person's own machine; capitals stand for what they know
    :param then: what comes of that, or what else there is to it, in sentences; perhaps nothing
    :param page: the page of ``docs`` that says more, if there is one
    """

    words: tuple[str, ...]
    speaker: Speaker
    cause: str
    command: str
    then: str = ""
    page: str = ""


SYMPTOMS = (
    Symptom(
        (
            "Remote session detected — SSH tunnel required",
            "Remote session detected. Your browser will redirect to",
            "Hermes is waiting for the OAuth callback on ...",
            "Waiting for callback on ...",
            "Could not open the browser automatically",
        ),
        Speaker.HERMES,
        "Hermes waits for your browser on the loopback of its own machine, where your browser never comes: "
        "it goes to the loopback of yours.",
        "hermes-tunnel forward HOST",
        "Paste the address that Hermes printed when you are asked for it. Next time, `hermes-tunnel login "
        "PROVIDER HOST` does all of it.",
        "tutorial.md",
    ),
    Symptom(
        (
            "... authorization timed out waiting for the local callback",
            "xAI loopback callback timed out",
            "MCP call timed out after ...",
        ),
        Speaker.HERMES,
        "The browser did not come back while Hermes waited: there was no tunnel, it led to the port of an "
        "earlier run, or the sign-in took longer than the three minutes (for an MCP server of Hermes before "
        "0.19, 40 seconds) that Hermes gives it.",
        "hermes-tunnel login PROVIDER HOST",
        "It shows the time that is left. Sign in to the provider's site beforehand if it is short.",
    ),
    Symptom(
        ("Callback URL:", "Manual callback paste", "Or paste the redirect URL here"),
        Speaker.HERMES,
        "Hermes asks for the address of the page that your browser could not open: it has `code` and "
        "`state` in it.",
        "hermes-tunnel paste HOST",
        "If that says that nothing listens there any more, paste the address at Hermes' own prompt.",
        "how-to/tmux-and-mosh.md",
    ),
    Symptom(
        ("state mismatch", "State parameter mismatch: ..."),
        Speaker.HERMES,
        "The answer belongs to another request: two logins at once, a page from an earlier run, or the "
        "browser's back button.",
        "hermes-tunnel login PROVIDER HOST",
        "Close the sign-in pages that are still open, and use the one that opens now. An answer to another "
        "login does not reach Hermes then: the browser shows *Not this login*, and the right one is waited "
        "for.",
    ),
    Symptom(
        ("Could not bind Spotify callback server on ...",),
        Speaker.HERMES,
        "On the *remote* machine something else holds the port, most likely an earlier login that still "
        "waits.",
        "ssh -t HOST \"sudo ss -ltnp 'sport = :43827'\"",
        "It names the program there. End it, or wait three minutes, then log in. On this machine, "
        "`hermes-tunnel port 43827` tells the same.",
    ),
    Symptom(
        ("OAuth callback port ... is already in use",),
        Speaker.HERMES,
        "Either an earlier login to an MCP server still waits on the *remote* machine, or this one was "
        "refused: Hermes then tries three more times on the port that it still holds itself, and this is "
        "its last word.",
        "hermes-tunnel login mcp:NAME HOST",
        "It tells a refusal as one, with the provider's reason, and lets Hermes try no further.",
        "how-to/mcp-server.md",
    ),
    Symptom(
        ("... authorization failed: ...", "access_denied", "device-code token polling failed: ..."),
        Speaker.HERMES,
        "The provider said no: somebody declined on its page, the account may not use this, or the "
        "organization forbids it. What follows the words is the provider's reason.",
        "hermes-tunnel login PROVIDER HOST --browser 'firefox -P NAME'",
        "NAME is a browser profile that is signed in to another account.",
    ),
    Symptom(
        ("... token exchange failed", "Token exchange failed (400): ..."),
        Speaker.HERMES,
        "The browser's answer arrived: the tunnel worked. Then the provider refused Hermes' request for the "
        "tokens. A code is good once and for minutes; if a fresh one is refused too, the release of Hermes "
        "is too old for the provider.",
        "ssh -t HOST 'bash -lc \"hermes update\"'",
        "Then log in anew. The text after *Response:* is the provider's reason.",
    ),
    Symptom(
        ("Timed out waiting for xAI device authorization",),
        Speaker.HERMES,
        "Nobody approved the code on the provider's page before it expired.",
        "hermes-tunnel login PROVIDER HOST --copy-code",
        "The page opens, and the code is on your clipboard. `--qr` shows the page to a phone.",
    ),
    Symptom(
        ("Unknown provider: spotify", "Unknown provider: ..."),
        Speaker.HERMES,
        "`hermes auth add` does not know that name. Spotify and MCP servers have commands of their own "
        "(`hermes auth spotify`, `hermes mcp login NAME`), and releases differ.",
        "hermes-tunnel providers",
        "It lists the names, and knows the command of each.",
    ),
    Symptom(
        ("The 'hermes login' command has been removed",),
        Speaker.HERMES,
        "Older guides say `hermes login`. It ends with exit status 0 and has done nothing.",
        "hermes-tunnel login PROVIDER HOST",
    ),
    Symptom(
        ("unrecognized arguments: --manual-paste",),
        Speaker.HERMES,
        "Only Hermes 0.15.0 to 0.18.0 has that option, though guides still name it.",
        "hermes-tunnel login PROVIDER HOST",
        "Whatever the release, you may paste the page's code or its address while the login waits.",
    ),
    Symptom(
        ("If xAI shows a Grok Build code instead of redirecting",),
        Speaker.HERMES,
        "xAI's page may show a code where Hermes 0.14 to 0.18.0 waits for a redirect.",
        "hermes-tunnel login xai-oauth HOST",
        "Paste the code in the terminal while the login waits, and press Enter; it stays hidden. It goes "
        "the way that the callback would have gone.",
    ),
    Symptom(
        ("Anthropic OAuth login did not return credentials",),
        Speaker.HERMES,
        "The code was not the page's whole text: it has two parts, with `#` between them.",
        "hermes-tunnel login anthropic HOST",
        "Copy the code by the page's button, and paste it at the prompt.",
    ),
    Symptom(
        ("non-interactive environment and no cached tokens found", "requires an interactive terminal"),
        Speaker.HERMES,
        "The command had no terminal, as with `ssh HOST hermes ...`, cron, or a service.",
        "hermes-tunnel login mcp:NAME HOST",
        "It gives the command a terminal. By hand, `ssh -t` does.",
    ),
    Symptom(
        ("... requires HTTP transport but ...", "pip install 'hermes-agent[mcp]'"),
        Speaker.HERMES,
        "That Hermes was installed without its part for MCP servers, the extra `mcp`.",
        "ssh HOST \"PYTHON -m pip install 'hermes-agent[mcp]'\"",
        "PYTHON is the one that Hermes runs with: the first line of the file `hermes` there names it.",
        "how-to/mcp-server.md",
    ),
    Symptom(
        ("Spotify first-time setup", "Spotify Client ID:", "Spotify setup cancelled"),
        Speaker.HERMES,
        "Spotify wants an app of your own, once. Hermes asks for its client ID, which the page "
        "developer.spotify.com/dashboard shows.",
        "hermes-tunnel login spotify HOST -- --client-id ID",
        "The app needs the redirect URI that Hermes prints.",
    ),
    Symptom(
        ("CERTIFICATE_VERIFY_FAILED",),
        Speaker.HERMES,
        "Something between that machine and the provider, a company's proxy most likely, answers with a "
        "certificate of its own, which Hermes does not trust.",
        "ssh HOST 'echo SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt >>~/.hermes/.env'",
        "The file must contain the company's authority; that is Debian's place for it.",
    ),
    Symptom(
        ("discovery failed: ...", "discovery returned status ..."),
        Speaker.HERMES,
        "The machine that Hermes runs on does not reach the provider: no way out, a proxy that is not set, "
        "or one that is down.",
        "ssh HOST curl -sSI https://auth.x.ai/.well-known/openid-configuration",
        "If that fails too, set `HTTPS_PROXY` for Hermes there; the tunnel has no part in it.",
    ),
    Symptom(
        ("not logged in, though the login succeeded", "logged out"),
        Speaker.HERMES,
        "The tokens belong to the account that ran the login. A gateway or a service runs as another one, "
        "with another Hermes profile, or with a HERMES_HOME that only the service has.",
        "hermes-tunnel login PROVIDER HOST --as-user hermes",
        "The last line of a login says in which file the credential is, and whose it is. For a profile, use "
        "`--profile NAME`.",
        "how-to/sudo-user.md",
    ),
    Symptom(
        ("Permission denied: '.../auth.json'",),
        Speaker.HERMES,
        "A login as root wrote the file (in a container by `docker exec`, for instance), and Hermes' own "
        "account may not read it.",
        "ssh -t HOST 'sudo chown -R hermes: ~hermes/.hermes'",
        "With `--as-user` and `--container` the login runs as the owner of Hermes' home, so that it does "
        "not happen again.",
        "how-to/container.md",
    ),
    Symptom(
        ("Could not establish connection. We couldn't reach your app.",),
        Speaker.BROWSER,
        "xAI's page could not reach the callback's port on the browser's machine: there is no tunnel, the "
        "page is from an earlier run, or the browser is on a phone or on another computer.",
        "hermes-tunnel login xai-oauth HOST",
        "Use the page that opens, in the browser of the machine where you type this.",
    ),
    Symptom(
        (
            "This site can't be reached",
            "127.0.0.1 refused to connect",
            "ERR_CONNECTION_REFUSED",
            "Unable to connect",
            "Safari Can't Connect to the Server",
        ),
        Speaker.BROWSER,
        "At 127.0.0.1 or localhost, nothing listens on the browser's machine: there was no tunnel, or the "
        "login is over (after success a reload finds nothing: what counts is what the terminal says).",
        "hermes-tunnel paste HOST",
        "Paste the address of that page. It works as long as Hermes still waits.",
        "how-to/tmux-and-mosh.md",
    ),
    Symptom(
        ("didn't send any data", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "The connection was reset"),
        Speaker.BROWSER,
        "A tunnel is there and leads nowhere: Hermes has ended, or waits on another port this time.",
        "hermes-tunnel forward HOST",
        "It finds the port by the address that Hermes printed last.",
    ),
    Symptom(
        ("127.0.0.1 keeps loading",),
        Speaker.BROWSER,
        "Hermes' listener serves one connection after another, and waits for one that the browser opened "
        "and never used. A plain `ssh -L` lets that through.",
        "hermes-tunnel login PROVIDER HOST",
        "End the login that hangs with Ctrl-C first. Only the answer itself gets through here.",
        "how-it-works.md#the-gate",
    ),
    Symptom(
        ("SSL_ERROR_RX_RECORD_TOO_LONG", "ERR_SSL_PROTOCOL_ERROR"),
        Speaker.BROWSER,
        "The browser insists on https, for 127.0.0.1 too, and a callback is plain http on your own machine.",
        "hermes-tunnel paste HOST",
        "Paste the address as it is. To have it right next time, make an exception for 127.0.0.1 in the "
        "browser's HTTPS-only mode.",
    ),
    Symptom(
        ("Look for and connect to any device on your local network", "apps and services on this device"),
        Speaker.BROWSER,
        "Some browsers ask before a page fetches something from your own machine, as xAI's may do.",
        "hermes-tunnel login PROVIDER HOST",
        "Allow it; or paste the code, or the address that the page ends on, in the terminal while the login "
        "waits.",
    ),
    Symptom(
        ("INVALID_CLIENT: Invalid redirect URI", "redirect_uri: Not matching configuration"),
        Speaker.BROWSER,
        "The Spotify app whose client ID Hermes uses does not allow the address that Hermes waits on.",
        "hermes-tunnel login spotify HOST -- --redirect-uri http://127.0.0.1:43827/spotify/callback",
        "That address, character by character, has to be among the redirect URIs in the app's settings at "
        "developer.spotify.com/dashboard.",
    ),
    Symptom(
        ("A code on the page, and no redirect",),
        Speaker.BROWSER,
        "In a device login you compare that code with the one in the terminal, or type it on the page. In a "
        "paste login (Anthropic, OpenRouter) Hermes wants it.",
        "hermes-tunnel login PROVIDER HOST",
        "Type the page's code at the prompt here; it stays hidden. Without a prompt there is nothing to "
        "type: approve on the page.",
    ),
    Symptom(
        ("Back to your terminal",),
        Speaker.BROWSER,
        "The answer was delivered. If the login fails all the same, that was later, between Hermes and the "
        "provider.",
        "hermes-tunnel login PROVIDER HOST -v",
        "The terminal has Hermes' own words; look for those above.",
    ),
    Symptom(
        ("Not this login",),
        Speaker.BROWSER,
        "That is the answer to another sign-in: an older page, or another terminal's. It was not used, and "
        "the login still waits.",
        "hermes-tunnel login PROVIDER HOST",
        "Close that page, and use the address that the terminal shows last.",
    ),
    Symptom(
        (
            "bind [127.0.0.1]:...: Address already in use",
            "cannot listen to port: ...",
            "Could not request local forwarding",
        ),
        Speaker.SSH,
        "A program on *this* machine has the port: an old tunnel, an editor that forwards ports by itself, "
        "or a Hermes of your own. Another port will not do, since the provider expects this one.",
        "hermes-tunnel port PORT --kill",
        "It names the program, and asks before it ends it.",
    ),
    Symptom(
        ("channel ...: open failed: administratively prohibited: ...",),
        Speaker.SSH,
        "The server forwards nothing (`AllowTcpForwarding no`), or not to that port (`PermitOpen`).",
        "hermes-tunnel login PROVIDER HOST",
        "It hands the answer to a small command there instead.",
        "how-to/no-forwarding.md",
    ),
    Symptom(
        ("channel ...: open failed: connect failed: Connection refused",),
        Speaker.SSH,
        "The tunnel leads to a port where nothing listens: the login there has ended, waits on another "
        "port, or is in a container.",
        "hermes-tunnel forward HOST",
        "With `--container NAME` it reaches into a container.",
        "how-to/container.md",
    ),
    Symptom(
        ("stdio forwarding failed", "Connection closed by UNKNOWN port 65535"),
        Speaker.SSH,
        "The jump host does not connect you on: it may not (`AllowTcpForwarding`, `PermitOpen`), or does "
        "not reach that name or port.",
        'hermes-tunnel login PROVIDER HOST -o "ProxyCommand=ssh BASTION nc %h %p"',
        "That needs no forwarding there, but a shell and `nc`.",
        "how-to/bastion.md",
    ),
    Symptom(
        ("Permission denied (publickey...",),
        Speaker.SSH,
        "The server takes none of your keys for that account: it is another account or key, or the key is "
        "not in your agent.",
        "hermes-tunnel login PROVIDER USER@HOST -i FILE -v",
        "It says which keys were offered, and what became of each.",
    ),
    Symptom(
        ("Too many authentication failures",),
        Speaker.SSH,
        "Your agent has more keys than the server wants to see, and the right one came too late.",
        "hermes-tunnel login PROVIDER HOST -i FILE -o IdentitiesOnly=yes",
    ),
    Symptom(
        ("REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key verification failed"),
        Speaker.SSH,
        "The server's key is not the one in your `known_hosts`: the machine was reinstalled, or somebody is "
        "in between.",
        "ssh-keyscan HOST | ssh-keygen -lf -",
        "It shows the fingerprints of today. Compare one with what the server's owner says. Only if they "
        "agree, remove the old key (`ssh-keygen -R HOST`), and accept the new one at the next connection.",
    ),
    Symptom(
        ("Could not resolve hostname ...",),
        Speaker.SSH,
        "Your name server does not know that name; perhaps only the jump host's does.",
        "hermes-tunnel login PROVIDER HOST -J BASTION",
        "",
        "how-to/bastion.md",
    ),
    Symptom(
        ("kex_exchange_identification: ...", "Connection closed by remote host"),
        Speaker.SSH,
        "The server hung up before it said who it is: it limits connections (MaxStartups, fail2ban), or a "
        "firewall does.",
        "ssh -v HOST",
        "If that fails too, wait ten minutes, or ask whoever runs the server: you may be on its list.",
    ),
    Symptom(
        ("no matching ... found. Their offer: ...",),
        Speaker.SSH,
        "The server is so old, or hardened so differently, that the two have no algorithm in common.",
        "hermes-tunnel login PROVIDER HOST --dry-run",
        "It prints the lines for your own `ssh`. Add what ssh asks for to them, such as `-o "
        "HostKeyAlgorithms=+ssh-rsa`.",
        "ssh-config.md",
    ),
    Symptom(
        ("PTY allocation request failed",),
        Speaker.SSH,
        "The server, or a restriction of your key, gives no terminal (`PermitTTY no`).",
        "hermes-tunnel login PROVIDER HOST",
        "It runs the login without one, if Hermes agrees to that.",
        "how-to/locked-down-server.md",
    ),
    Symptom(
        ("hermes: command not found", "hermes: not found", "Unknown command: hermes"),
        Speaker.THERE,
        "A command over ssh runs in a shell that does not read all your start-up files, so `~/.local/bin` "
        "is not on its PATH.",
        "hermes-tunnel login PROVIDER HOST",
        "It looks where the installers put Hermes, and then asks your login shell there. For any other "
        "place, add `--hermes-path PATH`.",
        "how-it-works.md#whose-hermes-it-is",
    ),
    Symptom(
        ("sudo: a terminal is required to read the password",),
        Speaker.THERE,
        "`ssh HOST sudo ...` gives sudo no terminal to ask on.",
        "hermes-tunnel login PROVIDER HOST --as-user USER",
        "You are asked for the password here.",
        "how-to/sudo-user.md",
    ),
    Symptom(
        ("permission denied while trying to connect to the docker ...",),
        Speaker.THERE,
        "Your account there may not use docker, and sudo would ask for a password.",
        "ssh -t HOST 'sudo usermod -aG docker \"$USER\"'",
        "It counts from your next connection on. Whoever may use docker is as good as root there.",
        "how-to/container.md",
    ),
    Symptom(
        ("No such container: ...", "no container with name or ID ..."),
        Speaker.THERE,
        "No container of that name runs there; or it runs, but another account's engine has it.",
        "ssh HOST 'docker ps || podman ps'",
    ),
    Symptom(
        ("hermes-tunnel: command not found", "'hermes-tunnel' is not recognized"),
        Speaker.HERE,
        "It is installed in a directory that is not on your PATH yet.",
        "pipx ensurepath",
        "Then open a new terminal. With uv, it is `uv tool update-shell`.",
    ),
    Symptom(
        (
            "An attempt was made to access a socket in a way forbidden by its access permissions",
            "WinError 10013",
        ),
        Speaker.HERE,
        "Windows keeps that port for Hyper-V, WSL or another service; nothing listens there, and "
        "administrator rights do not help.",
        "hermes-tunnel login PROVIDER HOST --on-busy-port paste",
        "You sign in, the last page does not open, and you paste its address.",
        "how-to/windows.md",
    ),
    Symptom(
        ("Nothing opens",),
        Speaker.HERE,
        "There is no browser with a window that this machine knows of, or `BROWSER` names one that does not "
        "work.",
        "hermes-tunnel login PROVIDER HOST --browser COMMAND",
        "Or open the address that is shown in any browser *of this machine*.",
        "reference.md#the-browser",
    ),
    Symptom(
        ("Open it in your browser?",),
        Speaker.NOTICE,
        "The command shows a page that is not known as a sign-in of that provider, and waits. The host is "
        "named, and the address stands whole on a line of its own.",
        "hermes-tunnel login PROVIDER HOST --allow-host openrouter.ai",
        "That says yes beforehand, for the host that you name. What the page gives you stays hidden as you "
        "paste it.",
    ),
    Symptom(
        ("It was not opened",),
        Speaker.NOTICE,
        "You said no, nobody could be asked, or `--no-browser` is set. The login goes on all the same.",
        "hermes-tunnel login PROVIDER HOST --allow-host NAME",
        "NAME is the host of the page. Or open the address yourself, and answer the command; the answer may "
        "be piped to the standard input.",
    ),
    Symptom(
        ("[hidden]",),
        Speaker.NOTICE,
        "A code, a token, a password or a `state` stood there. An address that is there to be opened is "
        "shown whole.",
        "hermes-tunnel login PROVIDER HOST",
        "If the page that you need has something hidden in its address, say yes to the question: it is "
        "opened with it.",
        "security.md",
    ),
    Symptom(
        ("This login runs ... itself, not what that is to your own shell there",),
        Speaker.NOTICE,
        "Your shell there has an alias or a function called `hermes`, which is quoted.",
        "hermes-tunnel login PROVIDER HOST --profile NAME",
        "That is for one that chooses a profile (`hermes -p work`). If it leads into a container, use "
        "`--container NAME`.",
        "how-it-works.md#whose-hermes-it-is",
    ),
    Symptom(
        ("Your own shell there has ..., so the login is made there",),
        Speaker.NOTICE,
        "It is no error. A start-up file of the account sets HERMES_HOME for you, but not for a command "
        "over ssh, and your Hermes reads its credentials there.",
        "ssh HOST 'grep -n HERMES_HOME ~/.profile ~/.bash* ~/.z*'",
        "It shows where, if you want the login in another place.",
    ),
)
