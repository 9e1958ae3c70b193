"""Whether a course has a gradebook: nbgrader makes an empty one wherever it looks."""

from pathlib import Path

from sqlalchemy.engine import make_url


def exists(db_url: str) -> bool:
    """Whether a gradebook is there; a database on a server is taken to be.

    Parameters
    ----------
    db_url : str
        ``CourseDirectory.db_url``.
    """
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return True
    return Path(url.database).is_file()
