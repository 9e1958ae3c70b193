"""Warm, sandboxed kernels: a forkserver, what a forked room may touch, Jupyter's door to them."""
