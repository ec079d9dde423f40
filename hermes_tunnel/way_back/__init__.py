"""The way back: from the browser on this machine to the remote port where the command listens."""
