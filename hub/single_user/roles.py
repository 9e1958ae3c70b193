"""Settings of a single-user server by role: folders of settings, and what they read."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
STUDENT, INSTRUCTOR = "student", "instructor"


def environment(
    role: str,
    *,
    course: str,
    exchange: Path,
    identity: str,
    course_root: Path | None = None,
    banner: str = "",
) -> dict[str, str]:
    """Environment variables with which a spawner starts somebody's server.

    Parameters
    ----------
    role : {"student", "instructor"}
        Whose server it is.
    course : str
        The course's id in the exchange.
    exchange : pathlib.Path
        Root of the exchange.
    identity : str
        How people are told apart, see :class:`autograder.exchange.identity.Identity`.
    course_root : pathlib.Path, optional
        The course's folder, which lies below the server's root; only for instructors.
    banner : str
        One sentence shown above every page; none if empty.

    Returns
    -------
    dict of str to str
    """
    variables = {
        # The first folder wins.
        "JUPYTER_CONFIG_PATH": f"{HERE / role}:{HERE / 'everybody'}",
        "COURSE_ID": course,
        "COURSE_EXCHANGE": str(exchange),
        "COURSE_IDENTITY": identity,
        # Every kernel without a provisioner of its own is forked warm, whatever a lesson names.
        "JUPYTER_DEFAULT_PROVISIONER_NAME": "autograder-warm",
    }
    if course_root is not None:
        variables["COURSE_ROOT"] = str(course_root)
    if banner:
        variables["HUB_BANNER"] = banner
    return variables
