"""One login's conversation: one thread decides, and everything that happens is an item in its mailbox."""
