import { createPad } from "./drawing_pad.js";
import { bytesOf, element, freshId, paintGrey, playgroundRoot, spokenStatus } from "./page.js";

// CSS pixels of one map among many, by its height: small maps are not blown up too much.
const shownSide = (height) => (height > 20 ? 54 : height > 10 ? 44 : height > 1 ? 34 : 24);
const ACROSS = { ArrowRight: 1, ArrowLeft: -1 };

/** Blue for positive, orange for negative numbers, −127 … 127; white for zero. */
function paintSigned(canvas, values, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    const share = Math.abs(values[i]) / 127;
    const full = values[i] < 0 ? [179, 78, 0] : [0, 90, 143];
    for (let c = 0; c < 3; c += 1) pixels.data[4 * i + c] = 255 + share * (full[c] - 255);
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

/** A file of the visitor's as grey values, size × size, 0 for paper and 255 for ink. */
async function readPicture(file, size) {
  const bitmap = await createImageBitmap(file);
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, size, size);
  context.imageSmoothingQuality = "high";
  const scale = Math.min(size / bitmap.width, size / bitmap.height);
  const [w, h] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (size - w) / 2, (size - h) / 2, w, h);
  bitmap.close();
  const { data } = context.getImageData(0, 0, size, size);
  const grey = new Uint8Array(size * size);
  for (let i = 0; i < grey.length; i += 1)
    grey[i] = 255 - Math.round(0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
  // White chalk on a dark board: the edge tells which of the two is the paper.
  let edge = 0;
  const left = Math.ceil((size - w) / 2) + 1;
  const top = Math.ceil((size - h) / 2) + 1;
  let count = 0;
  for (let x = left; x < size - left; x += 1)
    for (const y of [top, size - 1 - top]) {
      edge += grey[y * size + x];
      count += 1;
    }
  if (count && edge / count > 127)
    for (let y = 0; y < size; y += 1)
      for (let x = 0; x < size; x += 1) {
        const inside = x >= left - 1 && x <= size - left && y >= top - 1 && y <= size - top;
        grey[y * size + x] = inside ? 255 - grey[y * size + x] : 0;
      }
  return grey;
}

