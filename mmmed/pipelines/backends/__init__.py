"""Who carries the jobs of a study to processes, here or on a cluster.

errand     one job, and what a worker must know to do it
carrier    brings errands to workers: `loky`, `dask` or `ray`
lost       an errand whose worker was ended without a word, again and again

A carrier carries calls and nothing else: what came of a job stands in its folder, which is locked
by the process that does it. So a carrier may be killed, or bring the same errand twice.
"""
