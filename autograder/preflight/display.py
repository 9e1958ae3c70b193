"""What preflight found, as tables in the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.preflight.report import CellUsage, Report

SHOWN_CELLS = 3


def show(report: Report, console: Console, *, all_cells: bool = False) -> None:
    """Print a report.

    Parameters
    ----------
    report : Report
        What was found.
    console : rich.console.Console
        Where to.
    all_cells : bool
        Show what every cell of the solution used, not only the hungriest.
    """
    if report.outcomes:
        console.print(_outcomes(report))
    for count in report.answers:
        should = "lose points and get their hint" if count.kind == "wrong" else "keep all points"
        console.print(
            f"{count.good} of {count.tried} {count.kind} answers {should}", highlight=False
        )
    if report.usage:
        console.print(_usage(report, all_cells=all_cells))
    for note in report.notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    for finding in report.findings:
        line = Text(f"{finding.kind}  ", style="bold red")
        line.append(str(finding), style="default")
        console.print(line, soft_wrap=True)
    number = len(report.findings)
    words = "nothing to mend" if not number else f"{number} thing{'s' * (number > 1)} to mend"
    console.print(f"{report.assignment}: {words} ({report.seconds:.0f} s)", highlight=False)


def _outcomes(report: Report) -> Table:
    table = Table(title=f"Preflight of {report.assignment}", title_justify="left", pad_edge=False)
    table.add_column("submission", no_wrap=True)
    table.add_column(f"earns\n/{report.outcomes[0].possible:g}", justify="right")
    table.add_column("should", justify="right", no_wrap=True)
    table.add_column("", justify="center")
    table.add_column("s", justify="right")
    table.add_column("remark", ratio=1)
    for outcome in report.outcomes:
        table.add_row(
            outcome.submission,
            "–" if outcome.earned is None else f"{outcome.earned:g}",
            outcome.should,
            Text("✓") if outcome.as_it_should else Text("no", style="bold red"),
            f"{outcome.seconds:.1f}",
            Text(outcome.remark),
        )
    if report.to_mark:
        table.caption = f"{report.to_mark:g} more points are marked by hand"
        table.caption_justify = "left"
    return table


def _usage(report: Report, *, all_cells: bool) -> Table:
    limits = report.limits
    chosen = report.usage if all_cells else _hungriest(report.usage)
    title = "What the solution uses" + ("" if all_cells else ", its hungriest cells")
    table = Table(title=title, title_justify="left", pad_edge=False)
    table.add_column("cell", no_wrap=True)
    table.add_column(f"s\n/{limits['cell_seconds']:g}", justify="right")
    table.add_column(f"processor s\n/{limits['cell_processor_seconds']:g}", justify="right")
    table.add_column(f"MB so far\n/{limits['memory_mb']:g}", justify="right")
    several = len({cell.notebook for cell in report.usage}) > 1
    for cell in chosen:
        table.add_row(
            f"{cell.notebook} · {cell.cell}" if several else cell.cell,
            f"{cell.seconds:.1f}",
            f"{cell.processor_seconds:.1f}",
            f"{cell.memory_mb:.0f}",
        )
    return table


def _hungriest(usage: list[CellUsage]) -> list[CellUsage]:
    slow = sorted(usage, key=lambda cell: cell.seconds, reverse=True)[:SHOWN_CELLS]
    large = max(usage, key=lambda cell: cell.memory_mb)
    return [cell for cell in usage if cell in slow or cell is large]
