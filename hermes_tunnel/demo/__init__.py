"""A complete login inside this process; what the verb ``demo`` needs, and no more."""
