"""SSH as the user has set it up: where to connect, how to be sure of the host, what to carry."""

import sys

# paramiko imports invoke, if there is one, to run what a Match exec of ssh_config names; we have ssh do that.
# With it come a YAML parser, asyncio and unittest.mock: a third of what a login has to import before it can
# speak to a server. paramiko does without, so here there is none. Whatever imports paramiko for us is in this
# package, or in the demo, which nobody waits for.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
