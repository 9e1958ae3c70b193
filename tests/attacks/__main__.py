"""``python -m tests.attacks``: what every attack achieves; exit code 1 if one works against us."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.attacks.classes import MODES, PLAIN
from tests.attacks.grading import Attempts, remove, table


def main() -> int:
    """Grade the attackers and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ATTACK", help="only these")
    parser.add_argument("--mode", action="append", choices=MODES, help="only these ways of grading")
    parser.add_argument("--keep", action="store_true", help="keep the graded courses")
    parser.add_argument("--log", action="store_true", help="show what the commands said")
    options = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    modes = options.mode or list(MODES)
    base = Path(tempfile.mkdtemp(prefix="attacks-"))
    succeeded = False
    try:
        attempts = Attempts(base, options.names, keep=options.keep)
        for mode in modes:
            graded = attempts.graded(mode, lambda text: print(text, file=sys.stderr, flush=True))
            if options.log:
                print(graded.log)
            print(f"{mode}: {graded.seconds:.0f} s", file=sys.stderr, flush=True)
            if mode != PLAIN:
                bad = any(outcome.word != "nothing" for outcome in graded.outcomes.values())
                succeeded = succeeded or bad or bool(graded.problems)
        print(table(attempts, modes))
    finally:
        remove(base)
    return int(succeeded)


if __name__ == "__main__":
    sys.exit(main())
