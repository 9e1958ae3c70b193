import { convolutionPlan, featureMap, figure, sizeFormula, typedNumber, weightFigure, windowProducts, windowSpan } from "./convolution_arithmetic.js";
import { element, freshId, playgroundRoot } from "./page.js";

const LARGEST_KERNEL = 5;
const LARGEST_STRIDE = 4;
const LARGEST_DILATION = 3;
const PADDINGS = [
  ["valid", "valid: no zeros"],
  ["same", "same: as Keras adds them"],
  [1, "1 zero on every side"],
  [2, "2 zeros on every side"],
  [3, "3 zeros on every side"],
];
const OWN = "own";
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const BLUE = [0, 114, 178];
const ORANGE = [213, 94, 0];
const GRID_WIDTH = 340; // CSS pixels of the picture and of the output
const [MOST_NARROW, MOST_WIDE] = [12, 32];
const DIGIT_WIDTH = 6.6;
const SETTINGS = ["image", "kernel", "stride", "padding", "dilation"];

/** Black or white, whichever is read better on a colour. */
function inkOn([r, g, b]) {
  const linear = [r, g, b].map((part) =>
    part <= 10.31475 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  );
  const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return light > 0.179 ? "#000000" : "#ffffff";
}

function colourCell(cell, colour) {
  cell.style.background = `rgb(${colour.map(Math.round).join(" ")})`;
  cell.style.color = inkOn(colour);
}

/** White for zero, blue for the largest positive number, orange for the largest negative one. */
function signedColour(value, largest) {
  const share = largest > 0 ? Math.min(Math.abs(value) / largest, 1) : 0;
  return (value < 0 ? ORANGE : BLUE).map((part) => 255 + share * (part - 255));
}

const sameGrid = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A kernel of another size with the same middle. */
function resizedKernel(kernel, side) {
  const shift = Math.floor((side - kernel.length) / 2);
  return Array.from({ length: side }, (_, i) =>
    Array.from({ length: side }, (_, j) => kernel[i - shift]?.[j - shift] ?? 0),
  );
}

