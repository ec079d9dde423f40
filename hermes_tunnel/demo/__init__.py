"""A complete login inside this process: what the verb ``demo`` needs, and nothing else."""
