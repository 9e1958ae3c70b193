import { createPad } from "./drawing_pad.js";
import { bytesOf, element, freshId, onceAFrame, paintGrey, playgroundRoot, spokenStatus } from "./page.js";

const NETWORKS = { mlp: "MLP", cnn: "CNN" };
const PATIENCE = 4000; // milliseconds after which the page says that no answer comes
const BIG = 6; // screen pixels of one pixel that the networks see

/** A slider with a name and its value beside it. */
function shiftSlider(name, ends, farthest, changed) {
  const id = freshId("shift");
  const value = element("output", { for: id, class: "pg-shift-value" }, "0");
  const input = element("input", { type: "range", id, min: -farthest, max: farthest, step: 1 });
  input.value = 0;
  const show = (pixels) => {
    input.value = pixels;
    const words = pixels === 0 ? "0" : `${Math.abs(pixels)} ${ends[pixels > 0 ? 1 : 0]}`;
    value.textContent = words;
    input.setAttribute("aria-valuetext", pixels === 0 ? "not moved" : `${words} pixels`);
  };
  input.addEventListener("input", () => {
    show(Number(input.value));
    changed(Number(input.value));
  });
  show(0);
  return { root: element("div", { class: "pg-row" }, element("label", { for: id }, name), input, value), show };
}

function renderDrawADigit({ model, el }) {
  let own = null;
  let waiting = 0;
  const status = spokenStatus();

  const ask = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.set("asked", model.get("asked") + 1);
    model.save_changes();
    showBusy();
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (model.get("answered") < model.get("asked"))
        status.say("No answer: the kernel is busy or has stopped. Run the cell again.", true);
    }, PATIENCE);
  };

  // ---- to draw
  const pad = createPad({
    size: model.get("size"),
    lineWidth: 0.085,
    label: "Draw a digit",
    changed: (grey) => {
      own = new DataView(grey.buffer);
      ask({ picture: own });
    },
  });
  const drawing = element(
    "section",
    { "aria-label": "Drawing", class: "pg-drawing" },
    element("h3", {}, "Draw a digit"),
    pad.root,
    element(
      "div",
      { class: "pg-row" },
      element("button", { type: "button", onclick: () => pad.undo() }, "Undo"),
      element("button", { type: "button", onclick: () => pad.clear() }, "Clear"),
      element(
        "button",
        { type: "button", onclick: () => model.send({ do: "example" }) },
        "Example from the test set",
      ),
    ),
  );

  // ---- what the networks see
  const side = 28 * BIG;
  const seen = element("canvas", {
    class: "pg-seen",
    role: "img",
    style: `width: ${side}px; height: ${side}px`,
  });
  const farthest = model.get("farthest");
  const sendShift = onceAFrame((changes) => ask(changes));
  let shift = {};
  const moved = (name) => (pixels) => {
    shift = { ...shift, [name]: pixels };
    sendShift(shift);
  };
  const right = shiftSlider("Move right", ["left", "right"], farthest, moved("right"));
  const down = shiftSlider("Move down", ["up", "down"], farthest, moved("down"));
  const back = element("button", {
    type: "button",
    onclick: () => {
      shift = { right: 0, down: 0 };
      right.show(0);
      down.show(0);
      sendShift(shift);
    },
  }, "Back to the middle");
  const view = element(
    "section",
    { "aria-label": "What the networks see", class: "pg-view" },
    element("h3", {}, "What the networks see"),
    seen,
    element("p", { class: "pg-soft pg-narrow" }, "28 × 28 pixels, scaled and centred as MNIST was, then moved:"),
    right.root,
    down.root,
    back,
  );

  // ---- what they say
  const rows = [];
  const body = element("tbody");
  for (let digit = 0; digit < 10; digit += 1) {
    const cells = {};
    for (const kind of Object.keys(NETWORKS)) {
      const fill = element("span", { class: "pg-fill" });
      const share = element("span", { class: "pg-share" });
      cells[kind] = { fill, share, cell: element("td", { class: `pg-${kind}` },
        element("span", { class: "pg-bar", "aria-hidden": "true" }, fill), share) };
    }
    rows.push(cells);
    body.append(
      element("tr", {}, element("th", { scope: "row" }, String(digit)), cells.mlp.cell, cells.cnn.cell),
    );
  }
  const heads = {};
  for (const kind of Object.keys(NETWORKS))
    heads[kind] = element("span", { class: "pg-read", "data-network": kind }, "–");
  const table = element(
    "table",
    { class: "pg-answers" },
    element("caption", { class: "pg-heard" }, "Probability of each digit, by both networks"),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col" }, "Digit"),
        ...Object.entries(NETWORKS).map(([kind, name]) =>
          element("th", { scope: "col" }, `${name} reads `, heads[kind]),
        ),
      ),
    ),
    body,
  );
  const said = element("section", { "aria-label": "Answers" },
    element("h3", {}, "What they say"), table);

  // ---- from the kernel
  const showSeen = () => {
    const grey = bytesOf(model.get("seen"));
    paintGrey(seen, grey, 28, 28);
    seen.setAttribute("aria-label",
      grey.length ? "The digit as the networks see it" : "Empty: nothing is drawn");
  };
  const showAnswers = () => {
    const answers = model.get("answers");
    for (const kind of Object.keys(NETWORKS)) {
      const shares = answers[kind];
      const best = shares ? shares.indexOf(Math.max(...shares)) : -1;
      heads[kind].textContent = best < 0 ? "–" : String(best);
      rows.forEach((cells, digit) => {
        const { fill, share, cell } = cells[kind];
        const value = shares ? shares[digit] : 0;
        fill.style.width = `${100 * value}%`;
        share.textContent = shares ? `${(100 * value).toFixed(value < 0.995 && value >= 0.001 ? 1 : 0)} %` : "";
        cell.classList.toggle("pg-best", digit === best);
      });
    }
  };
  const showBusy = () =>
    table.setAttribute("aria-busy", String(model.get("answered") < model.get("asked")));
  const showWords = () => {
    showBusy();
    status.say(model.get("words"));
  };
  const showShift = () => {
    shift = { right: model.get("right"), down: model.get("down") };
    right.show(shift.right);
    down.show(shift.down);
  };
  const showPicture = () => {
    const value = model.get("picture");
    if (value === own) return;
    const grey = bytesOf(value);
    pad.load(grey.length ? grey : new Uint8Array(model.get("size") ** 2));
  };
  const listeners = {
    "change:seen": showSeen,
    "change:answers": showAnswers,
    "change:words": showWords,
    "change:answered": showWords,
    "change:right": showShift,
    "change:down": showShift,
    "change:picture": showPicture,
  };
  for (const [event, action] of Object.entries(listeners)) model.on(event, action);

  const leave = playgroundRoot(el, "Draw a digit", () => {
    pad.repaint();
    showSeen();
  });
  el.append(
    element("div", { class: "pg-columns" }, drawing, view, said),
    ...status.parts,
  );
  showSeen();
  showAnswers();
  showShift();
  if (bytesOf(model.get("picture")).length) showPicture();
  showWords();
  return () => {
    clearTimeout(waiting);
    status.stop();
    for (const [event, action] of Object.entries(listeners)) model.off(event, action);
    leave();
  };
}

export default { render: renderDrawADigit };
