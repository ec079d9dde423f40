"""Whether a server is the one it should be (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
