"""The program: command line, configuration, store, commands and screens."""
