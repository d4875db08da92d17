"""The command line's commands, one module a topic: `add` declares options, and what it sets as `run` does the work."""
