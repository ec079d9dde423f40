"""Which local sockets there are, who holds them, what that is to a person, and how it is ended."""
