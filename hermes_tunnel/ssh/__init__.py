"""SSH as the user has set it up: where to connect, how to be sure of the host, what to carry."""
