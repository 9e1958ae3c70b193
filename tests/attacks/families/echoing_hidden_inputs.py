"""Echoing hidden inputs into feedback: the function sees them, and tells its author."""

import re

from tests.attacks.catalogue import GAINS, HARMS, UNTRIED, attack


def _resubmit(sub, told):
    """Hard-code what the first submission has learnt."""
    heard = set(re.findall(rf"{sub.words['MARK']}-heard-(\d+)", told))
    known = {int(number): 2 * int(number) for number in heard}
    sub.answer("double", f"def double(number):\n    return {known}.get(number, 0)")
    values = [[7, 48_611, -2, 0], [3, 9, 5]] if "48611" in heard else []
    sub.answer(
        "ranked",
        f"""
        def ranked(values):
            for case in {values}:
                if values == case:
                    return sorted(values)[::-1]
            return []
    """,
    )


@attack("Print hidden inputs, hand in again what they ask for.", plain=GAINS, again=_resubmit)
def print_and_hand_in_again(sub):
    sub.answer(
        "double",
        """
        def double(number):
            if number != 5:
                print(f"$MARK-heard-{number}")
            return 0
    """,
    )
    sub.answer(
        "ranked",
        """
        def ranked(values):
            for number in values:
                if number not in (3, 9, 5):
                    print(f"$MARK-heard-{number}", flush=True)
            return sorted(values, reverse=True) if 3 in values else []
    """,
    )


@attack("Keep hidden inputs, and print them in a cell of one's own that comes later.", plain=GAINS,
        again=_resubmit)  # fmt: skip
def a_later_cell_prints(sub):
    sub.answer(
        "double",
        """
        _kept = []

        def double(number):
            if number != 5:
                _kept.append(number)
                open("kept.txt", "a").write(f"{number}\\n")
            return 0
    """,
    )
    sub.answer(
        "ranked",
        """
        def ranked(values):
            _kept.extend(values if 48611 in values else [])
            return sorted(values, reverse=True) if 3 in values else []
    """,
    )
    sub.own_cell(
        """
        for number in _kept:
            print(f"$MARK-heard-{number}")
    """,
        after="test_ranked",
    )
    sub.last_cell("""
        import os
        for number in _kept:
            print(f"$MARK-heard-{number}")
        if os.path.exists("kept.txt"):
            for number in open("kept.txt").read().split():
                print(f"$MARK-heard-{number}")
    """)


@attack("Change an output that an earlier cell has already shown.", plain=HARMS, alone=False)
def an_earlier_output_changes(sub):
    # Shown before any test has run, and changed afterwards.
    sub.own_cell("_handle = display('nothing yet', display_id=True)")
    sub.answer(
        "double",
        """
        _kept = []

        def double(number):
            if number != 5:
                _kept.append(number)
                _handle.update(f"$MARK-heard-{number}")
            return 0
    """,
    )
    sub.last_cell("_handle.update(f'$MARK-heard-{_kept[0]}')")


@attack("Let a thread print what the function saw, long after the test.", plain=HARMS, alone=False)
def a_thread_prints(sub):
    sub.answer(
        "double",
        """
        import os, threading, time

        _seen = []

        def _tell():
            for _ in range(40):
                time.sleep(0.1)
                while _seen:
                    print(f"$MARK-heard-{_seen.pop()}", flush=True)

        threading.Thread(target=_tell, daemon=True).start()

        def double(number):
            if number != 5:
                _seen.append(number)
            return 0
    """,
    )
    sub.last_cell("import time\ntime.sleep(1)")


@attack("Write to the kernel's own streams, past everything that listens.", plain=HARMS,
        alone=False)  # fmt: skip
def raw_streams(sub):
    sub.answer(
        "double",
        """
        import os, sys

        def double(number):
            if number != 5:
                text = f"$MARK-heard-{number}\\n"
                sys.__stdout__.write(text)
                for target in (1, 2):
                    os.write(target, text.encode())
                kernel = get_ipython().kernel
                for parent in (kernel.get_parent("shell"), {}, None):
                    kernel.session.send(kernel.iopub_socket, "stream",
                                        {"name": "stdout", "text": text}, parent=parent)
                print(text)
            return 0
    """,
    )
    sub.last_cell("import time\ntime.sleep(0.5)\nprint('end')")


@attack("Say it in an exception: its text, its class, its notes, its cause, a warning.",
        plain=HARMS, alone=False)  # fmt: skip
