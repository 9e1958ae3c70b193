"""Ways to call an answer that a plain call does not offer."""

import copy
import sys
from collections.abc import Callable
from typing import Any


def call_in_place(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Call a function and see what it did to its arguments.

    A test cell may run in another process than the answer. The answer then works on copies of its
    arguments, and what it changes in them is not seen after a plain call. Use this for answers that
    change their arguments, or must not.

    Parameters
    ----------
    function : callable
        The answer.
    *args, **kwargs : Any
        Its arguments; copied, so that these stay as they are.

    Returns
    -------
    result : Any
        What the function returned.
    args : tuple
        The positional arguments as the function left them.

    Examples
    --------
    >>> call_in_place(list.sort, [3, 1, 2])
    (None, ([1, 2, 3],))
    """
    standins = sys.modules.get("autograder.rooms.standins")
    place = None if standins is None else standins.place_of(function)
    if place is not None:
        result, left = place.ask("in-place", function, list(args), kwargs)
        if type(left) is not tuple or len(left) != len(args):
            raise TypeError("the answer did not hand its arguments back")
        return result, left
    args, kwargs = copy.deepcopy((args, kwargs))
    return function(*args, **kwargs), args
