"""`python -m mmmed.cli`: the `mmmed` command."""

from mmmed.cli.app import main

main()
