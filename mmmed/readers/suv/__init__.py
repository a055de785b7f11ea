"""PET to SUVbw with evidence: a decision tree over what the headers of a series state.

Read `decision` first: it is the tree. Each branch has a file: `units`, `corrections`, `philips`,
`dose`, `nuclide`, `decay`, `injection`, `clock`, `body`; `reading` is how headers are asked,
`place` what one of them states, `element` how that is called, and `derivation` what comes of it.
"""
