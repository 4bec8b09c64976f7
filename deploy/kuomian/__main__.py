"""``python -m kuomian``: the command line."""

from kuomian.cli import main

if __name__ == "__main__":
    main()
