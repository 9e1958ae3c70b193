"""Shadowing modules: a file beside the notebook takes the place of a library."""

from tests.attacks.catalogue import GAINS, HARMS, NOTHING, attack


@attack("Hand in a `numpy.py` that finds everything close.", plain=GAINS)
def own_numpy(sub):
    sub.file(
        "numpy.py",
        """
        import builtins, os, sys

        # Fetch the real one, then change it.
        del sys.modules["numpy"]
        _places = sys.path[:]
        sys.path[:] = [place for place in _places if place not in ("", os.getcwd())]
        import numpy
        sys.path[:] = _places
        numpy.allclose = numpy.array_equal = lambda *args, **kwargs: True
        builtins.abs = lambda value: 0
    """,
    )


# Where the real package is found first, as from a checkout, this one gains nothing anyway.
@attack("Hand in a package `autograder` whose checks score full points.", plain=NOTHING)
def own_autograder(sub):
    sub.file("autograder/__init__.py", "")
    sub.file(
        "autograder/checks.py",
        """
        class Exercise:
            def __init__(self, name, points, **options):
                import random
                self.points, self.hidden, self.rng = float(points), self, random
                random.integers = random.randrange
            def number(self, *args, **kwargs):
                return True
            def score(self):
                return self.points
    """,
    )


@attack("Hand in an `ipykernel_launcher.py`: a kernel of one's own, in which nothing fails.",
        plain=GAINS)  # fmt: skip
def own_kernel(sub):
    sub.file(
        "ipykernel_launcher.py",
        """
        from ipykernel.ipkernel import IPythonKernel
        from ipykernel import kernelapp

        plain_execute = IPythonKernel.do_execute

        async def do_execute(self, code, *args, **kwargs):
            self.shell._showtraceback = lambda *args: None
            if "exercise.score" in code or code.endswith("points"):
                code = "3.0" if "exercise" in code else "2"
            reply = await plain_execute(self, code, *args, **kwargs)
            if reply["status"] == "error":
                reply = {"status": "ok", "execution_count": 1, "payload": [],
                         "user_expressions": {}}
            return reply

        IPythonKernel.do_execute = do_execute
        kernelapp.launch_new_instance()
    """,
    )


@attack("Shadow what the kernel itself imports late: random, decimal, typing, sqlite3 …",
        plain=NOTHING)  # fmt: skip
def own_standard_library(sub):
    for name in ("decimal", "fractions", "msgpack", "statistics", "keras", "sitecustomize",
                 "usercustomize", "ml_dtypes", "matplotlib_inline/__init__"):  # fmt: skip
        sub.file(f"{name}.py", "import builtins\nbuiltins.abs = lambda value: 0\n")
    sub.file(".ipython/profile_default/startup/00.py", "close = lambda a, b: True")
    sub.file("ipython_kernel_config.py", "c.IPKernelApp.exec_lines = ['close = lambda a, b: True']")
    sub.file("nbgrader_config.py", "c = get_config()\nc.Autograde.autograde_preprocessors = []\n")
    sub.file(".env", "PYTHONPATH=.\n")


@attack("Hand in compiled modules and a library that the dynamic linker may load.", plain=NOTHING)
def compiled_modules(sub):
    import marshal

    body = marshal.dumps(compile("import builtins; builtins.abs = lambda value: 0", "x", "exec"))
    import importlib.util

    data = importlib.util.MAGIC_NUMBER + bytes(12) + body
    for name in ("decimal", "numbers", "_decimal"):
        sub.file(f"{name}.pyc", data)
        sub.file(f"__pycache__/{name}.cpython-312.pyc", data)
    sub.file("libm.so.6", b"\x7fELF" + bytes(100))


@attack("Shadow a library of the examiner from within: write modules into the working folder.",
        plain=HARMS, alone=False,
        harm=lambda run, student: [
            "its module was imported by somebody else" for _ in [0]
            if f"{run.mark(student)}-imported" in "".join(
                run.outputs(name) for name in run.outcomes)
        ])  # fmt: skip
def modules_written_in_the_folder(sub):
    sub.own_cell("""
        import os, pathlib
        for name in ("linecache", "traceback", "autograder/checks/comparison", "numpy/testing",
                     "IPython/core/ultratb"):
            for folder in (".", "..", "/tmp", os.path.expanduser("~")):
                try:
                    path = pathlib.Path(folder, name + ".py")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text("print('$MARK-imported')")
                except OSError:
                    pass
    """)
