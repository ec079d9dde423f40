"""Whether a server is the one that it should be (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
