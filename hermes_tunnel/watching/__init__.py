"""Watching a session: a copy of what it prints, read beside it, as lines and as a screen."""
