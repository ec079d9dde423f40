"""What happens on the remote machine: Hermes, the command that runs it, where its credential lands."""
