"""The command ``autograder late``."""

import argparse
import dataclasses
import json

OK = 0


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    late = commands.add_parser(
        "late",
        help="work out late penalties again, after marking by hand or granting an extension",
        epilog="Example: autograder late 02_convolution --dry-run   The policy is that of "
        "nbgrader_config.py: c.AssignLatePenalties.plugin_class.",
    )
    late.add_argument("assignment", metavar="ASSIGNMENT")
    late.add_argument("--dry-run", action="store_true", help="show the penalties, change none")
    late.add_argument("--json", action="store_true", help="one JSON object")
    late.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Work out, and show what changed."""
    from autograder.configuration import load_course
    from autograder.course_lock import alone
    from autograder.startup import postponed_grammar

    root = options.course.resolve()
    config = load_course(root)
    with postponed_grammar():
        from nbgrader.coursedir import CourseDirectory
        from rich.console import Console
        from rich.table import Table
        from traitlets import TraitError

        from autograder.gradebook.ledger import Ledger, LedgerError
        from autograder.gradebook.penalties import PenaltyError, Renewal, renew_penalties
        from autograder.gradebook.presence import exists

    course = CourseDirectory(config=config)
    if not exists(course.db_url):
        raise PenaltyError(f"the course in {root} has no gradebook yet: grade something first")
    try:
        with alone(root), Ledger(course.db_url, course.course_id) as gradebook:

            def renew() -> list[Renewal]:
                return renew_penalties(gradebook, options.assignment, config)

            # What is only read is rolled back when the transaction ends.
            renewals = (gradebook.read if options.dry_run else gradebook.write)(renew)
    except (LedgerError, TraitError) as error:
        raise PenaltyError(str(error)) from None
    changed = sum(item.before != item.after for item in renewals)
    if options.json:
        about = {
            "assignment": options.assignment,
            "dry_run": options.dry_run,
            "late": [dataclasses.asdict(item) for item in renewals],
        }
        print(json.dumps(about, ensure_ascii=False, indent=1))
        return OK
    if renewals:
        table = Table(pad_edge=False)
        table.add_column("student")
        for name in ("points", "penalty was", "penalty is", "score"):
            table.add_column(name, justify="right")
        for item in renewals:
            figures = (item.score, item.before, item.after, max(0.0, item.score - item.after))
            table.add_row(item.student, *(f"{value:.2f}" for value in figures))
        Console().print(table)
    print(
        f"{options.assignment}: {len(renewals)} late, {changed} penalt"
        f"{'y' if changed == 1 else 'ies'} {'would change' if options.dry_run else 'changed'}."
    )
    return OK
