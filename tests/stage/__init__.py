"""The tests' stage: the demo's servers, which can do more here, and Hermes' other logins."""
