// Numbers and states as people read them.
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const NONE = "–";

export function number(value) {
  return value === null || value === undefined ? NONE : whole.format(value);
}

/** A rate or a level: small ones with a digit behind the point. */
export function level(value) {
  return value === null || value === undefined ? NONE : value < 10 ? three.format(value) : whole.format(value);
}

/** Cut, not rounded: 100 is all of them. */
export function percent(part, whole_) {
  return whole_ ? `${Math.floor(1000 * Math.min(1, part / whole_)) / 10} %` : NONE;
}

export function milliseconds(value) {
  if (value === null || value === undefined) return NONE;
  return value >= 10000 ? `${whole.format(value / 1000)} s` : `${value < 100 ? three.format(value) : whole.format(value)} ms`;
}

export function span(seconds) {
  const s = Math.round(seconds);
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor(s / 60) % 60).padStart(2, "0")} min`;
}

export function sentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}.`;
}

export function stageWords({ stage, at_s, run, verdict }) {
  if (stage === "waiting") return "Getting ready";
  if (stage === "stopping") return "Stopping";
  if (stage === "ended") return verdict ? { interrupted: "Stopped", aborted: "Ended early" }[verdict.status] ?? "Ended" : "Ended, being judged";
  return `Running, ${span(Math.min(at_s, run.span_s))} of ${span(run.span_s)}`;
}

/** What waits at the server; what is not known is said, never left out. */
export function serverWords({ state, values }) {
  if (state === "told") return Object.entries(values).map(([name, value]) => `${level(value)} ${name}`).join(", ");
  return { silent: "no answer", "not asked": "not asked yet" }[state] ?? "not measurable here";
}

export const SERVER_WHY = {
  "no metrics": "No address of the server's metrics is known; name it with --metrics.",
  "not known": "None of the server's series is known to tell what waits; name one with --backlog.",
  silent: "The server does not answer when it is asked for its metrics.",
  "not asked": "The server has not been asked yet.",
};

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
