"""Proving to a server who the person is (RFC 4252)."""
