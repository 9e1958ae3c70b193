"""Who hands in, and how the instructor's side can tell: by user id, by folder, or not at all."""

import os
import sys

from traitlets import Enum
from traitlets.config import Configurable

SYSTEM_USERS = "system users"
PODS = "pods"
ONE_USER = "one user"
KINDS = (SYSTEM_USERS, PODS, ONE_USER)


class IdentityError(Exception):
    """Nobody can tell who this is; the message says what to do."""


class Identity(Configurable):
    """How people are told apart. The one setting in which installations differ.

    Examples
    --------
    ::

        c.Identity.kind = "pods"
    """

    kind = Enum(
        KINDS,
        SYSTEM_USERS,
        help=(
            "'system users': everybody has a user of their own, and a submission belongs to whoever"
            " owns it. 'pods': all have the same user id, and each student's pod sees a folder of"
            " its own, inbound-NAME. 'one user': everybody is the same user and nothing proves"
            " anything; for a demonstration on one's own machine."
        ),
    ).tag(config=True)

    @property
    def proved_by_owner(self) -> bool:
        """Whether the owner of a file says who wrote it."""
        return self.kind == SYSTEM_USERS and sys.platform != "win32"

    @property
    def proved_by_folder(self) -> bool:
        """Whether the folder in which a submission lies says who put it there."""
        return self.kind == PODS

    def me(self) -> str:
        """Name of the person who runs this process.

        Raises
        ------
        IdentityError
            If the system's user says nothing and JupyterHub has not said it either.
        """
        if self.kind == SYSTEM_USERS:
            from nbgrader.utils import get_username

            return get_username()
        name = os.environ.get("JUPYTERHUB_USER", "")
        if not name:
            raise IdentityError(
                f"with c.Identity.kind = {self.kind!r} JupyterHub must say who you are, but "
                "JUPYTERHUB_USER is not set: start this from JupyterHub, or pass --student NAME"
            )
        return name


def name_of(uid: int) -> str | None:
    """Name of a system user; None if there is no such user."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
