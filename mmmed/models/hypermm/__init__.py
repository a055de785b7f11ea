"""HyperMM, in our 3-D form and in the paper's."""
