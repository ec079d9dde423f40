"""The lab: a laptop, a jump host, a Hermes host and the providers, each a network namespace.

Real OpenSSH, real Hermes releases, a real Chromium; only the identity providers are ours.
"""
