"""What a run leaves on disk: atomic files, tables, digests, the chain. Standard library only."""
