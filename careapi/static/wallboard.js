// The wallboard: a snapshot from /v1/kpis, taken again soon after each event of the stream.

import { ask, follow } from "./service.js";
import { LANGUAGES } from "./languages.js";
import { clock, draw, languageName, make, number, percent, span } from "./words.js";
import { spark } from "./spark.js";

const WINDOW_S = 3600;
const SOON_MS = 200; // a burst of events is one snapshot
const APART_MS = 1000; // between two snapshots
const ANYWAY_MS = 15000; // the hour moves on without events too
const OLD_MS = 45000;
const SAY_MS = 30000;
const FEED = 40;
const DUE_SOON_S = 900;
const GOOD_SHARE = 0.8; // as PROMISE_SHARE of the measures
const HAPPENED = {
  opened: "New case", appended: "Customer wrote again", reopened: "Case open again", assigned: "Taken",
  released: "Put back", lease_ended: "Put back, agent gone", resolved: "Resolved", merged: "Cases joined",
  replied: "Reply sent", transferred: "Handed on", offered: "Offered",
  paylink_made: "Payment link made", payment: "Payment", notice_made: "Crew told", notice_seen: "Crew has seen it",
  lost_item: "Lost item", broadcast: "Broadcast", crisis: "Crisis state changed",
};
const NOTHING = { open: 0, overdue: 0, in_hand: 0, answered: 0, mentions: 0, cases: 0 };
const LOUD = new Set(["crisis", "broadcast"]);

const at = (id) => document.getElementById(id);
const seen = { board: null, taken_ms: 0, live: false, fault: "", said_ms: 0, said: "" };
let timer = null;
let asking = false;
let again = false;

function soon(wait_ms) {
  if (timer === null) timer = setTimeout(refresh, Math.max(wait_ms, seen.taken_ms + APART_MS - Date.now()));
}

async function refresh() {
  timer = null;
  again = asking;
  if (asking) return;
  asking = true;
  try {
    const [kpis, crisis] = await Promise.all([ask("GET", `/v1/kpis?window=${WINDOW_S}`), ask("GET", "/v1/crisis")]);
    seen.board = boardOf(kpis.body, crisis.body);
    seen.taken_ms = Date.now();
    seen.fault = "";
    show();
    say();
  } catch (refused) {
    if (refused.status === 401) location.assign("/signin?to=/");
    seen.fault = refused.message;
  } finally {
    asking = false;
  }
  showLink();
  if (again) soon(SOON_MS);
}

/** A row for each language in the order of the desk, also for those that nobody used. */
function boardOf(kpis, crisis) {
  const { all, ...some } = kpis.by_language;
  return { ...kpis, crisis, total: all, languages: LANGUAGES.map((lang) => ({ ...NOTHING, ...some[lang], lang })) };
}

// What is shown.

function show() {
  const { board } = seen;
  const all = board.total;
  at("open").textContent = number(all.open);
  const oldest = board.languages.reduce((most, row) => ((row.oldest_wait_s ?? -1) > (most.oldest_wait_s ?? -1) ? row : most), {});
  at("oldest-where").replaceChildren(
    all.open ? mark(urgency(all)) : "", all.open ? ` ${languageName(oldest.lang)}` : "nobody waits");
  at("kept").replaceChildren(...unit(percent(all.promise_kept_share)));
  at("kept-of").textContent = "of those answered or late, last hour";
  at("arrivals").textContent = number(all.mentions);
  at("arrivals-more").textContent = `last hour, ${number(all.cases)} became cases`;
  at("answered").textContent = number(all.answered);
  at("answered-more").textContent = `last hour, ${number(all.in_hand)} in hand`;
  at("spark").replaceChildren(spark([...board.backlog, [board.at_s, all.open]], board.at_s, WINDOW_S));
  const most = Math.max(10, ...board.languages.map((row) => row.open));
  at("rows").replaceChildren(...board.languages.map((row) => languageRow(row, most)));
  at("as-of").textContent = `Numbers as of ${clock(board.at_s, true)} UTC`;
  showCrisis(board.crisis);
  showWaits();
}

function unit(text) {
  const [value, ...rest] = text.split(" ");
  return rest.length ? [value, make("small", {}, rest.join(" "))] : [value];
}

/** The oldest waits grow between two snapshots. */
function showWaits() {
  if (!seen.board) return;
  const more_s = (Date.now() - seen.taken_ms) / 1000;
  const grown = (wait_s) => (wait_s ? wait_s + more_s : null);
  at("oldest").replaceChildren(...unit(span(grown(seen.board.total.oldest_wait_s))));
  seen.board.languages.forEach((row, i) => {
    at("rows").children[i].querySelector(".oldest").textContent = span(grown(row.oldest_wait_s));
  });
}

