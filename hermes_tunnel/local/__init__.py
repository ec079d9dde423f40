"""What happens on this machine: the person's terminal, the browser, the ports."""
