import { createPad } from "./drawing_pad.js";
import { bytesOf, element, freshId, playgroundRoot } from "./page.js";

const PART = 1024 * 1024; // bytes of a file in one message: a server refuses 10 MB
const LARGE = 1024 * 1024; // a photograph above this is made smaller here, before it travels
const SHORT_SIDE = 448; // pixels, twice what the network looks at
const PAD_SIDE = 112;
const PICTURES = "image/*,.tif,.tiff,.jfif,.ppm,.avif";
const TRY = "try";
const DARKEST = 0.72; // of the veil over places that say nothing for the class
const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes = {}, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const asBlob = (canvas) => new Promise((done) => canvas.toBlob(done, "image/png"));
const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

/** A photograph of a telephone has ten megabytes, of which the network sees a hundredth. */
async function smaller(file) {
  if (file.size <= LARGE) return file;
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const factor = Math.min(1, SHORT_SIDE / Math.min(bitmap.width, bitmap.height));
    const canvas = Object.assign(document.createElement("canvas"), {
      width: Math.round(bitmap.width * factor),
      height: Math.round(bitmap.height * factor),
    });
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return (await asBlob(canvas)) ?? file;
  } catch {
    return file; // Python knows more kinds of files than a browser does
  }
}

/** What a browser says when it gives no camera, in words. */
function cameraWords(error) {
  if (error.name === "NotAllowedError")
    return "The browser did not allow the camera: allow it beside the address, or upload pictures.";
  if (error.name === "NotFoundError")
    return "No camera was found: connect one, or upload pictures.";
  if (error.name === "NotReadableError")
    return "The camera is used by another program: close that one, or upload pictures.";
  return `The camera could not be started (${error.message || error.name}): upload pictures instead.`;
}

