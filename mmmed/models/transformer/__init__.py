"""A transformer over tokens, in the names of timm's vision transformers.

block     attention, MLP and the pre-norm block; keys and values can be read by others
encoder   tokens, class token, positions, blocks: one embedding per item
prompts   learned tokens that read an encoder, with or without being read
weights   filling an encoder from a local state dict
"""
