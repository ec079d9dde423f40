"""Browser logins for a Hermes Agent that runs on another machine, over one SSH connection."""

__version__ = "0.1.0"
