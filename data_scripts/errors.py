"""What can go wrong between a data set and a lesson.

:class:`DataError` is what a student sees: one sentence that says what was received, what was
expected and what to do. The other two stay inside the package: each carries a clause of that
sentence, because only the caller knows whether there is another source to try.
"""

import errno

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DataError(RuntimeError):
    """No source could give the data; the message is one whole sentence."""


class CacheError(DataError):
    """The cache folder cannot be written or has no room; no other source would help."""


class DataWarning(UserWarning):
    """The data is right, yet something about the cache needs a person's attention."""


class SourceFailed(Exception):
    """One source did not give the data; the next one may. Its message is a clause."""


class WrongContent(SourceFailed):
    """A source gave something, and it is not what the catalogue says."""


def clause(error: BaseException) -> str:
    """The first line of an error's message, fit to stand inside a sentence.

    Parameters
    ----------
    error : BaseException
        Any exception, for instance one that a decoder raised on damaged bytes.

    Returns
    -------
    str
        At most 120 characters, with no full stop at the end and none inside followed by a space;
        the name of the exception if it has no message.
    """
    lines = str(error).strip().splitlines()
    text = " ".join(lines[0].split()) if lines else ""
    return text[:120].rstrip(" .").replace(". ", ", ") or type(error).__name__


def cache_error(error: OSError, path: object) -> CacheError:
    """Say in one sentence why the cache could not be written.

    Parameters
    ----------
    error : OSError
        What the operating system answered.
    path : path-like
        The file or folder that was being written.

    Returns
    -------
    CacheError
        Not raised yet, so that the caller can keep the cause: ``raise … from error``.
    """
    if error.errno in _FULL:
        return CacheError(
            f"the disk is full: {path} could not be written ({error.strerror}), and nothing "
            "unfinished was left behind; free some space, or set COURSE_DATA_CACHE to a folder "
            "on a larger disk."
        )
    return CacheError(
        f"the cache cannot be written: {path} gave “{error.strerror or clause(error)}”, expected "
        "a folder that you may write to; set COURSE_DATA_CACHE to such a folder."
    )