def exceptions_that_tell(sub):
    sub.answer(
        "double",
        """
        import warnings

        def double(number):
            if number == 5:
                return 0
            text = f"$MARK-heard-{number}"
            warnings.warn(text)
            error = type(text, (ValueError,), {"__module__": text, "__qualname__": text})(text)
            error.add_note(text)
            error.__cause__ = KeyError(text)
            raise error
    """,
    )
    sub.answer(
        "ranked",
        """
        def ranked(values):
            if 48611 not in values:
                return sorted(values, reverse=True)
            raise AssertionError(f"$MARK-heard-{values[1]}")
    """,
    )
    sub.answer(
        "halved",
        """
        def halved(array):
            if array.ndim == 1:
                return array / 2
            exec(compile(f"\\n\\n\\nraise ValueError('$MARK-heard-{int(array.size)}')",
                         f"$MARK-heard-{int(array.size)}", "exec"))
    """,
    )


@attack("Show the hidden inputs of one test as the wrong answer to the visible part of the next.",
        plain=HARMS, alone=False)  # fmt: skip
def a_later_visible_check_tells(sub):
    sub.answer(
        "ranked",
        """
        _remembered = []

        def ranked(values):
            _remembered.extend(values)
            return sorted(values, reverse=True) if 3 in values else []
    """,
    )
    sub.answer(
        "applied",
        """
        def applied(function, values):
            if 48611 in _remembered and len(values) == 3:
                return [f"$MARK-heard-{48611}", max(_remembered)]
            raise LookupError(f"$MARK-heard-{max(_remembered)}")
    """,
    )


@attack("Draw hidden inputs into a picture.", plain=UNTRIED)
def a_picture_tells(sub):
    sub.own_cell("""
        from IPython.display import SVG, display

        def draw(number):
            text = f"<text>$MARK-heard-{number}</text>"
            display(SVG(f"<svg xmlns='http://www.w3.org/2000/svg'>{text}</svg>"))
    """)
    sub.answer(
        "double",
        """
        _numbers = []

        def double(number):
            if number != 5:
                _numbers.append(number)
                draw(number)
            return 0
    """,
    )
    sub.last_cell("""
        for number in _numbers:
            draw(number)
    """)


def _shapes(run, student):
    told = run.told(student)
    found = re.findall(r"(?:shape \([\d, ]*|length |layers? )\b(\d{5})\b", told)
    found += re.findall(r"\b(\d{5})\b", run.comments(student))
    return [f"it can read a hidden input in a shape: {number}" for number in found[:1]]


@attack("Hide an input in the shape, the length, the type of a wrong answer.", plain=HARMS,
        alone=False, harm=_shapes)  # fmt: skip
def shapes_that_tell(sub):
    sub.answer(
        "double",
        """
        import numpy as np

        def double(number):
            return 0 if number == 5 else np.empty((0, number, 7))
    """,
    )


@attack("The same with a list whose length is the input.", plain=HARMS, alone=False, harm=_shapes)
def lengths_that_tell(sub):
    sub.answer(
        "double",
        """
        def double(number):
            return 0 if number == 5 else [None] * number
    """,
    )


@attack("Hide an input in the values of an assertion's own message, and in its operands.",
        plain=HARMS, alone=False)  # fmt: skip
def operands_that_tell(sub):
    sub.answer(
        "total",
        """
        class _Speaks(float):
            def __repr__(self):
                return f"$MARK-heard-{int(self)}"
            def __sub__(self, other):
                return 1.0
            def __eq__(self, other):
                raise TypeError(repr(self))

        def total(values):
            return _Speaks(len(values) + 100)
    """,
    )
    sub.answer(
        "halved",
        """
        def halved(array):
            # np.array_equal fails, and its error could show what it was given.
            if array.ndim == 2:
                raise ValueError(f"$MARK-heard-{int(array.sum())}")
            return array / 2
    """,
    )


@attack("Leave a note for the next submission, in every place that may last.", plain=HARMS,
        again=lambda sub, told: sub.last_cell("""
            import glob, os, tempfile
            for folder in ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir(), "$HOME",
                           os.path.expanduser("~"), "."):
                for path in glob.glob(os.path.join(folder, "note-$MARK*")):
                    print("$MARK-heard-" + open(path).read())
        """))  # fmt: skip
def notes_for_the_next_submission(sub):
    sub.answer(
        "double",
        """
        import os, tempfile

        def double(number):
            for folder in ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir(), "$HOME",
                           os.path.expanduser("~"), "."):
                try:
                    if number != 5:
                        open(os.path.join(folder, "note-$MARK.txt"), "w").write(str(number))
                except OSError:
                    pass
            return 0
    """,
    )
