"""ssh_config(5): how each hop of a way is to be reached, as the files and the command line say."""
