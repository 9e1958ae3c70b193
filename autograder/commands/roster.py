"""The command ``autograder roster``."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

OK, PROBLEM = 0, 1
# Changes that are shown one by one; of more, the number says enough.
SHOWN = 200


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    roster = commands.add_parser(
        "roster",
        help="bring the gradebook's students in line with a list from Canvas, Moodle or a table",
        epilog="Example: autograder roster import class.csv --dry-run",
    )
    actions = roster.add_subparsers(dest="action", required=True, metavar="ACTION")
    importing = actions.add_parser(
        "import",
        help="add and update students from a CSV file",
        epilog="Example: autograder roster import class.csv --dry-run   shows what would change. "
        "Canvas: Grades, Export. Moodle: Grades, Export, Plain text file. A plain table has the "
        "columns id, first_name, last_name, email.",
    )
    importing.add_argument("file", type=Path, metavar="FILE")
    add_reading_options(importing)
    importing.add_argument("--dry-run", action="store_true", help="show the changes, make none")
    importing.add_argument(
        "--remove-absent",
        action="store_true",
        help="remove students who are not in the file; those who handed something in stay",
    )
    importing.add_argument(
        "--force",
        action="store_true",
        help="with --remove-absent: remove those, too, and all their marks",
    )
    importing.add_argument("--json", action="store_true", help="one JSON object")
    importing.set_defaults(run=run, usage_error=importing.error)


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Describe how a list of students is read."""
    parser.add_argument(
        "--encoding", metavar="NAME", help="the list's encoding: cp1252, gb18030, … (UTF-8)"
    )
    parser.add_argument(
        "--id-column",
        metavar="HEADING",
        help="the column that holds nbgrader's ids (SIS Login ID, Username, id)",
    )
    parser.add_argument(
        "--before-at", action="store_true", help="of an id like ada@uni.edu, take ada"
    )
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        type=named,
        metavar="FIELD=HEADING",
        help="in a table with other headings: where id, first_name, last_name, email stand",
    )


def named(words: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``."""
    name, equals, value = words.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise argparse.ArgumentTypeError(f"{words!r} is not of the form NAME=VALUE")
    return name.strip(), value.strip()


def run(options: argparse.Namespace) -> int:
    """Import, and show what changed."""
    if options.force and not options.remove_absent:
        options.usage_error("--force goes with --remove-absent")
    from autograder.configuration import load_course
    from autograder.course_lock import alone
    from autograder.roster.people import read_roster

    root = options.course.resolve()
    config = load_course(root)
    # A list that is no good is found before nbgrader is imported, which takes seconds.
    roster = read_roster(
        options.file,
        encoding=options.encoding,
        id_column=options.id_column,
        columns=dict(options.column),
        before_at=options.before_at,
    )
    from autograder.startup import postponed_grammar

    with postponed_grammar():
        from nbgrader.coursedir import CourseDirectory

        from autograder.gradebook.ledger import Ledger, LedgerError
        from autograder.gradebook.presence import exists
        from autograder.roster.enrolment import apply, plan
        from autograder.roster.tables import RosterError

    course = CourseDirectory(config=config)
    how = {"remove": options.remove_absent, "force": options.force}
    try:
        if options.dry_run:
            changes = []
            if exists(course.db_url):
                with Ledger(course.db_url, course.course_id) as gradebook:
                    changes = gradebook.read(lambda: plan(roster, gradebook, course, **how))
            else:
                changes = plan(roster, None, course, **how)
        else:
            with alone(root), Ledger(course.db_url, course.course_id) as gradebook:

                def change() -> list:
                    planned = plan(roster, gradebook, course, **how)
                    apply(planned, gradebook)
                    return planned

                changes = gradebook.write(change)
    except LedgerError as error:
        raise RosterError(str(error)) from None
    if options.json:
        about = {
            "file": roster.file,
            "format": roster.kind,
            "encoding": roster.encoding,
            "id_column": roster.id_column,
            "dry_run": options.dry_run,
            "changes": [dataclasses.asdict(item) for item in changes],
        }
        print(json.dumps(about, ensure_ascii=False, indent=1))
    else:
        _show(roster, changes, options)
    return OK


def _show(roster: object, changes: list, options: argparse.Namespace) -> None:
    from autograder.roster.formulas import one_line

    shown = [item for item in changes if item.what in ("add", "update", "remove")]
    for item in shown[:SHOWN]:
        details = ", ".join(
            f"{field}: {new}" if not old else f"{field}: {old} → {new}"
            for field, (old, new) in item.fields.items()
        )
        marks = f"with {_counted(item.work)} and its marks" if item.work else ""
        print(one_line(f"{item.what:<7}{item.student:<20} {details or marks or item.name}"))
    if len(shown) > SHOWN:
        print(f"… and {len(shown) - SHOWN} more")
    numbers = {
        what: sum(item.what == what for item in changes)
        for what in ("add", "update", "same", "remove")
    }
    add, update, remove = numbers["add"], numbers["update"], numbers["remove"]
    if options.dry_run:
        done = f"would add {add}, update {update}, remove {remove}"
    else:
        done = f"added {add}, updated {update}, removed {remove}"
    print(
        f"{roster.file} ({roster.kind}, {len(roster.people)} students, ids from "
        f"{roster.id_column!r}): {done}; {numbers['same']} are as they should be."
    )
    kept = [item for item in changes if item.what == "keep"]
    if kept:
        names = ", ".join(item.student for item in kept[:10]) + (", …" if len(kept) > 10 else "")
        if not options.remove_absent:
            advice = "they stay; --remove-absent removes those without work"
        else:
            advice = "they have handed in work and stay; --force removes them with their marks"
        print(f"In the gradebook but not in the file: {one_line(names)} ({advice}).")
    if options.dry_run:
        print("Nothing was changed.", file=sys.stderr)


def _counted(work: int) -> str:
    return f"{work} assignment{'' if work == 1 else 's'}"