function urgency(row) {
  if (!row.open) return ["good", "clear"];
  if (row.overdue) return ["bad", `${number(row.overdue)} late`];
  return row.next_due_in_s < DUE_SOON_S ? ["warn", "due soon"] : ["good", "on time"];
}

function mark([kind, word]) {
  return make("span", { class: `pill ${kind}` }, word);
}

function languageRow(row, most) {
  const state = urgency(row);
  const quiet = !row.open && !row.mentions && !row.answered;
  const low = (row.promise_kept_share ?? 1) < GOOD_SHARE;
  const width = (100 * row.open) / most;
  return make("tr", { class: quiet ? "quiet" : null },
    make("th", { scope: "row" }, make("abbr", { "aria-hidden": "true" }, row.lang), languageName(row.lang)),
    make("td", {}, mark(state)),
    make("td", { class: "bar" }, make("div", {}, make("b", {}, number(row.open)),
      draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
        draw("rect", { class: "track", width: 100, height: 10, rx: 1 }),
        draw("rect", { class: state[0] === "bad" ? "fill late" : "fill", width, height: 10, rx: 1 })))),
    make("td", { class: "oldest" }),
    make("td", {}, percent(row.promise_kept_share), low ? make("span", { class: "low" }, " ▼", make("span", { class: "unseen" }, " below 80 %")) : null),
    make("td", {}, span(row.first_response_p50_s)),
    make("td", {}, number(row.mentions)),
    make("td", {}, number(row.answered)));
}

function showCrisis(crisis) {
  const promises = Object.entries(crisis.promise_s).map(([kind, promise_s]) => `${kind} ${span(promise_s)}`).join(", ");
  at("crisis").className = `crisis ${crisis.on ? "on" : crisis.advised ? "advised" : "off"}`;
  at("crisis-state").textContent = crisis.on ? "Crisis mode" : crisis.advised ? "A crisis is advised" : "Normal operation";
  at("crisis-more").textContent = crisis.on
    ? [
      crisis.relaxed.length && `English helps out in ${crisis.relaxed.map(languageName).join(", ")}`,
      promises && `promise for new cases: ${promises}`, crisis.templates_only && "agreed texts only",
      !crisis.advised && (crisis.open_cases || crisis.oldest_wait_s) && "below its thresholds again",
    ].filter(Boolean).join(" · ") || "declared"
    : crisis.advised ? "The queues are beyond the thresholds that were agreed" : "Crisis mode is off";
}

function showLink() {
  const age_ms = Date.now() - seen.taken_ms;
  const old = seen.board !== null && age_ms > OLD_MS;
  const [kind, words] = old ? ["bad", `Out of date: numbers of ${clock(seen.board.at_s, true)}`]
    : seen.fault ? ["bad", "No answer, trying again"]
    : seen.live ? ["good", "Live"] : ["warn", "Connecting"];
  const link = at("link");
  if (link.textContent !== words) link.textContent = words; // told once, not each second
  link.className = `pill ${kind}`;
  link.title = seen.fault;
  at("board").classList.toggle("stale", old);
}

/** One sentence for those who listen, at most twice a minute and only if it says something new. */
function say() {
  const { total, crisis } = seen.board;
  const sentence = `${crisis.on ? "Crisis mode. " : ""}${number(total.open)} waiting, oldest ${span(total.oldest_wait_s)}, `
    + `${percent(total.promise_kept_share)} answered in time.`;
  if (sentence === seen.said || Date.now() - seen.said_ms < SAY_MS) return;
  seen.said = sentence;
  seen.said_ms = Date.now();
  at("said").textContent = sentence;
}

function tell(event) {
  const words = HAPPENED[event.type];
  if (!words) return;
  const where = event.lang ? ` · ${languageName(event.lang)}` : "";
  const item = make("li", { class: "new" }, make("time", {}, clock(event.at_s, true)),
    make(LOUD.has(event.type) ? "strong" : "span", {}, words + where));
  at("feed").prepend(item);
  while (at("feed").children.length > FEED) at("feed").lastChild.remove();
}

// What happens.

follow("/v1/events", Object.keys(HAPPENED), {
  onEvent: (event) => {
    tell(event);
    soon(SOON_MS);
  },
  onState: (state) => {
    seen.live = state === "live";
    if (seen.live) soon(0);
    showLink();
  },
});
setInterval(() => {
  at("clock").textContent = clock(Date.now() / 1000, true);
  showWaits();
  showLink();
  if (Date.now() - seen.taken_ms > ANYWAY_MS) soon(0);
}, 1000);
at("clock").textContent = clock(Date.now() / 1000, true);
soon(0);
