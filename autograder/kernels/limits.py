"""What one room may use."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one room may use.

    Attributes
    ----------
    memory_mb : int
        Resident memory of all processes of the room together, in MB, beyond what the libraries
        that it was born with take.
    processes : int
        Processes at a time.
    processor_seconds : float
        Processor time of all processes of the room, from first to last cell.
    cell_processor_seconds : float
        The same for one cell.
    file_mb : int
        Size of one file, in MB.
    scratch_mb : int
        Size of the room's home, and of its ``/tmp``, in MB.
    """

    memory_mb: int = 4000
    processes: int = 64
    processor_seconds: float = 1200
    cell_processor_seconds: float = 120
    file_mb: int = 200
    scratch_mb: int = 300

    def __post_init__(self) -> None:
        """Refuse what would be no limit."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ValueError(f"{field.name} must be a positive number, not {value!r}")


def most_tasks(limits: Limits) -> int:
    """Threads of all processes together; libraries start one or more for each processor."""
    return 16 * (os.cpu_count() or 1) + 8 * limits.processes
