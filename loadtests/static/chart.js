// Small charts over the time of the replay; each says its finding to those who do not see it.
import { draw, level, make, span } from "./words.js";

const LEFT = 52;
const TOP = 12;
const BOTTOM = 24;
const NARROWEST = 240;
const STEPS = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10]; // halves of them are round too

/** The smallest round number that is not below a value. */
export function roundUp(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return size * STEPS.find((step) => step * size >= value * 0.999999);
}

/**
 * Draw lines over time into an element, as wide as it is.
 *
 * `lines`: [{ name, kind, points: [[from_s, to_s, value or null], ...] }], drawn as steps; `kind` is its class, and
 * "area" in it fills it. `limit`: a dotted line across, if it is near. A null is a gap.
 */
export function chart(into, { lines, end_s, height = 180, limit = null, finding }) {
  const width = Math.max(NARROWEST, into.clientWidth);
  const right = width - 10;
  const floor = height - BOTTOM;
  const highest = Math.max(0, ...lines.flatMap(({ points }) => points.map(([, , value]) => value ?? 0)));
  const top = roundUp(Math.max(highest, limit && highest > limit / 4 ? limit * 1.1 : 0, 1e-3));
  const x = (at_s) => LEFT + (right - LEFT) * Math.min(1, at_s / end_s);
  const y = (value) => floor - (floor - TOP) * (value / top);
  const parts = [];
  for (const share of [0, 0.5, 1]) {
    parts.push(draw("path", { class: share ? "grid" : "floor", d: `M${LEFT} ${y(top * share).toFixed(1)}H${right}` }));
    parts.push(draw("text", { x: LEFT - 8, y: (y(top * share) + 4).toFixed(1), class: "left" }, level(top * share)));
  }
  for (const share of [0, 0.5, 1]) {
    const place = share === 0 ? "begin" : share === 1 ? "left" : "middle";
    parts.push(draw("text", { x: (LEFT + (right - LEFT) * share).toFixed(1), y: height - 5, class: place }, span(end_s * share)));
  }
  for (const { kind, points } of lines) {
    if (kind.includes("area")) parts.push(draw("path", { class: `${kind} fill`, d: stairs(points, x, y, floor, true) }));
    parts.push(draw("path", { class: `${kind} line`, d: stairs(points, x, y, floor, false) }));
  }
  if (limit && limit <= top) parts.push(draw("path", { class: "limit", d: `M${LEFT} ${y(limit).toFixed(1)}H${right}` }));
  into.replaceChildren(draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": finding }, ...parts));
}

function stairs(points, x, y, floor, closed) {
  let path = "";
  let from = null; // where the piece that is being drawn began
  let to = 0;
  for (const [from_s, to_s, value] of points) {
    if (value === null || value === undefined) {
      if (closed && from !== null) path += `V${floor}Z`;
      from = null;
      continue;
    }
    const [a, b, h] = [x(from_s).toFixed(1), x(to_s).toFixed(1), y(value).toFixed(1)];
    path += from === null ? `M${a} ${closed ? floor : h}V${h}H${b}` : `V${h}H${b}`;
    from ??= a;
    to = b;
  }
  return closed && from !== null ? `${path}H${to}V${floor}Z` : path;
}

/** A card in the place of a chart that cannot be drawn. */
export function unknown(head, why) {
  return make("section", { class: "card chart unknown" }, make("h2", {}, head),
    make("p", { class: "pill" }, "Not measurable here"), make("p", { class: "small" }, why));
}
