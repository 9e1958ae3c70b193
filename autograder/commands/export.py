"""The command ``autograder export``."""

import argparse
import json
import sys
from pathlib import Path

from autograder.commands.roster import add_reading_options, named

OK, PROBLEM = 0, 1
FORMATS = {
    "csv": "autograder.exports.csv.CsvExporter",
    "canvas": "autograder.exports.canvas.CanvasExporter",
    "moodle": "autograder.exports.moodle.MoodleExporter",
    "json": "autograder.exports.json.JsonExporter",
}


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the command's options."""
    export = commands.add_parser(
        "export",
        help="write marks for a spreadsheet, Canvas, Moodle or a program",
        epilog="Example: autograder export 02_convolution --format canvas --roster canvas.csv "
        "--to marks.csv   The list is the gradebook that Canvas exports; nbgrader does the same "
        "with: nbgrader export --exporter autograder.exports.canvas.CanvasExporter "
        "--CanvasExporter.roster=canvas.csv",
    )
    export.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="which (all)")
    export.add_argument("--format", choices=FORMATS, default="csv")
    export.add_argument("--to", type=Path, metavar="FILE", help="where (grades.csv, …)")
    export.add_argument("--student", action="append", default=[], metavar="ID", help="only these")
    export.add_argument(
        "--roster", type=Path, metavar="FILE", help="match and order students by this list"
    )
    add_reading_options(export)
    export.add_argument(
        "--heading",
        action="append",
        default=[],
        type=named,
        metavar="ASSIGNMENT=HEADING",
        help="what the platform calls the column of an assignment",
    )
    export.add_argument(
        "--absent",
        choices=("blank", "zero"),
        help="what stands where nothing was handed in (blank; for csv zero, as in nbgrader)",
    )
    export.add_argument("--force", action="store_true", help="write over a file that exists")
    export.add_argument("--json", action="store_true", help="one JSON object about the export")
    export.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Export, and say what the instructor should know."""
    from autograder.configuration import load_course
    from autograder.startup import postponed_grammar

    root = options.course.resolve()
    config = load_course(root)
    with postponed_grammar():
        from nbgrader.api import Gradebook
        from nbgrader.coursedir import CourseDirectory
        from traitlets import import_item

        from autograder.exports.marks import ExportError
        from autograder.gradebook.presence import exists

    course = CourseDirectory(config=config)
    if not exists(course.db_url):
        raise ExportError(
            f"the course in {root} has no gradebook yet: `nbgrader generate_assignment` makes it"
        )
    exporter = import_item(FORMATS[options.format])(config=config)
    exporter.assignment = options.assignments or exporter.assignment
    exporter.student = options.student or exporter.student
    exporter.to = str(options.to or exporter.to or options.course / exporter.default_file)
    exporter.roster = str(options.roster or exporter.roster)
    exporter.roster_encoding = options.encoding or exporter.roster_encoding
    exporter.roster_id_column = options.id_column or exporter.roster_id_column
    exporter.roster_columns = dict(options.column) or exporter.roster_columns
    exporter.roster_before_at = options.before_at or exporter.roster_before_at
    exporter.headings = dict(options.heading) or exporter.headings
    exporter.absent = options.absent or exporter.absent
    exporter.force = options.force or exporter.force
    with Gradebook(course.db_url, course.course_id) as gradebook:
        outcome = exporter.write(gradebook)
    for remark in outcome.remarks:
        print(remark, file=sys.stderr)
    if options.json:
        about = {
            "file": str(outcome.path),
            "format": options.format,
            "assignments": outcome.assignments,
            "students": outcome.students,
            "missing": outcome.missing,
            "extra": outcome.extra,
            "remarks": outcome.remarks,
        }
        print(json.dumps(about, ensure_ascii=False, indent=1))
    else:
        students, assignments = len(outcome.students), len(outcome.assignments)
        print(
            f"{outcome.path}: {students} student{'' if students == 1 else 's'}, "
            f"{assignments} assignment{'' if assignments == 1 else 's'}."
        )
    return PROBLEM if outcome.lost else OK
