"""``scripts/pages``."""

from tests.pages import write

write()
