"""A complete login inside this process; its servers are the tests' servers too."""
