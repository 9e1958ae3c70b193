"""How fast a machine is taught, how right it is, and how fast the convolution stepper answers.

::

    python -m benchmarks.playground_teaching
    python -m benchmarks.playground_teaching --json

* **Teaching**, without a page: cats and trucks of the embedded CIFAR-10, ten examples each, another
  ten for each of five seeds; then ten new pictures from the test half. Times are for looking at the
  pictures and for training the head. What a kernel needs once, to import Keras and to load the
  network, is told apart: the widget does it while the classes get their names.
* **Stepping**, in a real JupyterLab with chromium: from a key to the frame in which everything is
  painted, 100 times. Left out where there is no chromium.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recording import machine

CLASSES = ("cat", "truck")
EACH, TRIED = 10, 5  # pictures of each class: to learn from, and to try
SEEDS = range(1, 6)
STEPS = 100

_STEPPED = """async steps => {
  const stage = document.querySelector(".pg-step-stage");
  const told = document.querySelector(".pg-step-told");
  const painted = () => new Promise(done => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
  }));
  const answered = [], seen = [];
  for (let step = 0; step < steps; step += 1) {
    await new Promise(done => setTimeout(done, 60));
    const before = told.textContent;
    const begun = performance.now();
    const key = step % 10 < 5 ? "ArrowRight" : "ArrowLeft";
    stage.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    while (told.textContent === before && performance.now() < begun + 2000)
      await Promise.resolve();
    answered.push(performance.now() - begun);
    await painted();
    seen.push(performance.now() - begun);
  }
  return { answered, seen };
}"""


def teaching() -> dict[str, Any]:
    """Teach and try, once for each seed."""
    from data_scripts import CLASS_NAMES, load
    from playground.teach_a_machine import TeachAMachine

    begun = time.perf_counter()
    from playground import picture_classifier

    picture_classifier.prepare()
    prepared = time.perf_counter() - begun
    train, test = load("cifar10", "quick")
    runs = []
    for seed in SEEDS:
        dice = np.random.default_rng(seed)

        def drawn(half: Any, name: str, count: int, dice: Any = dice) -> list[np.ndarray]:
            x, y = half
            return list(x[dice.permutation(np.flatnonzero(y == CLASS_NAMES.index(name)))[:count]])

        taught = TeachAMachine()
        for name in CLASSES:
            taught.add_examples(name, drawn(train, name, EACH))
        begun = time.perf_counter()
        taught._look(taught.examples.table()[0])
        looked = time.perf_counter() - begun
        taught.train()
        asked = [(name, picture) for name in CLASSES for picture in drawn(test, name, TRIED)]
        begun = time.perf_counter()
        answers = [taught.ask(picture) for _, picture in asked]
        waited = (time.perf_counter() - begun) / len(asked)
        right = sum(
            max(answer, key=answer.get) == name
            for (name, _), answer in zip(asked, answers, strict=True)
        )
        runs.append(
            {
                "seed": seed,
                "look_s": round(looked, 2),
                "train_s": round(taught.train_seconds, 2),
                "right": right,
                "of": len(asked),
                "answer_s": round(waited, 3),
            }
        )
        taught.close()
    return {"prepare_s": round(prepared, 1), "runs": runs}


def stepping() -> dict[str, Any] | None:
    """Step in the browser; None if there is no chromium."""
    from tests.playground import browser as at

    if at.chromium_found() is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with at.jupyterlab(place / "lab") as server, at.chromium(place / "chromium", server) as one:
            page, _ = at.new_page(one)
            page.set_default_timeout(180_000)
            at.open_notebook(page, server, "convolution_stepper")
            at.run_all(page)
            page.wait_for_selector(".pg-step-stage")
            page.evaluate(_STEPPED, 10)  # warm
            times = page.evaluate(_STEPPED, STEPS)
    return {
        f"{name}_ms": {
            "median": round(float(np.median(values)), 1),
            "95 %": round(float(np.percentile(values, 95)), 1),
            "most": round(max(values), 1),
        }
        for name, values in times.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.playground_teaching",
        description="Measure teach_a_machine and the convolution stepper.",
        epilog="Example: python -m benchmarks.playground_teaching --json > figures.json",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    print("Stepping in the browser …", file=sys.stderr, flush=True)
    stepped = stepping()
    print("Teaching …", file=sys.stderr, flush=True)
    found = {"machine": machine(), "teaching": teaching(), "stepping": stepped}
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    print(f"Import Keras, load the network, look once: {found['teaching']['prepare_s']} s")
    for run in found["teaching"]["runs"]:
        print(
            f"seed {run['seed']}: {len(CLASSES)} × {EACH} pictures looked at in {run['look_s']} s, "
            f"head trained in {run['train_s']} s, {run['right']} of {run['of']} new ones right, "
            f"{run['answer_s']} s an answer"
        )
    if stepped is None:
        print("No chromium here: the stepper was not measured.")
    else:
        for name, words in (("answered", "to the new numbers"), ("seen", "to the painted frame")):
            times = stepped[f"{name}_ms"]
            print(
                f"From a key {words}: median {times['median']} ms, 95 % within {times['95 %']} ms, "
                f"longest {times['most']} ms"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
