"""SSH as the user has it: where to connect, how to be sure of the host, what to carry."""
