"""Backbones: what turns one item into one embedding."""
