"""What every worker imports before its first submission; see :mod:`autograder.cluster`."""

import signal

from autograder.startup import postponed_grammar

with postponed_grammar():
    import distributed.nanny
    import distributed.worker  # noqa: F401

    import autograder.examination  # noqa: F401


def dask_setup(worker: object) -> None:
    """Run in each new worker, also on other machines that name this module as a preload."""
    from autograder.cluster import forget_environment

    del worker
    forget_environment()
    # Ctrl-C reaches every process of the terminal; the command ends its workers by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
