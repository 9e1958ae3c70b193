"""What every worker imports before its first submission; see :mod:`autograder.workers.cluster`."""

import signal

from autograder.startup import postponed_grammar

with postponed_grammar():
    import distributed.nanny
    import distributed.worker

    import autograder.examination  # noqa: F401
    from autograder.workers.turns import TURNS, set_turns


def dask_setup(worker: distributed.Worker) -> None:
    """Run in each new worker, also on other machines that name this module as a preload."""
    from autograder.workers.cluster import forget_environment, quiet_logs

    forget_environment()
    quiet_logs()
    count = worker.state.total_resources.get(TURNS)
    set_turns(None if count is None else max(1, int(count)))
    # Ctrl-C reaches every process of the terminal; the command ends its workers by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
