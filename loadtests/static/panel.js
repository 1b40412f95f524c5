// The panel of a replay: due against sent against answered, how late, what is under way here and what waits there.
import { chart, unknown } from "./chart.js";
import { level, make, milliseconds, number, percent, sentence, SERVER_WHY, span, stageWords } from "./words.js";

const EVERY_MS = 1000;
const REDRAWN = 200; // samples that are joined to so many steps, as no screen shows more
const GENERATOR = {
  "nothing sent yet": ["", "Nothing sent yet"],
  "in order so far": ["good", "In order so far"],
  "in order": ["good", "In order"],
  "not in order": ["bad", "Not in order"],
  "not measurable": ["open", "Not measurable here"],
};
const ENDS = ["answered", "failed", "shed", "dropped", "unsent", "abandoned"];
const TIMES = ["p50_ms", "p95_ms", "p99_ms", "lag_ms"];

const at = (id) => document.getElementById(id);
const samples = [];
let said = "";

function write(id, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
}

function pill(element, tone, text) {
  element.className = `pill ${tone}`;
  if (element.textContent !== text) element.textContent = text;
}

/** Say aloud what has changed, and only that. */
function say(text) {
  if (text === said) return;
  said = text;
  write("said", text);
}

/** Rates between samples: [from_s, to_s, value a second]; joined, so that a night has no more steps than an hour. */
function rates(value) {
  const step = Math.max(1, Math.ceil(samples.length / REDRAWN));
  const found = [];
  let before = { at_s: 0 };
  for (let i = Math.min(step, samples.length) - 1; i < samples.length && i >= 0; i += step) {
    const now = samples[i];
    const took = now.at_s - before.at_s;
    if (took > 0) found.push([before.at_s, now.at_s, Math.max(0, value(now) - (before.due === undefined ? 0 : value(before))) / took]);
    before = now;
  }
  return found;
}

/** Levels at samples: [from_s, to_s, value or null]. */
function levels(value) {
  const step = Math.max(1, Math.ceil(samples.length / REDRAWN));
  const found = [];
  for (let i = 0; i < samples.length; i += step) {
    const part = samples.slice(i, i + step).map(value).filter((each) => each !== null && each !== undefined);
    const from_s = i ? samples[i - 1].at_s : 0;
    found.push([from_s, samples[Math.min(i + step, samples.length) - 1].at_s, part.length ? Math.max(...part) : null]);
  }
  return found;
}

const wrong = (each) => each.failed + each.shed + each.dropped;
const last = (points) => (points.length ? points[points.length - 1][2] : null);
const highest = (points) => Math.max(0, ...points.map(([, , value]) => value ?? 0));

function drawCharts(state) {
  const end_s = Math.max(state.run.span_s, state.at_s, 1);
  const due = rates((each) => each.due);
  const sent = rates((each) => each.sent);
  const answered = rates((each) => each.answered);
  const lines = [
    { kind: "due area", points: due }, { kind: "sent", points: sent }, { kind: "answered", points: answered },
    { kind: "wrong", points: rates(wrong) },
  ];
  chart(at("rates"), { lines, end_s, height: 240,
    finding: `Rows a second, in the end: ${level(last(due))} due, ${level(last(sent))} sent, ${level(last(answered))} answered; highest ${level(highest(due))} due.` });
  const flight = levels((each) => each.in_flight);
  chart(at("flight-chart"), { lines: [{ kind: "sent area", points: flight }], end_s,
    finding: `Rows in flight: ${level(last(flight))} in the end, highest ${level(highest(flight))}.` });
  const lag = levels((each) => each.lag_ms);
  const limit_ms = 1000 * state.run.max_lag_s;
  chart(at("lag-chart"), { lines: [{ kind: "lag area", points: lag }], end_s,
    limit: limit_ms,
    finding: `Lag, 99 percent, in milliseconds: ${level(last(lag))} in the end, highest ${level(highest(lag))}.` });
  write("lag-limit", `(dotted: ${level(limit_ms)} allowed)`);
  drawServer(state, end_s);
}

/** A chart for each series that tells what waits at the server, or why there is none. */
function drawServer({ server, stage }, end_s) {
  const names = [...new Set(samples.flatMap((each) => Object.keys(each.server ?? {})))];
  if (!names.length) {
    at("server").replaceChildren(unknown("Waiting at the server", SERVER_WHY[server.state] ?? ""));
    return;
  }
  const plots = names.map((name) => {
    const points = levels((each) => each.server?.[name]);
    const here = server.state === "told" ? server.values[name] : null;
    const now = stage === "ended" ? "" : here === null ? "no answer now, " : `now ${level(here)}, `;
    const words = `${now}highest ${level(Math.max(here ?? 0, highest(points)))}`;
    const plot = make("div");
    const card = make("section", { class: "card chart" }, make("h2", {}, `At the server: ${name}`), plot, make("p", { class: "small" }, words));
    return [card, plot, { lines: [{ kind: "theirs area", points }], end_s, height: 160, finding: `${name} at the server: ${words}.` }];
  });
  at("server").replaceChildren(...plots.map(([card]) => card));
  for (const [, plot, what] of plots) chart(plot, what); // their widths are known now
}

