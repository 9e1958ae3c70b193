"""Scores that are not numbers: a test cell ends in something, and nbgrader makes marks of it."""

from tests.attacks.catalogue import GAINS, HARMS, NOTHING, attack


@attack("Make the score nan.", plain=GAINS)
def score_is_nan(sub):
    sub.answer(
        "total",
        """
        class _Nan(float):
            def __eq__(self, other):
                return float("nan")

        def total(values):
            return _Nan()
    """,
    )


@attack("Make the score negative: nbgrader gives full points for that.", plain=GAINS)
def score_is_negative(sub):
    sub.answer(
        "total",
        """
        class _Debt(float):
            def __eq__(self, other):
                return -3.0

        def total(values):
            return _Debt()
    """,
    )


@attack("Make the score a text, an array, a tensor, a picture.", plain=GAINS)
def score_is_a_text(sub):
    sub.answer(
        "total",
        """
        class _Text(str):
            def __add__(self, other):
                return self
            __radd__ = __truediv__ = __add__
            def __repr__(self):
                return "passed"

        class _Total(float):
            def __eq__(self, other):
                return _Text("passed")

        def total(values):
            return _Total()
    """,
    )


@attack("Make the score larger than there are points: infinite, or a thousand.", plain=HARMS,
        alone=False)  # fmt: skip
def score_is_infinite(sub):
    sub.answer(
        "total",
        """
        class _Rich(float):
            def __eq__(self, other):
                return 1e300

        def total(values):
            return _Rich()
    """,
    )


@attack("Return numbers that are none: nan, infinities, huge integers, arrays that broadcast.",
        plain=NOTHING)  # fmt: skip
def numbers_that_are_none(sub):
    sub.answer(
        "double",
        """
        def double(number):
            return float("nan") if number == 5 else 10**4000
    """,
    )
    sub.answer(
        "total",
        """
        import numpy as np

        def total(values):
            # `close` sees nan; the sum of comparisons sees an array of a thousand.
            return np.full((1000, 1), float(np.sum(values)))
    """,
    )
    sub.answer("ranked", "def ranked(values):\n    return np.array(sorted(values))[:, None]")