function renderTeacher({ model, el }) {
  const get = (name) => model.get(name);
  const ask = (what, values = {}, buffers = []) => model.send({ do: what, ...values }, undefined, buffers);
  const leave = playgroundRoot(el, "Teach a machine");
  const thumbnails = new Map(); // number of a picture → address of its thumbnail
  const wanted = new Set();
  const cards = new Map(); // number of a class → its card
  let target = null; // number of a class, or TRY
  const radioName = freshId("target");

  const button = (text, action, attributes = {}) =>
    element("button", { type: "button", onclick: action, ...attributes }, text);

  // ---- the line of words
  const status = element("p", { class: "pg-status pg-teach-status", role: "status", "aria-live": "polite" });
  function say(words, problem = false) {
    status.textContent = words;
    status.classList.toggle("pg-problem", problem);
  }
  const hear = () => say(get("status"), get("problem"));

  // ---- files on their way to Python
  async function send(blob, name, as) {
    const key = freshId("file");
    const data = await blob.arrayBuffer();
    for (let start = 0; start === 0 || start < data.byteLength; start += PART) {
      const part = data.slice(start, start + PART);
      const last = start + PART >= data.byteLength;
      ask("file", { key, name, last, ...as }, [new DataView(part)]);
    }
  }
  function purpose() {
    if (target === TRY) return { as: "try" };
    if (target !== null && cards.has(target)) return { as: "example", number: target };
    say("Make a class first: write a name and press “Add class”.", true);
    newName.focus();
    return null;
  }
  async function take(files) {
    const as = purpose();
    if (!as) return;
    for (const file of files) await send(await smaller(file), file.name || "The picture", as);
  }

  // ---- 1: classes and examples
  const cardBox = element("div", { role: "radiogroup", "aria-label": "Where new pictures go" });
  const newName = element("input", { type: "text", maxlength: 60, id: freshId("new-class") });
  const newForm = element(
    "form",
    {
      class: "pg-row",
      onsubmit: (event) => {
        event.preventDefault();
        ask("add_class", { name: newName.value });
        newName.value = "";
        chooseNewest = true;
      },
    },
    element("label", { for: newName.id }, "New class"),
    newName,
    element("button", { type: "submit" }, "Add class"),
  );
  let chooseNewest = false;

  function choose(number) {
    target = number;
    for (const [one, card] of cards) card.radio.checked = one === number;
    tryRadio.checked = number === TRY;
    useDrawing.textContent = number === TRY ? "Try this drawing" : "Add this drawing";
  }

  function makeCard(number) {
    const radio = element("input", { type: "radio", name: radioName, onchange: () => choose(number) });
    const name = element("input", {
      type: "text", maxlength: 60,
      onchange: () => ask("rename_class", { number, name: name.value }),
    });
    const count = element("span", { class: "pg-soft" });
    const strip = element("div", { class: "pg-teach-thumbnails", role: "group" });
    const remove = button("Remove class", () => ask("remove_class", { number }));
    const root = element(
      "div",
      { class: "pg-teach-card", role: "group" },
      element("div", { class: "pg-row" }, name, count, remove),
      element("label", {}, radio, " new pictures go here"),
      strip,
    );
    return { root, radio, name, count, strip, remove, buttons: new Map() };
  }

  function showClasses() {
    const classes = get("classes");
    const numbers = new Set(classes.map((one) => one.number));
    for (const [number, card] of cards)
      if (!numbers.has(number)) {
        const lost = card.root.contains(el.getRootNode().activeElement);
        card.root.remove();
        cards.delete(number);
        if (lost) newName.focus();
      }
    classes.forEach((one, place) => {
      if (!cards.has(one.number)) {
        const card = makeCard(one.number);
        cards.set(one.number, card);
        cardBox.append(card.root);
      }
      const card = cards.get(one.number);
      if (card.called !== one.name) card.name.value = card.called = one.name;
      card.root.setAttribute("aria-label", `Class ${place + 1}, ${one.name}`);
      card.name.setAttribute("aria-label", `Name of class ${place + 1}`);
      card.radio.setAttribute("aria-label", `New pictures go to ${one.name}`);
      card.remove.setAttribute("aria-label", `Remove class ${one.name}`);
      card.strip.setAttribute("aria-label", `Examples of ${one.name}`);
      card.count.textContent = one.examples.length ? plural(one.examples.length, "picture") : "no pictures yet";
      showThumbnails(card, one);
    });
    const all = [...numbers];
    if (chooseNewest && all.length && !seenNumbers.has(all.at(-1))) {
      choose(all.at(-1));
      chooseNewest = false;
    } else if (target === null || (target !== TRY && !numbers.has(target))) choose(all[0] ?? null);
    for (const number of all) seenNumbers.add(number);
    showTeaching();
  }
  const seenNumbers = new Set();

  function showThumbnails(card, one) {
    const kept = new Set(one.examples);
    for (const [number, made] of card.buttons)
      if (!kept.has(number)) {
        const focused = made === el.getRootNode().activeElement;
        const neighbour = made.nextElementSibling ?? made.previousElementSibling;
        made.remove();
        card.buttons.delete(number);
        if (focused) (neighbour ?? card.name).focus();
      }
    one.examples.forEach((number, place) => {
      if (!card.buttons.has(number)) {
        const made = element(
          "button",
          { type: "button", onclick: () => ask("remove_example", { number }) },
          element("img", { alt: "" }),
        );
        card.buttons.set(number, made);
        card.strip.append(made);
        if (!thumbnails.has(number)) wanted.add(number);
      }
      const made = card.buttons.get(number);
      made.setAttribute("aria-label", `Remove picture ${place + 1} of ${one.name}`);
      made.title = "remove this picture";
      if (thumbnails.has(number)) made.firstChild.src = thumbnails.get(number);
    });
    if (wanted.size) {
      ask("thumbnails", { numbers: [...wanted] });
      wanted.clear();
    }
  }

  // ---- where pictures come from
  const fileInput = element("input", {
    type: "file", multiple: true, accept: PICTURES, id: freshId("upload"),
    onchange: async () => {
      const files = [...fileInput.files];
      await take(files);
      fileInput.value = ""; // the same file may be chosen again
    },
  });
  const upload = element("div", {},
    element("p", {}, element("label", { for: fileInput.id }, "Choose pictures, or drop them here: ")),
    fileInput);

  const pad = createPad({
    size: PAD_SIDE, lineWidth: 0.045, shown: 224, label: "Draw a picture", changed: () => {},
  });
  const useDrawing = button("Add this drawing", async () => {
    if (pad.isEmpty()) {
      say("Nothing is drawn yet: draw something first.", true);
      return;
    }
    const as = purpose();
    if (!as) return;
    const canvas = Object.assign(document.createElement("canvas"), { width: PAD_SIDE, height: PAD_SIDE });
    const pen = canvas.getContext("2d");
    const pixels = pen.createImageData(PAD_SIDE, PAD_SIDE);
    pad.picture().forEach((ink, place) => pixels.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * place));
    pen.putImageData(pixels, 0, 0);
    await send(await asBlob(canvas), "The drawing", as);
    if (as.as === "example") pad.clear();
  }, { class: "pg-main" });
  const draw = element("div", {}, pad.root,
    element("div", { class: "pg-row" }, useDrawing, button("Undo", () => pad.undo()), button("Clear", () => pad.clear())));

  let stream = null;
  let series = null;
  const video = element("video", { muted: true, playsinline: true, hidden: true, "aria-label": "What the camera sees" });
  const startCamera = button("Start the camera", () => (stream ? stopCamera() : beginCamera()), { class: "pg-main" });
  const snap = button("Take a picture", () => shoot(), { hidden: true });
  const snapTen = button("Take ten", () => shootTen(), { hidden: true });
  const camera = element("div", {}, video, element("div", { class: "pg-row" }, startCamera, snap, snapTen),
    element("p", { class: "pg-soft" }, "Pictures stay on this computer and in your kernel."));
  async function beginCamera() {
    if (!navigator.mediaDevices?.getUserMedia) {
      say("This browser gives no camera here: it does for pages of https and of localhost only. Upload pictures instead.", true);
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 }, audio: false });
    } catch (error) {
      say(cameraWords(error), true);
      return;
    }
    if (!el.isConnected) {
      stopCamera();
      return;
    }
    video.srcObject = stream;
    video.muted = true;
    await video.play();
    video.hidden = snap.hidden = snapTen.hidden = false;
    startCamera.textContent = "Stop the camera";
    say("The camera is on.");
  }
  function stopCamera() {
    clearInterval(series);
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = video.srcObject = null;
    video.hidden = snap.hidden = snapTen.hidden = true;
    startCamera.textContent = "Start the camera";
  }
  async function shoot() {
    const as = purpose();
    if (!as || !video.videoWidth) return;
    const side = Math.min(video.videoWidth, video.videoHeight);
    const canvas = Object.assign(document.createElement("canvas"), { width: SHORT_SIDE, height: SHORT_SIDE });
    canvas.getContext("2d").drawImage(
      video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, SHORT_SIDE, SHORT_SIDE,
    );
    await send(await asBlob(canvas), "The camera's picture", as);
  }
  function shootTen() {
    clearInterval(series);
    let left = target === TRY ? 1 : 10;
    series = setInterval(() => {
      shoot();
      left -= 1;
      if (!left) clearInterval(series);
    }, 250);
  }

  const path = element("input", { type: "text", id: freshId("folder"), size: 30, placeholder: "my_pictures" });
  const folder = element("div", {}, element("form", {
    onsubmit: (event) => {
      event.preventDefault();
      ask("folder", { path: path.value });
    },
  },
    element("p", {}, "A folder where the kernel runs, with one subfolder of pictures for each class."),
    element("div", { class: "pg-row" }, element("label", { for: path.id }, "Path"), path,
      element("button", { type: "submit", class: "pg-main" }, "Read the folder"))));

  const SOURCES = [["Upload", upload], ["Draw", draw], ["Camera", camera], ["Folder", folder]];
  const tabs = SOURCES.map(([name, panel], place) => {
    panel.id = freshId(`source-${name}`);
    panel.setAttribute("aria-label", name);
    panel.classList.add("pg-teach-panel");
    return button(name, () => open(place), { role: "tab", id: freshId("tab"), "aria-controls": panel.id });
  });
  const tabList = element("div", { class: "pg-teach-tabs", role: "tablist", "aria-label": "Where pictures come from" }, ...tabs);
  function open(place) {
    tabs.forEach((tab, one) => {
      tab.setAttribute("aria-selected", String(one === place));
      tab.tabIndex = one === place ? 0 : -1;
      SOURCES[one][1].hidden = one !== place;
    });
    if (place !== 2) stopCamera();
    if (place === 1) pad.repaint();
  }
  tabList.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (tabs.indexOf(event.target) + step + tabs.length) % tabs.length;
    open(next);
    tabs[next].focus();
  });
  for (const [, panel] of SOURCES) {
    panel.setAttribute("role", "tabpanel");
    panel.addEventListener("dragover", (event) => {
      event.preventDefault();
      panel.classList.add("pg-teach-over");
    });
    panel.addEventListener("dragleave", () => panel.classList.remove("pg-teach-over"));
    panel.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      panel.classList.remove("pg-teach-over");
      take([...event.dataTransfer.files]);
    });
  }

  // ---- 2: teaching
  const teach = button("Teach the machine", () => ask("train"), { class: "pg-main" });
  const stop = button("Stop", () => ask("stop"), { hidden: true });
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Teaching" });
  const note = element("p", { class: "pg-soft" });
  const curve = drawn("svg", { class: "pg-teach-curve", viewBox: "0 0 420 174", role: "img" });

  function showTeaching() {
    const training = get("training");
    const focused = el.getRootNode().activeElement;
    teach.hidden = training;
    stop.hidden = !training;
    // The focus follows from the button that goes to the one that comes.
    if (training && focused === teach) stop.focus();
    if (!training && focused === stop) teach.focus();
    bar.value = training || get("curve").length ? get("progress") : 0;
    const known = get("taught");
    note.textContent = known.length
      ? `The machine knows: ${known.join(", ")}.${get("stale") ? " The examples have changed since: teach it again." : ""}`
      : "The machine has not learned anything yet.";
  }

  function showCurve() {
    const points = get("curve");
    const [left, right, top, bottom] = [40, 372, 12, 138];
    const rounds = Math.max(get("rounds"), points.at(-1)?.[0] ?? 1);
    const most = points.length ? Math.ceil(10 * Math.max(...points.map(([, loss]) => loss))) / 10 || 1 : 1;
    const x = (round) => left + ((right - left) * round) / rounds;
    const y = (share) => bottom - (bottom - top) * share;
    const line = (values) => values.map(([round, share]) => `${x(round).toFixed(1)},${y(share).toFixed(1)}`).join(" ");
    curve.replaceChildren(
      drawn("path", { class: "pg-teach-axis", d: `M${left} ${top}V${bottom}H${right}V${top}` }),
      drawn("text", { x: left - 6, y: top + 5, "text-anchor": "end", class: "pg-teach-loss-word" }, most.toFixed(1)),
      drawn("text", { x: left - 6, y: bottom + 4, "text-anchor": "end", class: "pg-teach-loss-word" }, "0"),
      drawn("text", { x: right + 6, y: top + 5, class: "pg-teach-right-word" }, "100 %"),
      drawn("text", { x: right + 6, y: bottom + 4, class: "pg-teach-right-word" }, "0 %"),
      drawn("text", { x: left, y: bottom + 30, class: "pg-teach-loss-word" }, "— cross-entropy"),
      drawn("text", { x: left + 112, y: bottom + 30, class: "pg-teach-right-word" }, "- - right, of the examples"),
      drawn("text", { x: right, y: bottom + 15, "text-anchor": "end" }, `${rounds} rounds`),
      drawn("polyline", { class: "pg-teach-loss", points: line(points.map(([round, loss]) => [round, loss / most])) }),
      drawn("polyline", { class: "pg-teach-right", points: line(points.map(([round, , share]) => [round, share])) }),
    );
    const last = points.at(-1);
    curve.setAttribute(
      "aria-label",
      last
        ? `Curve of the teaching after ${plural(last[0], "round")}: cross-entropy from ${points[0][1].toFixed(2)} ` +
          `to ${last[1].toFixed(2)}, ${Math.round(100 * last[2])} percent of the examples right`
        : "Curve of the teaching: empty as yet",
    );
  }

  // ---- 3: trying
  const tryRadio = element("input", { type: "radio", name: radioName, onchange: () => choose(TRY) });
  const canvas = element("canvas", { width: 224, height: 224, role: "img" });
  const bars = element("ul", { class: "pg-teach-bars", "aria-label": "Probabilities" });
  const looked = element("input", { type: "checkbox", checked: true, id: freshId("looked"), onchange: () => paintAnswer() });
  const lookedFor = element("select", { "aria-label": "Class whose places are shown", onchange: () => paintAnswer() });
  const answerBox = element("div", { hidden: true },
    element("div", { class: "pg-teach-answer" }, canvas, bars),
    element("p", { class: "pg-row" },
      element("span", {}, looked, " ", element("label", { for: looked.id }, "show where it sees")), lookedFor),
    element("p", { class: "pg-soft" }, "Bright places speak for the class, dark ones for none or for another."));
  const nothing = element("p", { class: "pg-soft" }, "Nothing tried yet.");
  let image = null;
  let answers = 0;

  async function showAnswer() {
    const answer = get("answer");
    const there = Boolean(answer.names);
    answerBox.hidden = !there;
    nothing.hidden = there;
    if (!there) return;
    const best = answer.probabilities.indexOf(Math.max(...answer.probabilities));
    bars.replaceChildren(
      ...answer.names.map((name, label) => {
        const percent = (100 * answer.probabilities[label]).toFixed(0);
        return element("li", { class: label === best ? "pg-teach-best" : "" },
          `${name}: ${percent} %`,
          element("div", { class: "pg-teach-track", "aria-hidden": "true" },
            element("div", { class: "pg-fill", style: `width: ${100 * answer.probabilities[label]}%` })));
      }),
    );
    lookedFor.replaceChildren(...answer.names.map((name, label) => element("option", { value: label }, name)));
    lookedFor.value = String(best);
    const loading = new Image();
    loading.src = answer.picture;
    await loading.decode();
    if (get("answer") !== answer) return; // another one has come meanwhile
    image = loading;
    answers += 1;
    canvas.dataset.answer = answers;
    paintAnswer();
  }
  function paintAnswer() {
    if (!image) return;
    const answer = get("answer");
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, 224, 224);
    const label = Number(lookedFor.value);
    const places = answer.places[label];
    if (looked.checked) {
      const most = Math.max(1e-6, ...answer.places.flat(2));
      const [height, width] = [places.length, places[0].length];
      const veil = Object.assign(document.createElement("canvas"), { width, height });
      const pixels = veil.getContext("2d").createImageData(width, height);
      places.flat().forEach((score, place) => {
        const share = Math.min(1, Math.max(0, score / most));
        pixels.data[4 * place + 3] = 255 * DARKEST * (1 - share ** 0.7);
      });
      veil.getContext("2d").putImageData(pixels, 0, 0);
      pen.imageSmoothingEnabled = true;
      pen.imageSmoothingQuality = "high";
      pen.drawImage(veil, 0, 0, 224, 224);
    }
    canvas.setAttribute(
      "aria-label",
      `The picture that was tried${looked.checked ? `; most speaks for ${answer.names[label]} at the ${answer.where[label]}` : ""}`,
    );
  }

  // ---- 4: keeping
  const modelName = element("input", { type: "text", value: "machine", id: freshId("model-name"), size: 14 });
  const replace = element("input", { type: "checkbox", id: freshId("replace") });
  const modelFile = element("input", {
    type: "file", accept: ".keras", id: freshId("model-file"),
    onchange: async () => {
      const [file] = modelFile.files;
      if (!file) return;
      say(`Reading ${file.name} …`);
      await send(file, file.name, { as: "model" });
      modelFile.value = "";
    },
  });
  const arriving = new Map(); // key → { data, size, name }
  function download() {
    const key = freshId("download");
    arriving.set(key, { data: null, name: modelName.value.trim().replace(/\.keras$/, "") || "machine" });
    ask("download", { key });
  }
  function arrived({ key, start }, buffer) {
    const file = arriving.get(key);
    if (!file?.data) return;
    file.data.set(bytesOf(buffer), start);
    const next = start + buffer.byteLength;
    if (next < file.data.length) {
      say(`Downloading: ${Math.round((100 * next) / file.data.length)} percent …`);
      ask("part", { key, start: next });
      return;
    }
    arriving.delete(key);
    const address = URL.createObjectURL(new Blob([file.data], { type: "application/zip" }));
    element("a", { href: address, download: `${file.name}.keras` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  el.append(
    status,
    element("div", { class: "pg-teach-columns" },
      element("div", {},
        element("div", { class: "pg-teach-part" }, element("h3", {}, "1 · Classes and examples"), cardBox, newForm),
        element("div", { class: "pg-teach-part" }, element("h3", {}, "Pictures"), tabList, ...SOURCES.map(([, panel]) => panel))),
      element("div", {},
        element("div", { class: "pg-teach-part" }, element("h3", {}, "2 · Teach"),
          element("div", { class: "pg-row" }, teach, stop), bar, curve, note),
        element("div", { class: "pg-teach-part" }, element("h3", {}, "3 · Try"),
          element("div", { class: "pg-teach-card" },
            element("label", {}, tryRadio, " new pictures go here, to be tried"), nothing, answerBox)),
        element("div", { class: "pg-teach-part" }, element("h3", {}, "4 · Keep"),
          element("div", { class: "pg-row" }, element("label", { for: modelName.id }, "Name"), modelName,
            button("Save beside the notebook", () => ask("save", { name: modelName.value, force: replace.checked })),
            element("span", {}, replace, " ", element("label", { for: replace.id }, "replace")),
            button("Download", download)),
          element("p", { class: "pg-row", style: "margin-top: 8px" },
            element("label", { for: modelFile.id }, "Load a .keras file"), modelFile)))),
  );

  // ---- from Python
  function received(content, buffers) {
    if (content.give === "thumbnails") {
      content.numbers.forEach((number, place) =>
        thumbnails.set(number, URL.createObjectURL(new Blob([bytesOf(buffers[place])], { type: "image/png" }))));
      for (const card of cards.values())
        for (const [number, made] of card.buttons)
          if (thumbnails.has(number)) made.firstChild.src = thumbnails.get(number);
    } else if (content.give === "name" && cards.has(content.number)) {
      cards.get(content.number).name.value = content.name;
    } else if (content.give === "file" && arriving.has(content.key)) {
      arriving.get(content.key).data = new Uint8Array(content.size);
      ask("part", { key: content.key, start: 0 });
    } else if (content.give === "part") arrived(content, buffers[0]);
  }
  const listeners = [
    ["msg:custom", received],
    ["change:said", hear],
    ["change:classes", showClasses],
    ["change:training", showTeaching],
    ["change:progress", showTeaching],
    ["change:taught", showTeaching],
    ["change:stale", showTeaching],
    ["change:curve", showCurve],
    ["change:answer", showAnswer],
  ];
  for (const [event, action] of listeners) model.on(event, action);
  open(0);
  showClasses();
  showCurve();
  showAnswer();
  hear();
  return () => {
    for (const [event, action] of listeners) model.off(event, action);
    stopCamera();
    for (const address of thumbnails.values()) URL.revokeObjectURL(address);
    leave();
  };
}

export default { render: renderTeacher };
