"""The subcommands of ``autograder``: a module each, its options and what it shows.

``add_parser(commands)`` describes the command, ``run(options)`` runs it and returns the exit code.
What a command does stands in the package; here is only what a person at a terminal meets.
"""
