"""Masked modality projection."""
