"""The command line: a module a command, or a few that belong together; `femr.__main__` puts them together."""

BAD_INPUT = 2
"""Exit code when something that was asked for could not be done; the same as argparse's own."""
