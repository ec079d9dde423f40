"""Which local sockets exist, who holds them, what their holders mean to a person, and how to end them."""
