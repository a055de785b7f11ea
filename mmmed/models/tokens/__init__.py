"""Tokens: what attention reads, a short sequence of vectors per item.

encoder   the contract and the options
grid      the last feature map of a backbone, a token per cell
patches   cut into patches, each projected
vector    a few tokens per vector
"""
