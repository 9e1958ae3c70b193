// The numbers of a convolution, without a page: windows, products, sums and the formulas of lesson
// 02. One picture of depth 1, one filter, no bias.

/** Pixels from the first weight of a dilated window to its last, both counted. */
export function windowSpan(kernelSide, dilation) {
  return (kernelSide - 1) * dilation + 1;
}

/**
 * One axis: how many zeros stand before and after the picture, and how many places the window has.
 * `padding` is "valid", "same" as in Keras, or a number of zeros on either side.
 */
export function axisPlan(size, kernelSide, { stride, padding, dilation }) {
  const span = windowSpan(kernelSide, dilation);
  let [before, after, places] = [0, 0, 0];
  if (padding === "same") {
    places = Math.ceil(size / stride);
    const zeros = Math.max((places - 1) * stride + span - size, 0);
    before = Math.floor(zeros / 2);
    after = zeros - before;
  } else {
    before = after = padding === "valid" ? 0 : padding;
    places = Math.max(Math.ceil((size + before + after - span + 1) / stride), 0);
  }
  return { size, span, before, after, places };
}

/** Both axes of a picture, and whether the window has a place at all. */
export function convolutionPlan(image, kernelSide, settings) {
  const rows = axisPlan(image.length, kernelSide, settings);
  const columns = axisPlan(image[0].length, kernelSide, settings);
  return { rows, columns, fits: rows.places > 0 && columns.places > 0 };
}

/** The pixels under the window at a place of the output, and what they are multiplied with. */
export function windowProducts(image, kernel, plan, { stride, dilation }, row, column) {
  const parts = [];
  for (let i = 0; i < kernel.length; i += 1) {
    for (let j = 0; j < kernel.length; j += 1) {
      const y = row * stride + i * dilation - plan.rows.before;
      const x = column * stride + j * dilation - plan.columns.before;
      const inside = y >= 0 && x >= 0 && y < plan.rows.size && x < plan.columns.size;
      const pixel = inside ? image[y][x] : 0;
      parts.push({ y, x, inside, pixel, weight: kernel[i][j], product: pixel * kernel[i][j] });
    }
  }
  return { parts, sum: parts.reduce((total, part) => total + part.product, 0) };
}

/** The whole feature map, row by row. */
export function featureMap(image, kernel, settings) {
  const plan = convolutionPlan(image, kernel.length, settings);
  return Array.from({ length: plan.rows.places }, (_, row) =>
    Array.from(
      { length: plan.columns.places },
      (_, column) => windowProducts(image, kernel, plan, settings, row, column).sum,
    ),
  );
}

/** A number as a person writes it: at most two decimals, a real minus sign, never −0. */
export function figure(value) {
  const rounded = Math.round(value * 100) / 100;
  if (!Number.isFinite(rounded)) return "∞";
  const text = String(Math.abs(rounded) >= 1e5 ? rounded.toPrecision(3) : rounded);
  return rounded < 0 ? text.replace("-", "−") : text.replace("-", "");
}

/** A weight: as a fraction where two decimals would not be exact, 1/9 for instance. */
export function weightFigure(value) {
  if (Math.abs(value * 100 - Math.round(value * 100)) < 1e-9) return figure(value);
  for (let under = 3; under <= 49; under += 1) {
    const over = value * under;
    if (Math.abs(over - Math.round(over)) < 1e-9 && Math.round(over))
      return `${figure(Math.round(over))}/${under}`;
  }
  return figure(value);
}

/** A number from what somebody typed: 2, -1.5, −1, 0,5, 1/9; null if it is none. */
export function typedNumber(text) {
  const parts = text.trim().replace(/−/g, "-").replace(/,/g, ".").split("/");
  if (parts.length > 2 || !parts.every((part) => /^\s*[-+]?(\d+\.?\d*|\.\d+)\s*$/.test(part)))
    return null;
  const value = parts.length === 2 ? Number(parts[0]) / Number(parts[1]) : Number(parts[0]);
  return Number.isFinite(value) && Math.abs(value) <= 1000 ? value : null;
}

/** The formula of one axis of the output, with the letters and then with the numbers. */
export function sizeFormula(letter, size, kernelSide, settings) {
  const { stride, padding, dilation } = settings;
  const { span, before, after, places } = axisPlan(size, kernelSide, settings);
  const wide = dilation > 1;
  const F = wide ? "F′" : "F";
  const lines = [];
  if (padding === "same") {
    lines.push(`⌈${letter}/S⌉ = ⌈${size}/${stride}⌉ = ${places}`);
    lines.push(
      `zeros: P = max((${places} − 1)·${stride} + ${span} − ${size}, 0) = ${before + after}, ` +
        `${before} before and ${after} after`,
    );
  } else {
    const zeros = padding === "valid" ? 0 : padding;
    const symbols = zeros ? `${letter} + 2P − ${F} + 1` : `${letter} − ${F} + 1`;
    const numbers = zeros ? `${size} + 2·${zeros} − ${span} + 1` : `${size} − ${span} + 1`;
    const count = size + 2 * zeros - span + 1;
    lines.push(
      `⌈(${symbols})/S⌉ = ⌈(${numbers})/${stride}⌉ = ` +
        (count > 0 ? (count % stride ? `⌈${figure(count / stride)}⌉ = ${places}` : `${places}`) : "no place"),
    );
  }
  return lines;
}
