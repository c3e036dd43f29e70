"""`python -m garmentloop` is the command `garmentloop`."""

from garmentloop.cli import main

if __name__ == "__main__":
    main()