function renderSeeInside({ model, el }) {
  const layers = model.get("layers");
  const size = model.get("size");
  let own = null;
  const status = spokenStatus();
  const send = (grey) => {
    own = new DataView(grey.buffer);
    model.set("picture", own);
    model.save_changes();
  };

  // ---- what goes in
  const pad = createPad({ size, lineWidth: 0.085, shown: 224, label: "Draw something", changed: send });
  const fileId = freshId("file");
  const file = element("input", { type: "file", id: fileId, accept: "image/*", class: "pg-heard" });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    try {
      const grey = await readPicture(chosen, size);
      pad.load(grey);
      send(grey);
    } catch {
      status.say(`The browser cannot read “${chosen.name}” as a picture. Try a PNG or JPEG file.`, true);
    }
    file.value = "";
  });
  const fitId = freshId("fit");
  const fit = element(
    "select",
    { id: fitId },
    element("option", { value: "digit" }, "as a digit: scaled and centred"),
    element("option", { value: "whole" }, "as it is"),
  );
  fit.addEventListener("change", () => {
    model.set("fit", fit.value);
    model.save_changes();
  });
  const ask = (what) => () => model.send({ do: what });
  const button = (words, onclick) => element("button", { type: "button", onclick }, words);
  const input = element(
    "section",
    { "aria-label": "Picture", class: "pg-input" },
    element("h3", {}, "Draw, or take a picture"),
    pad.root,
    element("div", { class: "pg-row" }, button("Undo", () => pad.undo()), button("Clear", () => pad.clear())),
    element(
      "div",
      { class: "pg-row" },
      button("Example digit", ask("example")),
      button("A photograph", ask("photograph")),
      element("label", { for: fileId, class: "pg-file" }, "Open a picture …"),
      file,
    ),
    element("div", { class: "pg-row" }, element("label", { for: fitId }, "Take it"), fit),
  );

  // ---- the layers
  const shownMaps = layers.map(() => []); // { each, canvas } of every map
  const sections = [];
  const offsets = [];
  let total = 0;
  const through = element("section", { "aria-label": "Layers", class: "pg-layers" },
    element("h3", {}, "Through the network"));
  layers.forEach((layer, index) => {
    offsets.push(total);
    total += layer.height * layer.width * layer.depth;
    const headId = freshId("layer");
    const shape =
      layer.height > 1 ? `${layer.height} × ${layer.width} × ${layer.depth}` : `${layer.depth}`;
    const grid = element("div", { class: "pg-maps", role: "group", "aria-labelledby": headId });
    for (let map = 0; map < layer.depth; map += 1) {
      const side = shownSide(layer.height);
      const canvas = element("canvas", { style: `width: ${side}px; height: ${side}px`, "aria-hidden": "true" });
      const each = element(
        "button",
        {
          type: "button",
          class: "pg-map",
          tabindex: map ? -1 : 0,
          "aria-pressed": "false",
          onclick: () => choose(index, map),
        },
        canvas,
      );
      if (layer.name === "probabilities")
        each.append(element("span", { class: "pg-digit", "aria-hidden": "true" }, String(map)));
      shownMaps[index].push({ each, canvas });
      grid.append(each);
    }
    // One stop of the Tab key for each layer; arrows move inside.
    grid.addEventListener("keydown", (event) => {
      const buttons = shownMaps[index].map((one) => one.each);
      const at = buttons.indexOf(document.activeElement);
      if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      const columns = buttons.filter((one) => one.offsetTop === buttons[0].offsetTop).length;
      const by = { ...ACROSS, ArrowDown: columns, ArrowUp: -columns }[event.key];
      const to = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : at + by;
      if (Number.isNaN(to)) return;
      event.preventDefault();
      event.stopPropagation();
      if (to < 0 || to >= buttons.length) return;
      buttons[at].tabIndex = -1;
      buttons[to].tabIndex = 0;
      buttons[to].focus();
    });
    const section = element(
      "div",
      { class: "pg-layer" },
      element("p", { id: headId }, element("strong", {}, layer.title), ` ${shape}`),
      element("p", { class: "pg-soft" }, layer.words),
      grid,
    );
    sections.push(section);
    through.append(section);
  });

  function choose(layer, map) {
    model.set("chosen", { layer: layers[layer].name, map });
    model.save_changes();
    // Only the first time does it take long.
    if (model.get("detail").title === undefined)
      detailWords.textContent = "Looking through 1,000 test digits …";
  }

  // ---- the chosen map
  const detailTitle = element("h3", { tabindex: -1 }, "Chosen map");
  const detailWords = element("p", { role: "status" });
  const enlarged = element("div", { class: "pg-enlarged" });
  const detail = element("section", { "aria-label": "Chosen map", class: "pg-detail" },
    detailTitle, detailWords, enlarged);

  const figure = (words, ...children) =>
    element("figure", { class: "pg-figure" }, element("figcaption", {}, words), ...children);

  function showDetail() {
    const shown = model.get("detail");
    detailWords.textContent = shown.words;
    shownMaps.flat().forEach(({ each }) => each.setAttribute("aria-pressed", "false"));
    enlarged.replaceChildren();
    detailTitle.textContent = shown.title ?? "Chosen map";
    if (shown.title === undefined) return;
    shownMaps[shown.layer][shown.map].each.setAttribute("aria-pressed", "true");
    // Below its own layer, where the eyes are.
    sections[shown.layer].append(detail);
    const layer = layers[shown.layer];
    const bytes = bytesOf(model.get("detail_pixels"));

    if (layer.height > 1) {
      const canvas = element("canvas", {
        class: "pg-big-map",
        role: "img",
        "aria-label": `${shown.title}, enlarged`,
      });
      enlarged.append(figure("The map", canvas));
      paintMap(canvas, shown.layer, shown.map);
    }
    const place = shown.place;
    if (place) {
      const canvas = element("canvas", { role: "img", "aria-label":
        `The picture; the window of ${place.side} × ${place.side} pixels at row ${place.row + 1}, ` +
        `column ${place.column + 1} is marked` });
      const frame = element("span", { class: "pg-window", "aria-hidden": "true", style:
        `left: ${(place.column / 28) * 100}%; top: ${(place.row / 28) * 100}%; ` +
        `width: ${(place.side / 28) * 100}%; height: ${(place.side / 28) * 100}%` });
      enlarged.append(figure("Where it is largest",
        element("div", { class: "pg-marked" }, canvas, frame)));
      paintMap(canvas, 0, 0);
    }
    let read = 0;
    const weights = element("div", { class: "pg-tiles" });
    if (shown.tiles) {
      const { count, height, width, values, largest } = shown.tiles;
      const signed = new Int8Array(bytes.buffer, bytes.byteOffset, count * height * width);
      const side = count === 1 ? 100 : height > 2 ? 34 : 24;
      for (let tile = 0; tile < count; tile += 1) {
        const canvas = element("canvas", { "aria-hidden": "true",
          style: `width: ${side}px; height: ${side}px` });
        paintSigned(canvas, signed.subarray(tile * height * width, (tile + 1) * height * width), width, height);
        weights.append(canvas);
      }
      read = count * height * width;
      weights.setAttribute("role", "img");
      weights.setAttribute("aria-label", values
        ? `Weights ${values.join(", ")}`
        : `${count} × ${height} × ${width} weights, the largest ${largest}`);
      const numbers = values
        ? element("p", { class: "pg-numbers" }, values.slice(0, 2).map(signedText).join("   "),
            element("br"), values.slice(2).map(signedText).join("   "))
        : null;
      enlarged.append(figure(shown.weights, weights, numbers,
        element("p", { class: "pg-soft" }, `Blue: positive, orange: negative, up to ${largest}.`)));
    } else {
      enlarged.append(figure(shown.weights));
    }
    const { side, labels } = shown.patches;
    if (labels.length) {
      const patches = element("div", { class: "pg-tiles", role: "img",
        "aria-label": `${labels.length} patches, from digits ${labels.join(", ")}` });
      labels.forEach((label, each) => {
        const at = read + each * side * side;
        const canvas = element("canvas", { "aria-hidden": "true", class: "pg-patch" });
        patches.append(element("span", { class: "pg-patched" }, canvas,
          element("span", { "aria-hidden": "true" }, String(label))));
        queueMicrotask(() => paintGrey(canvas, bytes.subarray(at, at + side * side), side, side));
      });
      enlarged.append(figure(
        side === 28 ? "Test digits that excite it most" : `What excites it most: ${side} × ${side} pixels of test digits`,
        patches));
    }
  }
  const signedText = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);

  // ---- from the kernel
  function mapBytes(layer, map) {
    const { height, width } = layers[layer];
    const bytes = bytesOf(model.get("maps"));
    const at = offsets[layer] + map * height * width;
    return bytes.subarray(at, at + height * width);
  }
  function paintMap(canvas, layer, map) {
    const { height, width } = layers[layer];
    paintGrey(canvas, mapBytes(layer, map), width, height);
  }
  function showMaps() {
    const empty = bytesOf(model.get("maps")).length === 0;
    el.classList.toggle("pg-empty", empty);
    const largest = model.get("largest");
    layers.forEach((layer, index) =>
      shownMaps[index].forEach(({ each, canvas }, map) => {
        paintMap(canvas, index, map);
        const peak = mapBytes(index, map).reduce((most, value) => Math.max(most, value), 0);
        const value = ((peak / 255) * (largest[index] ?? 0)).toFixed(2);
        const name = layer.name === "probabilities" ? `digit ${map}` : `${layer.noun} ${map + 1}`;
        each.setAttribute("aria-label",
          `${layer.title}, ${name}${empty ? "" : `: ${layer.height > 1 ? "largest " : ""}${value}`}`);
      }),
    );
  }
  const showWords = () => status.say(model.get("words"));
  const showFit = () => (fit.value = model.get("fit"));
  const showPicture = () => {
    const value = model.get("picture");
    if (value === own) return;
    const grey = bytesOf(value);
    pad.load(grey.length ? grey : new Uint8Array(size ** 2));
  };
  const listeners = {
    "change:maps": showMaps,
    "change:words": showWords,
    "change:fit": showFit,
    "change:detail": showDetail,
    "change:picture": showPicture,
  };
  for (const [event, action] of Object.entries(listeners)) model.on(event, action);

  const leave = playgroundRoot(el, "See inside", () => {
    pad.repaint();
    showMaps();
    showDetail();
  });
  el.append(
    ...status.parts,
    element("div", { class: "pg-columns" },
      element("div", { class: "pg-side" }, input, detail), through),
  );
  showMaps();
  showFit();
  showDetail();
  if (bytesOf(model.get("picture")).length) showPicture();
  showWords();
  return () => {
    status.stop();
    for (const [event, action] of Object.entries(listeners)) model.off(event, action);
    leave();
  };
}

export default { render: renderSeeInside };
