"""``python -m hermes_tunnel``."""

from hermes_tunnel.cli import main

main()
