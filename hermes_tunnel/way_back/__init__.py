"""The way back: from the browser on this machine to the port where the command listens."""
