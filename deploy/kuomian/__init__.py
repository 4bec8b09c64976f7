"""The command line, the one-process default and the made city: all that may know two services."""
