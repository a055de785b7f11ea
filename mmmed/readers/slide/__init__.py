"""Whole slides: opening them, tiles at a magnification, tissue, places of tiles, parallel reading.

slide          a pyramid of images of one glass; files as OpenSlide reads them, DICOM among them
magnification  um per pixel (0.25 is what a 40x objective gives), never a level or an objective
tile           a square of a slide at a magnification, by its centre
location       the point of a slide on which tiles of several magnifications are centred
set            the tiles of one location
"""
