"""What an examination says in the end: points, and remarks in words for student and instructor."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.checks.verdicts import ExerciseVerdict, read_verdict
from autograder.kernels.limits import Limits
from autograder.workers.tasks import CellVerdict


def limit_words(exceeded: Mapping[str, Any]) -> str:
    """Say which limit was exceeded, and its value."""
    return (
        f"stopped by a limit: more than {exceeded['value']:g} {exceeded['unit']} "
        f"({exceeded['limit']})"
    )


def limit_remark(cell: NotebookNode, limits: Limits) -> str:
    """Name the limit behind an error that the system gave to the student's code."""
    for output in cell.outputs:
        if output.get("output_type") == "error" and output.get("ename") in (
            "OSError",
            "MemoryError",
        ):
            text = str(output.get("evalue", ""))
            if "Errno 27" in text:
                return f"stopped by a limit: a file of more than {limits.file_mb} MB"
            if "Errno 28" in text:
                return f"stopped by a limit: more than {limits.scratch_mb} MB in files"
    return ""


def read_answer(cell: NotebookNode, answer: dict[str, Any]) -> CellVerdict:
    """Turn the examiner's answer into points."""
    possible = float(cell.metadata.nbgrader.points)
    error = answer["error"] or {}
    if error:
        words = "stopped in the test cell"
        if error.get("evalue"):
            words = str(error["evalue"])
        cell.outputs.append(error_output(str(error["ename"]), words))
    verdicts: list[ExerciseVerdict] = []
    if answer["verdict"] is not None:
        try:
            verdicts = read_verdict(str(answer["verdict"]), answer["token"])
        except ValueError as problem:
            return no_verdict(cell, f"no verdict: {problem}")
    lost = str(answer["lost"] or "")
    if verdicts:
        return _exercise_verdict(cell, verdicts, lost)
    plain = answer["plain"] or {}
    remark = lost or str(plain.get("problem", ""))
    if "points" in plain:
        points = min(max(float(plain["points"]), 0.0), possible)
    else:
        points = float(plain.get("share", 0.0)) * possible
    if error and not remark:
        remark = (
            f"a hidden test failed ({error['ename']})"
            if error.get("hidden")
            else f"the test cell stopped with {error['ename']}: {error.get('evalue', '')}".rstrip(
                ": "
            )
        )
    name = cell.metadata.nbgrader.grade_id.removeprefix("test_")
    return CellVerdict(name, round(points, 2), possible, remark, [], [])


def _exercise_verdict(
    cell: NotebookNode, verdicts: list[ExerciseVerdict], remark: str
) -> CellVerdict:
    possible = float(cell.metadata.nbgrader.points)
    declared = sum(verdict.possible for verdict in verdicts)
    share = sum(verdict.points for verdict in verdicts) / declared if declared else 0.0
    findings = [finding for verdict in verdicts for finding in verdict.findings]
    return CellVerdict(
        exercise=verdicts[0].exercise,
        points=round(min(max(share, 0.0), 1.0) * possible, 2),
        possible=possible,
        remark=remark,
        hints=list(dict.fromkeys(finding.hint_id for finding in findings)),
        findings=[dataclasses.asdict(finding) for finding in findings],
    )


def no_verdict(cell: NotebookNode, remark: str) -> CellVerdict:
    """Give a test cell no points, and say why."""
    name = cell.metadata.nbgrader.grade_id.removeprefix("test_")
    return CellVerdict(name, 0.0, float(cell.metadata.nbgrader.points), remark, [], [])


def note(cell: NotebookNode, remark: str) -> list[str]:
    """What went wrong in an answer cell; the rest of a notebook is the student's own business."""
    nbgrader = cell.metadata.get("nbgrader")
    if not nbgrader:
        return [remark] if remark.startswith("stopped by a limit") else []
    if not remark:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        attempted = [error for error in errors if error.ename != "NotImplementedError"]
        remark = f"the cell stops with {attempted[0].ename}" if attempted else ""
    return [f"{nbgrader.grade_id}: {remark}"] if remark else []


def error_output(name: str, text: str) -> NotebookNode:
    """Make the output of a cell that stops with an error."""
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
