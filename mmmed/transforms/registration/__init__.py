"""A head brought into the template's space by an affine map, from its own voxels alone.

map     (4, 4): mm of the scan -> mm of the template
pose    one of the 24 ways to lay a box along the axes; the first is what the scan's header states
start   a pose, tilted and shifted, from which a search may begin

One thread works inside a scan and nothing is drawn at random, so the same voxels give the
same bits.
"""
