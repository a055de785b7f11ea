"""`python -m mmmed`: the `mmmed` command, as torchrun starts it."""

from mmmed.cli.app import main

if __name__ == "__main__":
    main()