function drawTable({ phases, generator }) {
  at("phases").replaceChildren(...phases.map((phase) => make("tr", phase.name === "all" ? { class: "all" } : {},
    make("th", { scope: "row" }, phase.name), make("td", {}, number(phase.rows)),
    ...ENDS.map((end) => make("td", phase[end] ? {} : { class: "none" }, number(phase[end]))),
    ...TIMES.map((time) => make("td", {}, milliseconds(phase[time]))))));
  write("phases-note", generator.state === "not in order"
    ? "Times of the service are not told: the generator is not in order, and they would be its own as much as the service's."
    : "Times count from when a row was due. What is not due yet is in no column.");
}

function drawGenerator({ generator, stage }) {
  const [tone, words] = GENERATOR[generator.state];
  pill(at("generator-state"), tone, words);
  const unknownWords = generator.unknown.length ? [`Not measurable here: ${generator.unknown.join(", ")}.`] : [];
  const later = stage === "ended" || generator.state === "nothing sent yet" ? [] : ["Whether it waited for a processor is judged at the end."];
  const reasons = generator.reasons.map(sentence);
  write("generator-more", [...reasons, ...unknownWords, ...later].join(" "));
  at("generator").dataset.tone = tone;
  return words;
}

/** Remarks that are not told above, of the generator. */
function others(remarks) {
  return remarks.filter((remark) => !/^(generator|not measurable here): /.test(remark));
}

function drawVerdict({ verdict, stage }) {
  at("verdict").hidden = stage !== "ended";
  if (!verdict) {
    write("headline", "All rows have ended; the results are being written.");
    return;
  }
  write("headline", verdict.headline);
  at("remarks").replaceChildren(...others(verdict.remarks).map((remark) => make("li", {}, sentence(remark))));
  write("verdict-more", `Exit code ${verdict.exit_code}. Kept in ${verdict.folder}. This page stays until the command is ended with Ctrl-C.`);
}

function show(state) {
  const { run, totals, stage } = state;
  const words = stageWords(state);
  document.title = `${words} · ${run.name} · ashcloud`;
  write("name", `of ${run.name}`);
  write("target", `to ${run.target}, ${number(run.rows)} rows${run.workers > 1 ? `, ${run.workers} workers` : ""}`);
  pill(at("stage"), { running: "live", ended: "" }[stage] ?? "open", words);
  at("stop").hidden = stage === "ended";
  at("progress").value = Math.min(1, state.at_s / run.span_s);
  write("at", `${span(Math.min(state.at_s, run.span_s))} of ${span(run.span_s)}`);
  const share = (value) => `${percent(value, totals.due)} of what was due`;
  write("due", number(totals.due));
  write("due-more", `of ${number(run.rows)}`);
  write("sent", number(totals.sent));
  write("sent-more", share(totals.sent));
  write("answered", number(totals.answered));
  write("answered-more", share(totals.answered));
  write("wrong", number(wrong(totals)));
  write("wrong-more", `${number(totals.failed)} failed, ${number(totals.shed)} shed, ${number(totals.dropped)} dropped`);
  write("flight", number(totals.in_flight));
  write("lag", milliseconds(state.phases.length ? state.phases[state.phases.length - 1].lag_ms : null));
  write("lag-more", `from due to sent; ${level(1000 * run.max_lag_s)} ms allowed`);
  const generator = drawGenerator(state);
  drawVerdict(state);
  drawTable(state);
  drawCharts(state);
  say(state.verdict ? `Ended. ${state.verdict.headline}` : `${stage === "running" ? "Running" : words}. Generator: ${generator}.`);
}

async function look() {
  let state;
  try {
    const answer = await fetch(`/ashcloud/state?since=${Math.max(0, samples.length - 1)}`);
    state = await answer.json();
  } catch {
    pill(at("stage"), "open", "The page is closed");
    at("stop").hidden = true;
    say("The page is closed; what is shown was last.");
    return;
  }
  samples.splice(state.from, samples.length, ...state.samples);
  show(state);
  setTimeout(look, state.verdict ? 4 * EVERY_MS : EVERY_MS);
}

at("stop").addEventListener("click", async () => {
  at("stop").disabled = true;
  await fetch("/stop", { method: "POST" });
});
look();
