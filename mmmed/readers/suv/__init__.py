"""PET to SUVbw with evidence: a decision tree over what the headers of a series state.

Read `decision` first: it is the tree. Each branch has a file: `units`, `corrections`, `philips`,
`dose`, `nuclide`, `decay`, `injection`, `clock`, `body`; `reading` is how headers are asked, and
`derivation` what comes of it.
"""
