"""ssh_config(5): how to reach each hop of a way, according to the files and the command line."""
