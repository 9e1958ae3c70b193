"""How quickly the playground answers, measured in a real browser.

Run ``python -m benchmarks.playground``; it writes ``results/playground.json``. JupyterLab and
chromium run on this machine, with no network. Measured inside the page, from the browser's time
stamp of the last pointer event of a stroke to the frame in which the bars of both networks show the
answer to it; so the way to the kernel and back is in it, and the forward passes of both networks.
"""

import argparse
import datetime
import json
import os
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.recording import RESULTS, machine
from tests.playground.browser import (
    chromium,
    chromium_found,
    jupyterlab,
    new_page,
    open_notebook,
    run_all,
)
from tests.playground.handwriting import HANDS, draw

MOST_MILLISECONDS = 150
ROUNDS = 1  # of the twenty digits

_WATCH = """
() => {
  const table = document.querySelector(".pg-answers");
  const watch = (window.playgroundTimes = { last: 0, answers: [], frames: 0 });
  const events = ["pointerdown", "pointermove", "input"];
  for (const name of events)
    document.addEventListener(name, (event) => { watch.last = event.timeStamp; }, true);
  new MutationObserver(() => {
    if (table.getAttribute("aria-busy") !== "false") return;
    const asked = watch.last;
    requestAnimationFrame(() => watch.answers.push(performance.now() - asked));
  }).observe(table, { attributes: true, attributeFilter: ["aria-busy"] });
  new MutationObserver(() => { watch.frames += 1; }).observe(
    table, { subtree: true, childList: true, characterData: true });
}
"""
_SETTLE = """
() => new Promise((done) => {
  const table = document.querySelector(".pg-answers");
  let quiet = 0;
  const look = () => {
    quiet = table.getAttribute("aria-busy") === "true" ? 0 : quiet + 1;
    if (quiet > 6) done(window.playgroundTimes.answers.splice(0));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})
"""


def draw_a_digit(page: Page) -> dict[str, list[float]]:
    """Draw, and move the slider; return the milliseconds of every last answer."""
    page.evaluate(_WATCH)
    canvas = page.locator("canvas.pg-pad")
    strokes, shifts = [], []
    for _ in range(ROUNDS):
        for hand in HANDS.values():
            for digit in hand.values():
                page.get_by_role("button", name="Clear").click()
                page.evaluate(_SETTLE)
                for stroke in digit:
                    draw(page, canvas, [stroke])
                    strokes.append(page.evaluate(_SETTLE)[-1])
        slider = page.get_by_label("Move right")
        slider.focus()
        for key in ["ArrowRight"] * 5 + ["ArrowLeft"] * 5:
            page.keyboard.press(key)
            shifts.append(page.evaluate(_SETTLE)[-1])
    return {"stroke": strokes, "shift": shifts}


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Return the median, the 95th percentile and the largest of some times."""
    cuts = statistics.quantiles(milliseconds, n=20)
    return {
        "count": len(milliseconds),
        "median": round(statistics.median(milliseconds), 1),
        "percentile_95": round(cuts[-1], 1),
        "largest": round(max(milliseconds), 1),
    }


def main() -> int:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.playground",
        description=__doc__.splitlines()[0],
        epilog="Example: python -m benchmarks.playground --json",
    )
    parser.add_argument("--json", action="store_true", help="print the record as JSON")
    parser.add_argument("--no-write", action="store_true", help="leave the results file alone")
    options = parser.parse_args()
    if chromium_found() is None:
        raise SystemExit("no chromium found; install it: sudo apt-get install chromium")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with tempfile.TemporaryDirectory(prefix="playground-benchmark-") as name:
        folder = Path(name)
        with jupyterlab(folder / "lab") as server, chromium(folder, server) as browser:
            page, seen = new_page(browser)
            open_notebook(page, server, "draw_a_digit")
            run_all(page)
            times = {name: summary(found) for name, found in draw_a_digit(page).items()}
            problems = seen.problems()
    record = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "load_before": load,
        "no_network": server.apart,
        "problems": problems,
        "draw_a_digit": times,
    }
    if not options.no_write:
        path = RESULTS / "playground.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(kept | record, indent=1) + "\n")
    if options.json:
        print(json.dumps(record))
    else:
        for name, found in times.items():
            print(
                f"draw a digit, {name}: median {found['median']} ms, 95 % within "
                f"{found['percentile_95']} ms, largest {found['largest']} ms "
                f"({found['count']} times; wanted {MOST_MILLISECONDS} ms)"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
