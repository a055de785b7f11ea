"""Figures of a run, as PNG files: for screen, for print, and for eyes that confuse red and green.

Every drawing takes a matplotlib `Axes`, so that one figure can be built from several.
"""
