"""Two rooms: where the student's code runs, and where it is judged.

=================  ==============================================================================
`link`             frames of bytes on the socket between the rooms
`student`          the end in the student's kernel: answers requests
`examiner`         the end beside the tests: asks for names, and gives stand-ins for functions
`standins`         what test cells hold in place of a student's objects
`models`           Keras models as data: configuration and weights, rebuilt from an allow-list
`flattening`       what a subclassed model computes, as a model of Keras's own layers
=================  ==============================================================================

What becomes of a student's objects that are no data (data: see :mod:`autograder.wire`; models: see
:mod:`autograder.rooms.models`):

=====================  ==========================================================================
kind                   what a test cell holds
=====================  ==========================================================================
function, method,      a Python function with the same name, text and signature; defaults that
partial, built-in      cannot cross are shown as ``...``; its source cannot be read
generator, iterator    a generator that fetches item by item, also from endless ones
class                  a class: calling it makes an object there; class attributes, static and
                       class methods, ``isinstance`` and ``issubclass`` work
exception class        a class that extends the same built-in one; can be raised and caught
other object           a :class:`~autograder.rooms.standins.RemoteObject`: attributes, methods,
                       items, ``len``, ``in``, iteration, calls, ``with``, ``str``, ``repr``; two
                       of them can be compared and combined; no truth value, number or array
module, file, frame,   an object that says why it cannot be used, whatever is done with it; so is
code, lock, thread     data that cannot cross, such as a list that contains itself
=====================  ==========================================================================

A stand-in is good for one test cell. What a call does with its arguments:

* data and models are copied, so changes in place are not seen (use
  :func:`autograder.checks.call_in_place`);
* stand-ins become the student's own objects again, also inside containers;
* functions and classes of libraries are found by name there; other functions of the examiner's are
  called back, while the call runs, or calls of what it returned; so are its iterators;
* a ``numpy.random.Generator`` is copied with its state;
* what is printed or displayed meanwhile is dropped.

What a call raises arrives as the nearest built-in ``Exception``: ``NotImplementedError`` and
``NameError`` stay what they are. Anything else, ``SystemExit`` or ``StopIteration`` say, becomes a
:class:`~autograder.rooms.errors.StudentError`. A call that takes too long raises
:class:`~autograder.checks.limits.TimeLimitError`.

The student's room may send any bytes whatsoever. Only the examiner decodes them, and only plain
data and stand-ins come out.
"""

from autograder.rooms.link import LinkLost

__all__ = ["LinkLost"]
