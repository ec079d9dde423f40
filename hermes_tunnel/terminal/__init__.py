"""The person's terminal: what is shown there, and what is asked."""
