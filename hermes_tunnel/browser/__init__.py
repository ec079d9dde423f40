"""Opening the person's browser: which commands may, and running one away from their terminal."""