function renderStepper({ model, el }) {
  const get = (name) => model.get(name);
  const settings = () => ({
    stride: get("stride"),
    padding: get("padding"),
    dilation: get("dilation"),
  });
  const leave = playgroundRoot(el, "Convolution stepper");
  let plan = null;
  let filled = []; // the whole feature map, also what is not shown yet
  let editing = false;
  let cursor = [0, 0]; // the pixel that is edited
  let playing = null;
  let problem = "";
  let answer = ""; // to what was done last, said once

  // ---- settings
  const choice = (title, options, changed) => {
    const select = element("select", { id: freshId("setting"), onchange: () => changed(select.value) });
    for (const [value, text] of options) select.append(element("option", { value }, text));
    return { select, label: element("div", {}, element("label", { for: select.id }, title), select) };
  };
  const numbers = (count) => Array.from({ length: count }, (_, i) => [i + 1, i + 1]);
  const picture = choice(
    "Picture",
    [...Object.keys(get("pictures")).map((name) => [name, name]), [OWN, "your own"]],
    (name) => name !== OWN && change({ image: get("pictures")[name] }, `Picture: ${name}.`),
  );
  const preset = choice(
    "Kernel",
    [...Object.keys(get("kernels")).map((name) => [name, name]), [OWN, "your own"]],
    (name) => name !== OWN && change({ kernel: get("kernels")[name] }, `Kernel: ${name}.`),
  );
  const side = choice("Size F", numbers(LARGEST_KERNEL), (value) =>
    change({ kernel: resizedKernel(get("kernel"), Number(value)) }, `Kernel of ${value} by ${value}.`),
  );
  const stride = choice("Stride S", numbers(LARGEST_STRIDE), (value) =>
    change({ stride: Number(value) }, `Stride ${value}.`),
  );
  const padding = choice("Padding", PADDINGS, (value) => {
    const [chosen, words] = PADDINGS.find(([one]) => String(one) === value);
    change({ padding: chosen }, `Padding ${words}.`);
  });
  const dilation = choice("Dilation d", numbers(LARGEST_DILATION), (value) =>
    change({ dilation: Number(value) }, `Dilation ${value}.`),
  );

  // ---- moving
  const button = (text, action, attributes = {}) =>
    element("button", { type: "button", onclick: action, ...attributes }, text);
  const back = button("Back", () => leap(-1), { "aria-label": "One place back" });
  const next = button("Step", () => leap(1), { class: "pg-main", "aria-label": "One place on" });
  const play = button("Play", () => (playing ? pause() : start()));
  const all = button("Fill all", () => fill());
  const again = button("Start again", () => restart());
  const speedId = freshId("speed");
  const speed = element("input", {
    type: "range", id: speedId, min: 1, max: 20, value: 4, "aria-valuetext": "4 steps a second",
    oninput: () => {
      speed.setAttribute("aria-valuetext", `${speed.value} steps a second`);
      if (playing) start();
    },
  });
  const edit = button("Edit pixels", () => setEditing(!editing), { "aria-pressed": "false" });
  const brushId = freshId("brush");
  const brush = element("input", {
    id: brushId, type: "number", min: 0, max: 9, value: 9, style: "width: 64px",
  });
  const brushRow = element("span", { hidden: true }, element("label", { for: brushId }, "paint with "), brush);

  // ---- the three grids
  const told = element("p", { class: "pg-status pg-step-told", role: "status", "aria-live": "polite" });
  const stageHelp = freshId("stage-help");
  const stage = element("div", {
    class: "pg-step-grid pg-step-stage",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "picture with a window",
    "aria-describedby": stageHelp,
  });
  const frame = element("div", { class: "pg-step-window" });
  const help = element("p", { id: stageHelp, class: "pg-step-caption" });
  const kernelBox = element("div", { class: "pg-step-kernel", role: "group", "aria-label": "Kernel" });
  const products = element("table", { class: "pg-step-products", "aria-label": "Products under the window" });
  const sum = element("p", { class: "pg-step-formula" });
  const map = element("div", { class: "pg-step-grid", role: "img" });
  const mapTitle = element("h3", {}, "Output");
  const stageTitle = element("h3", {}, "Picture");
  const formula = element("div", { class: "pg-step-formula", role: "group", "aria-label": "Size of the output" });

  el.append(
    element("div", { class: "pg-step-settings", role: "group", "aria-label": "Settings" },
      ...[picture, preset, side, stride, padding, dilation].map((one) => one.label)),
    element("div", { class: "pg-row", role: "group", "aria-label": "Move the window" },
      back, next, play, all, again,
      element("span", {}, element("label", { for: speedId }, "speed "), speed),
      edit, brushRow),
    element("div", { class: "pg-columns pg-step-columns" },
      element("div", { style: `max-width: ${GRID_WIDTH + 10}px` }, stageTitle, stage, help),
      element("div", {}, element("h3", {}, "Kernel"), kernelBox,
        element("h3", { style: "margin-top: 12px" }, "Pixel × weight"), products, sum),
      element("div", {}, mapTitle, map,
        element("p", { class: "pg-step-caption" }, "Blue is positive, orange negative, white zero."))),
    told,
    element("h3", {}, "Size of the output"),
    formula,
  );

  let pixelCells = []; // of the picture with its zeros, row by row
  let mapCells = [];
  let kernelInputs = [];
  let productCells = [];
  let mapShown = []; // what each cell of the output shows, so that a step touches few of them
  let cellSide = 26;
  let mapSide = 26;

  const spans = (grid, count) => {
    const cells = Array.from({ length: count }, () => element("span", { "aria-hidden": "true" }));
    grid.replaceChildren(...cells);
    return cells;
  };
  const sideFor = (cells) => Math.max(MOST_NARROW, Math.min(MOST_WIDE, Math.floor(GRID_WIDTH / cells)));
  const lay = (grid, rows, columns, side) => {
    grid.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
    grid.style.gridTemplateRows = `repeat(${rows}, ${side}px)`;
  };
  /** The number, with fewer decimals where there is little room; nothing where there is none. */
  const fitting = (value, side) =>
    [figure(value), figure(Math.round(value * 10) / 10), figure(Math.round(value))].find(
      (text) => text.length * DIGIT_WIDTH < side,
    ) ?? "";

  /** Everything that depends on the settings. */
  function rebuild() {
    const image = get("image");
    const kernel = get("kernel");
    plan = convolutionPlan(image, kernel.length, settings());
    filled = featureMap(image, kernel, settings());
    keepPosition();
    const [wide, high] = [plan.columns, plan.rows];
    const columns = wide.before + wide.size + wide.after;
    const rows = high.before + high.size + high.after;
    cellSide = sideFor(Math.max(columns, rows));
    mapSide = sideFor(Math.max(high.places, wide.places, 1));

    // Cells are made anew only when there are more or fewer of them.
    if (pixelCells.length !== rows * columns) pixelCells = spans(stage, rows * columns);
    lay(stage, rows, columns, cellSide);
    stage.append(frame);
    const numbersFit = Math.max(...image.flat().map((value) => figure(value).length)) * DIGIT_WIDTH < cellSide;
    const low = Math.min(0, ...image.flat());
    const top = Math.max(get("white"), ...image.flat());
    pixelCells.forEach((cell, place) => {
      const y = Math.floor(place / columns) - high.before;
      const x = (place % columns) - wide.before;
      const inside = y >= 0 && x >= 0 && y < high.size && x < wide.size;
      cell.className = inside ? "" : "pg-step-zero";
      cell.textContent = inside ? (numbersFit ? figure(image[y][x]) : "") : "0";
      if (inside) {
        const grey = (255 * (image[y][x] - low)) / (top - low || 1);
        colourCell(cell, [grey, grey, grey]);
      } else cell.removeAttribute("style");
    });
    if (mapCells.length !== high.places * wide.places)
      mapCells = spans(map, plan.fits ? high.places * wide.places : 0);
    lay(map, high.places, wide.places, mapSide);
    mapShown = [];

    // The kernel: inputs stay, so that the focus does.
    if (kernelInputs.length !== kernel.length ** 2) {
      kernelInputs = kernel.flatMap((row, i) =>
        row.map((_, j) => {
          const input = element("input", {
            type: "text", inputmode: "decimal", "aria-label": `Weight in row ${i + 1}, column ${j + 1}`,
            onchange: () => setWeight(i, j, input),
            onfocus: () => input.select(),
          });
          return input;
        }),
      );
      kernelBox.replaceChildren(...kernelInputs);
      kernelBox.style.gridTemplateColumns = `repeat(${kernel.length}, max-content)`;
      productCells = kernel.flatMap((row) => row.map(() => element("td")));
      products.replaceChildren(
        element("tbody", {}, ...kernel.map((_, i) =>
          element("tr", {}, ...productCells.slice(i * kernel.length, (i + 1) * kernel.length)))),
      );
    }
    kernel.flat().forEach((weight, place) => {
      const input = kernelInputs[place];
      // What somebody is writing stays, unless the weight itself has changed.
      if (input.shown === weight) return;
      input.shown = weight;
      input.value = weightFigure(weight);
      input.removeAttribute("aria-invalid");
    });

    // What the menus show.
    const named = (grids, grid) => Object.keys(grids).find((name) => sameGrid(grids[name], grid)) ?? OWN;
    picture.select.value = named(get("pictures"), image);
    preset.select.value = named(get("kernels"), kernel);
    side.select.value = String(kernel.length);
    for (const [menu, name] of [[stride, "stride"], [padding, "padding"], [dilation, "dilation"]]) {
      const value = String(get(name));
      if (![...menu.select.options].some((option) => option.value === value))
        menu.select.append(element("option", { value }, name === "padding" ? `${value} zeros on every side` : value));
      menu.select.value = value;
    }

    stageTitle.textContent = `Picture, ${high.size} × ${wide.size}`;
    mapTitle.textContent = plan.fits ? `Output, ${high.places} × ${wide.places}` : "Output: none";
    showFormula(kernel.length);
    paint();
  }

  function showFormula(F) {
    const now = settings();
    const lines = [];
    if (now.dilation > 1)
      lines.push(`F′ = (F − 1)·d + 1 = (${F} − 1)·${now.dilation} + 1 = ${windowSpan(F, now.dilation)}`);
    const zeros = typeof now.padding === "number" ? `, P = ${now.padding}` : "";
    const square = plan.rows.size === plan.columns.size;
    for (const [letter, words, size] of square
      ? [["H", "height and width", plan.rows.size]]
      : [["H", "height", plan.rows.size], ["W", "width", plan.columns.size]]) {
      const [first, ...more] = sizeFormula(letter, size, F, now);
      lines.push(`${words} = ${first}`, ...more);
    }
    const sizes = square ? `H = W = ${plan.rows.size}` : `H = ${plan.rows.size}, W = ${plan.columns.size}`;
    formula.replaceChildren(
      element("p", { class: "pg-step-caption" }, `${sizes}, F = ${F}, S = ${now.stride}, d = ${now.dilation}${zeros}`),
      ...lines.map((line) => element("p", {}, line)),
    );
  }

  /** What changes with a step: a handful of cells. */
  let marked = [];
  function paint() {
    const [row, column] = get("position");
    const kernel = get("kernel");
    const now = settings();
    for (const cell of marked) cell.classList.remove("pg-step-under", "pg-step-here", "pg-step-cursor");
    marked = [];
    const mark = (cell, name) => {
      cell?.classList.add(name);
      if (cell) marked.push(cell);
    };
    const columns = plan.columns.before + plan.columns.size + plan.columns.after;
    const cellAt = (y, x) => pixelCells[(y + plan.rows.before) * columns + x + plan.columns.before];
    frame.hidden = !plan.fits;
    for (const one of [back, next, play, all, again]) one.disabled = !plan.fits;
    const largest = Math.max(0, ...filled.flat().map(Math.abs));
    const seen = new Set(get("visited"));
    mapCells.forEach((cell, place) => {
      const value = seen.has(place)
        ? filled[Math.floor(place / plan.columns.places)][place % plan.columns.places]
        : null;
      if (mapShown[place] === value) return;
      mapShown[place] = value;
      cell.className = value === null ? "pg-step-unseen" : "";
      cell.textContent = value === null ? "" : fitting(value, mapSide);
      if (value === null) cell.removeAttribute("style");
      else colourCell(cell, signedColour(value, largest));
    });
    if (editing) mark(cellAt(...cursor), "pg-step-cursor");
    if (!plan.fits) {
      sum.textContent = "";
      for (const cell of productCells) cell.textContent = "–";
      map.setAttribute("aria-label", "Output: none, the window does not fit");
      tell();
      return;
    }
    const { parts, sum: total } = windowProducts(get("image"), kernel, plan, now, row, column);
    parts.forEach((part, place) => {
      mark(cellAt(part.y, part.x), "pg-step-under");
      productCells[place].replaceChildren(
        `${figure(part.pixel)} × ${weightFigure(part.weight)}`,
        element("b", {}, figure(part.product)),
      );
    });
    frame.style.left = `${column * now.stride * cellSide - 1}px`;
    frame.style.top = `${row * now.stride * cellSide - 1}px`;
    frame.style.width = `${plan.columns.span * cellSide + 2}px`;
    frame.style.height = `${plan.rows.span * cellSide + 2}px`;
    mark(mapCells[row * plan.columns.places + column], "pg-step-here");
    sum.textContent = `sum = ${figure(total)}`;
    const count = seen.size;
    const whole = plan.rows.places * plan.columns.places;
    map.setAttribute(
      "aria-label",
      `Output of ${plan.rows.places} rows and ${plan.columns.places} columns, ${count} of ${whole} ` +
        `places filled; the number at row ${row + 1}, column ${column + 1} is ${figure(total)}`,
    );
    stage.setAttribute(
      "aria-label",
      editing
        ? `Picture of ${plan.rows.size} rows and ${plan.columns.size} columns, pixels can be changed`
        : `Picture of ${plan.rows.size} rows and ${plan.columns.size} columns with a window of ` +
          `${kernel.length} by ${kernel.length}`,
    );
    tell(parts, total);
  }

  /** The line of text that follows everything. */
  function tell(parts, total) {
    told.classList.toggle("pg-problem", Boolean(problem) || !plan.fits);
    if (problem) {
      told.textContent = problem;
      return;
    }
    if (!plan.fits) {
      const { span } = plan.rows;
      const least = Math.min(
        ...[plan.rows, plan.columns].map((axis) => axis.size + axis.before + axis.after),
      );
      told.textContent =
        `The window spans ${span} pixels and the picture with its zeros has ${least}: there is no ` +
        `place for it. Choose a smaller kernel or dilation, or more padding.`;
      return;
    }
    const [row, column] = get("position");
    const whole = plan.rows.places * plan.columns.places;
    const place = row * plan.columns.places + column + 1;
    const sums = parts
      .map(({ pixel, weight }) => `${figure(pixel)}·${weight < 0 ? `(${weightFigure(weight)})` : weightFigure(weight)}`)
      .join(" + ");
    const zeros = parts.filter((part) => !part.inside).length;
    const edited = editing
      ? ` Pixel in row ${cursor[0] + 1}, column ${cursor[1] + 1} is ${figure(get("image")[cursor[0]][cursor[1]])}.`
      : "";
    told.textContent =
      `${answer}${answer ? " " : ""}Place ${place} of ${whole}, row ${row + 1}, column ${column + 1}: ` +
      `${sums} = ${figure(total)}.` +
      (zeros ? ` ${zeros} of the pixels ${zeros === 1 ? "is a zero" : "are zeros"} of the padding.` : "") +
      edited;
    answer = "";
  }

  // ---- what happens
  function change(values, words = "") {
    problem = "";
    answer = words;
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }
  /** A place that exists, whatever was changed; the output starts anew when it has another size. */
  let shape = "";
  function keepPosition() {
    const now = `${plan.rows.places} ${plan.columns.places}`;
    const [row, column] = get("position");
    const whole = plan.rows.places * plan.columns.places;
    const beyond = row >= plan.rows.places || column >= plan.columns.places;
    const lost = get("visited").some((place) => place >= whole);
    if (plan.fits && (beyond || lost || (shape && shape !== now))) {
      const to = beyond && !shape
        ? [Math.min(row, plan.rows.places - 1), Math.min(column, plan.columns.places - 1)]
        : [0, 0];
      model.set("position", to);
      model.set("visited", [to[0] * plan.columns.places + to[1]]);
      model.save_changes();
    } else if (plan.fits && !get("visited").includes(row * plan.columns.places + column))
      visit(row, column);
    shape = now;
  }
  function visit(row, column) {
    const place = row * plan.columns.places + column;
    if (!get("visited").includes(place)) model.set("visited", [...get("visited"), place]);
    model.set("position", [row, column]);
    model.save_changes();
  }
  function leap(steps) {
    problem = "";
    if (!plan.fits) return;
    const whole = plan.rows.places * plan.columns.places;
    const [row, column] = get("position");
    const to = row * plan.columns.places + column + steps;
    if (to < 0 || to >= whole) {
      pause();
      answer = to < 0 ? "This is the first place." : "This is the last place.";
      paint();
      return;
    }
    visit(Math.floor(to / plan.columns.places), to % plan.columns.places);
  }
  function move([down, right]) {
    problem = "";
    if (!plan.fits) return;
    const [row, column] = get("position");
    const to = [row + down, column + right];
    if (to[0] < 0 || to[1] < 0 || to[0] >= plan.rows.places || to[1] >= plan.columns.places) {
      answer = "The window can go no further this way.";
      paint();
      return;
    }
    visit(...to);
  }
  function fill() {
    problem = "";
    pause();
    const whole = plan.rows.places * plan.columns.places;
    answer = `All ${whole} places are filled.`;
    model.set("visited", Array.from({ length: whole }, (_, place) => place));
    model.set("position", [plan.rows.places - 1, plan.columns.places - 1]);
    model.save_changes();
    paint();
  }
  function restart() {
    problem = "";
    pause();
    answer = "From the beginning.";
    model.set("visited", [0]);
    model.set("position", [0, 0]);
    model.save_changes();
    paint();
  }
  function start() {
    clearInterval(playing);
    const whole = plan.rows.places * plan.columns.places;
    const [row, column] = get("position");
    if (!playing && row * plan.columns.places + column === whole - 1) restart();
    // Twenty sentences a second would be no help: a listener hears the last.
    told.setAttribute("aria-live", "off");
    play.textContent = "Pause";
    playing = setInterval(() => leap(1), 1000 / Number(speed.value));
  }
  function pause() {
    if (!playing) return;
    clearInterval(playing);
    playing = null;
    play.textContent = "Play";
    told.setAttribute("aria-live", "polite");
    paint();
  }
  function setWeight(i, j, input) {
    // A field that goes while somebody writes in it says so, too.
    if (!kernelInputs.includes(input)) return;
    const value = typedNumber(input.value);
    if (value === null) {
      input.setAttribute("aria-invalid", "true");
      problem = `“${input.value}” is no number for a weight: write one such as 2, −0.5 or 1/9, at most 1000.`;
      paint();
      return;
    }
    input.removeAttribute("aria-invalid");
    const kernel = get("kernel").map((row) => [...row]);
    const same = kernel[i][j] === value;
    kernel[i][j] = value;
    if (same) {
      problem = "";
      input.value = weightFigure(value);
      paint();
    } else change({ kernel }, `Weight in row ${i + 1}, column ${j + 1} is ${weightFigure(value)}.`);
  }

  // ---- pixels
  function setEditing(on) {
    editing = on;
    problem = "";
    pause();
    edit.setAttribute("aria-pressed", String(on));
    brushRow.hidden = !on;
    stage.classList.toggle("pg-step-editing", on);
    cursor = [Math.min(cursor[0], plan.rows.size - 1), Math.min(cursor[1], plan.columns.size - 1)];
    help.replaceChildren(
      ...(on
        ? ["Click or drag to paint. By keyboard: ", element("kbd", {}, "arrows"), " choose a pixel, ",
          element("kbd", {}, "0"), " … ", element("kbd", {}, "9"), " set it, ",
          element("kbd", {}, "esc"), " ends."]
        : ["Click a place, or by keyboard: ", element("kbd", {}, "arrows"), " move the window, ",
          element("kbd", {}, "enter"), " steps, ", element("kbd", {}, "space"), " plays, ",
          element("kbd", {}, "home"), " and ", element("kbd", {}, "end"), " jump."]),
    );
    answer = on ? "Pixels can be changed." : "";
    paint();
  }
  function setPixel(y, x, value) {
    cursor = [y, x];
    const image = get("image");
    if (image[y][x] === value) {
      paint();
      return;
    }
    change({ image: image.map((row, i) => (i === y ? row.map((old, j) => (j === x ? value : old)) : row)) });
  }
  function pixelAt(event) {
    const box = stage.getBoundingClientRect();
    const y = Math.floor((event.clientY - box.top - stage.clientTop) / cellSide) - plan.rows.before;
    const x = Math.floor((event.clientX - box.left - stage.clientLeft) / cellSide) - plan.columns.before;
    return [y, x];
  }
  const isPixel = ([y, x]) => y >= 0 && x >= 0 && y < plan.rows.size && x < plan.columns.size;
  const brushValue = () => Math.min(9, Math.max(0, Math.round(Number(brush.value) || 0)));
  let painting = false;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const [y, x] = pixelAt(event);
    if (editing) {
      painting = true;
      stage.setPointerCapture(event.pointerId);
      if (isPixel([y, x])) setPixel(y, x, brushValue());
    } else if (plan.fits) {
      // The window goes where its middle is nearest to the click.
      const middle = (axis, at) =>
        Math.min(axis.places - 1, Math.max(0, Math.round((at + axis.before - (axis.span - 1) / 2) / get("stride"))));
      problem = "";
      visit(middle(plan.rows, y), middle(plan.columns, x));
    }
  });
  stage.addEventListener("pointermove", (event) => {
    const at = pixelAt(event);
    if (painting && isPixel(at)) setPixel(...at, brushValue());
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (painting = false));
  map.addEventListener("pointerdown", (event) => {
    const place = mapCells.indexOf(event.target);
    if (place >= 0) visit(Math.floor(place / plan.columns.places), place % plan.columns.places);
  });

  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (editing && arrow) {
      const to = [cursor[0] + arrow[0], cursor[1] + arrow[1]];
      if (isPixel(to)) cursor = to;
      paint();
    } else if (editing && /^[0-9]$/.test(event.key)) setPixel(...cursor, Number(event.key));
    else if (editing && event.key === "Escape") setEditing(false);
    else if (editing) return;
    else if (arrow) move(arrow);
    else if (event.key === "Enter") leap(event.shiftKey ? -1 : 1);
    else if (event.key === " ") {
      if (playing) pause();
      else if (plan.fits) start();
    } else if (event.key === "Home" && plan.fits) visit(0, 0);
    else if (event.key === "End" && plan.fits) visit(plan.rows.places - 1, plan.columns.places - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // ---- from Python, and from this and other views
  let due = "";
  const later = (what) => {
    // Several traits change together: once is enough, and still in the same turn of the page.
    if (!due) queueMicrotask(() => {
      const now = due;
      due = "";
      if (now === "all") rebuild();
      else paint();
    });
    if (due !== "all") due = what;
  };
  const everything = () => later("all");
  // A position from Python may be one that does not exist.
  const step = () => {
    const [row, column] = get("position");
    const whole = plan.rows.places * plan.columns.places;
    const right =
      row < plan.rows.places &&
      column < plan.columns.places &&
      get("visited").includes(row * plan.columns.places + column) &&
      get("visited").every((place) => place < whole);
    later(right ? "some" : "all");
  };
  for (const name of SETTINGS) model.on(`change:${name}`, everything);
  for (const name of ["position", "visited"]) model.on(`change:${name}`, step);
  plan = convolutionPlan(get("image"), get("kernel").length, settings());
  rebuild();
  setEditing(false);
  return () => {
    clearInterval(playing);
    for (const name of SETTINGS) model.off(`change:${name}`, everything);
    for (const name of ["position", "visited"]) model.off(`change:${name}`, step);
    leave();
  };
}

export default { render: renderStepper };
