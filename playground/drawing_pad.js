import { bytesOf, element, freshId, onceAFrame, playgroundRoot } from "./page.js";

// The ink is kept finer than the picture that is sent, so that lines look smooth.
const FINER = 3;
const KEPT_FOR_UNDO = 30;

/**
 * A field to draw on, with mouse, pen, finger or keyboard.
 *
 * options:
 *   size       pixels of a side of the picture that `changed` receives
 *   lineWidth  of a stroke, as a share of the side, e.g. 0.08
 *   shown      CSS pixels of a side on the page
 *   label      what the field is called by a screen reader
 *   changed    called with the picture, a Uint8Array of size × size, row by row, 0 is paper and 255
 *              ink; at most once an animation frame
 *   told       called with a sentence after clear, undo and each keyboard action; optional
 *
 * Returns { root, canvas, clear, undo, load, picture, repaint, isEmpty }.
 */
export function createPad({ size, lineWidth, shown = 280, label, changed, told = () => {} }) {
  const side = size * FINER;
  const ink = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const small = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const pen = ink.getContext("2d", { willReadFrequently: true });
  const shrunk = small.getContext("2d", { willReadFrequently: true });
  shrunk.imageSmoothingEnabled = true;
  shrunk.imageSmoothingQuality = "high";

  const helpId = freshId("pad-help");
  const canvas = element("canvas", {
    class: "pg-pad",
    width: side,
    height: side,
    tabindex: 0,
    role: "application",
    "aria-roledescription": "drawing pad",
    "aria-label": label,
    "aria-describedby": helpId,
    style: `width: ${shown}px; height: ${shown}px`,
  });
  const help = element(
    "p",
    { id: helpId, class: "pg-soft pg-pad-help" },
    "By keyboard: ",
    element("kbd", {}, "arrows"),
    " move the pen, ",
    element("kbd", {}, "space"),
    " puts it down or lifts it, ",
    element("kbd", {}, "shift"),
    " makes larger steps, ",
    element("kbd", {}, "ctrl+z"),
    " takes a stroke back, ",
    element("kbd", {}, "del"),
    " clears.",
  );
  const heard = element("p", { class: "pg-heard", role: "status" });
  const root = element("div", { class: "pg-pad-frame" }, canvas, help, heard);

  let empty = true;
  const before = []; // pictures of the ink, for undo
  const cross = { x: side / 2, y: side / 2, down: false, seen: false };

  function say(words) {
    heard.textContent = words;
    told(words);
  }

  // ---- what is seen
  const view = canvas.getContext("2d");
  function repaint() {
    const colour = getComputedStyle(canvas).color;
    view.globalCompositeOperation = "source-over";
    view.clearRect(0, 0, side, side);
    view.drawImage(ink, 0, 0);
    view.globalCompositeOperation = "source-in";
    view.fillStyle = colour;
    view.fillRect(0, 0, side, side);
    view.globalCompositeOperation = "source-over";
    if (cross.seen) {
      const accent = getComputedStyle(canvas).getPropertyValue("--pg-second").trim() || "#a33f00";
      view.strokeStyle = accent;
      view.lineWidth = side / 140;
      view.beginPath();
      view.arc(cross.x, cross.y, (lineWidth * side) / 2, 0, 2 * Math.PI);
      if (cross.down) {
        view.fillStyle = accent;
        view.fill();
      }
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        const [from, to] = [lineWidth * side * 0.5, lineWidth * side * 1.1];
        view.moveTo(cross.x + dx * from, cross.y + dy * from);
        view.lineTo(cross.x + dx * to, cross.y + dy * to);
      }
      view.stroke();
    }
  }

  // ---- what is sent
  function picture() {
    shrunk.clearRect(0, 0, size, size);
    shrunk.drawImage(ink, 0, 0, size, size);
    const rgba = shrunk.getImageData(0, 0, size, size).data;
    const grey = new Uint8Array(size * size);
    for (let i = 0; i < grey.length; i += 1) grey[i] = rgba[4 * i + 3];
    return grey;
  }
  const tell = onceAFrame(() => {
    repaint();
    changed(picture());
  });

  // ---- strokes
  function remember() {
    before.push({ pixels: pen.getImageData(0, 0, side, side), empty });
    if (before.length > KEPT_FOR_UNDO) before.shift();
  }
  function line(from, to) {
    pen.strokeStyle = "black";
    pen.lineWidth = lineWidth * side;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
    empty = false;
  }
  function place(event) {
    const box = canvas.getBoundingClientRect();
    const border = canvas.clientLeft;
    return {
      x: ((event.clientX - box.left - border) / canvas.clientWidth) * side,
      y: ((event.clientY - box.top - border) / canvas.clientHeight) * side,
    };
  }

  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || last) return; // a second finger draws nothing
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    cross.seen = false;
    cross.down = false;
    remember();
    last = { ...place(event), pointer: event.pointerId };
    line(last, last);
    tell();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last || event.pointerId !== last.pointer) return;
    // All places between two frames, or quick strokes get corners.
    const between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) {
      const now = place(each);
      line(last, now);
      last = { ...now, pointer: last.pointer };
    }
    tell();
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, (event) => {
      if (!last || event.pointerId !== last.pointer) return;
      last = null; // the last movement is on its way already: nothing to tell
    });

  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (step && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const far = side * (event.shiftKey ? 0.1 : 0.03);
      const to = {
        x: Math.min(side, Math.max(0, cross.x + step[0] * far)),
        y: Math.min(side, Math.max(0, cross.y + step[1] * far)),
      };
      if (cross.down) line(cross, to);
      Object.assign(cross, to, { seen: true });
      const percent = (value) => Math.round((100 * value) / side);
      heard.textContent = `${percent(to.x)} right, ${percent(to.y)} down`;
      if (cross.down) tell();
      else repaint();
    } else if (event.key === " ") {
      cross.seen = true;
      cross.down = !cross.down;
      if (cross.down) {
        remember();
        line(cross, cross);
        tell();
      } else repaint();
      say(cross.down ? "Pen down." : "Pen lifted.");
    } else if (event.key === "Escape") {
      cross.down = false;
      repaint();
      say("Pen lifted.");
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      undo();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) {
      cross.seen = true;
      repaint();
    }
  });
  canvas.addEventListener("blur", () => {
    cross.seen = false;
    cross.down = false;
    repaint();
  });

  // ---- commands
  function clear() {
    if (!empty) remember();
    pen.clearRect(0, 0, side, side);
    empty = true;
    cross.down = false;
    tell();
    say("Cleared.");
  }
  function undo() {
    const earlier = before.pop();
    if (!earlier) {
      say("Nothing to take back.");
      return;
    }
    pen.putImageData(earlier.pixels, 0, 0);
    empty = earlier.empty;
    cross.down = false;
    tell();
    say("Taken back.");
  }
  /** Show a picture instead, a Uint8Array of size × size. It is not sent back. */
  function load(grey) {
    if (grey.length !== size * size) return;
    remember();
    const pixels = shrunk.createImageData(size, size);
    empty = true;
    for (let i = 0; i < grey.length; i += 1) {
      pixels.data[4 * i + 3] = grey[i];
      if (grey[i]) empty = false;
    }
    shrunk.putImageData(pixels, 0, 0);
    pen.clearRect(0, 0, side, side);
    pen.drawImage(small, 0, 0, side, side);
    cross.down = false;
    repaint();
  }

  return { root, canvas, clear, undo, load, picture, repaint, isEmpty: () => empty };
}

/** The pad as a widget of its own: see DrawingPad in drawing_pad.py. */
function renderPad({ model, el }) {
  let own = null; // what was sent last, not to be loaded again when it comes back
  const pad = createPad({
    size: model.get("size"),
    lineWidth: model.get("line_width"),
    shown: model.get("shown"),
    label: model.get("label"),
    changed: (grey) => {
      own = new DataView(grey.buffer);
      model.set("picture", own);
      model.save_changes();
    },
  });
  const buttons = element(
    "div",
    { class: "pg-row" },
    element("button", { type: "button", onclick: () => pad.undo() }, "Undo"),
    element("button", { type: "button", onclick: () => pad.clear() }, "Clear"),
  );
  const leave = playgroundRoot(el, model.get("label"), () => pad.repaint());
  el.append(pad.root, buttons);
  const load = () => {
    const value = model.get("picture");
    if (value !== own) {
      const grey = bytesOf(value);
      pad.load(grey.length ? grey : new Uint8Array(model.get("size") ** 2));
    }
  };
  model.on("change:picture", load);
  if (bytesOf(model.get("picture")).length) load();
  return () => {
    model.off("change:picture", load);
    leave();
  };
}

export default { render: renderPad };
