"""What the output and the browser's requests mean: no I/O, no clock, no third-party imports."""
