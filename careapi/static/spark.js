// The backlog of the last hour as a line, with its finding in words.
import { clock, draw, make, number } from "./words.js";

const WIDE = 600;
const HIGH = 100;

const LEAST_S = 120;

/** Draw points [[at_s, waiting], ...] of the window that ends at `end_s`, or of as much of it as there is. */
export function spark(points, end_s, longest_s) {
  const inside = points.filter(([at]) => at >= end_s - longest_s);
  if (inside.length < 2) return make("p", { class: "small" }, "The line of the last hour grows from here.");
  const window_s = Math.min(longest_s, Math.max(LEAST_S, end_s - inside[0][0]));
  const top = Math.max(4, ...inside.map(([, waiting]) => waiting));
  const x = (at) => WIDE * (1 - (end_s - at) / window_s);
  const y = (waiting) => HIGH - 4 - (HIGH - 10) * (waiting / top);
  let line = "";
  let before = null;
  for (const [at, waiting] of inside) { // a step: the number holds until it changes
    line += before === null ? `M${x(at).toFixed(1)} ${y(waiting).toFixed(1)}` : `H${x(at).toFixed(1)}V${y(waiting).toFixed(1)}`;
    before = waiting;
  }
  line += `H${WIDE}`;
  const begin = inside[0][0];
  const picture = draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": finding(inside) },
    draw("path", { class: "area", d: `${line}V${HIGH}H${x(begin).toFixed(1)}Z` }),
    draw("path", { class: "floor", d: `M0 ${HIGH - 1}H${WIDE}` }),
    draw("path", { class: "line", d: line }));
  return make("figure", {}, picture,
    make("figcaption", {}, make("span", {}, clock(end_s - window_s)), make("span", {}, `highest ${number(Math.max(...inside.map(([, n]) => n)))}`), make("span", {}, "now")));
}

function finding(points) {
  const [begin, first] = points[0];
  const last = points[points.length - 1][1];
  const [peak_at, peak] = points.reduce((most, point) => (point[1] > most[1] ? point : most));
  return `Waiting cases: ${first} at ${clock(begin)}, highest ${peak} at ${clock(peak_at)}, ${last} now.`;
}
