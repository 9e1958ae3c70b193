// What all widgets of the playground do to the page around them.

let pgCount = 0;
const PAUSE = 500; // milliseconds before a sentence is read aloud: not at every movement of the pen

/** A new id that no other element of the page has. */
export function freshId(name) {
  pgCount += 1;
  return `pg-${name}-${pgCount}-${Math.random().toString(36).slice(2, 7)}`;
}

/**
 * Make an element.
 *
 * element("button", { type: "button", class: "pg-main", onclick: f, "aria-label": "Go" }, "Go")
 * Attributes that are functions become listeners; undefined, null and false are left out.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** Whether the page around an element is dark: JupyterLab and Voilà say so; else the paper tells. */
export function isDark(at) {
  const theme = document.body.dataset.jpThemeLight;
  if (theme !== undefined) return theme === "false";
  for (let node = at.parentElement; node; node = node.parentElement) {
    const [r, g, b, a = 1] = (getComputedStyle(node).backgroundColor.match(/[\d.]+/g) ?? []).map(
      Number,
    );
    if (r !== undefined && a > 0.5) return 0.299 * r + 0.587 * g + 0.114 * b < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/**
 * Turn the element that anywidget gives into the root of a widget of the playground.
 *
 * It gets the shared look, follows the theme, and keeps JupyterLab's shortcuts away: without that,
 * an arrow key pressed in the widget also selects another cell. Returns a function that undoes it:
 * call it when the view is removed. `repaint`, if given, runs after each change of theme.
 */
export function playgroundRoot(el, label, repaint = () => {}) {
  el.classList.add("playground");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", label);
  el.dataset.lmSuppressShortcuts = "true";
  // JupyterLab looks at that only after the element that has the focus, so this is needed as well.
  const keep = (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  };
  el.addEventListener("keydown", keep);
  const follow = () => {
    el.classList.toggle("pg-dark", isDark(el));
    repaint();
  };
  const observer = new MutationObserver(follow);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", follow);
  follow();
  // The element joins the page after this returns; only then does it have a background.
  requestAnimationFrame(follow);
  return () => {
    el.removeEventListener("keydown", keep);
    observer.disconnect();
    system.removeEventListener("change", follow);
  };
}

/** A function that runs `action` at most once an animation frame, with the last arguments. */
export function onceAFrame(action) {
  let waiting = null;
  return (...values) => {
    const idle = waiting === null;
    waiting = values;
    if (idle)
      requestAnimationFrame(() => {
        const last = waiting;
        waiting = null;
        action(...last);
      });
  };
}

/** The bytes of a trait: a DataView from the kernel, or what was set here. */
export function bytesOf(value) {
  if (!value) return new Uint8Array(0);
  if (value instanceof DataView)
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Paint grey values, 0 … 255, each as one square pixel of the canvas, in the page's own colours. */
export function paintGrey(canvas, grey, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const [r, g, b] = (getComputedStyle(canvas).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  for (let i = 0; i < width * height; i += 1) {
    pixels.data[4 * i] = r;
    pixels.data[4 * i + 1] = g;
    pixels.data[4 * i + 2] = b;
    pixels.data[4 * i + 3] = grey[i] ?? 0;
  }
  context.putImageData(pixels, 0, 0);
}

/** Words on the page at once, and the same words for a screen reader once they stay. */
export function spokenStatus(className = "pg-status") {
  const shown = element("p", { class: className, "aria-hidden": "true" });
  const heard = element("p", { class: "pg-heard", role: "status" });
  let timer = 0;
  return {
    parts: [shown, heard],
    say(words, problem = false) {
      shown.textContent = words;
      shown.classList.toggle("pg-problem", problem);
      clearTimeout(timer);
      timer = setTimeout(() => (heard.textContent = words), PAUSE);
    },
    stop: () => clearTimeout(timer),
  };
}
