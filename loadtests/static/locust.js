// Locust's page shows one replay: a strip with what Locust does not know, and no buttons that would be refused.
import { milliseconds, number, serverWords, stageWords } from "./words.js";

const EVERY_MS = 1000;
const REFUSED = ["Edit", "New", "Reset"];

const strip = document.createElement("aside");
strip.className = "ashcloud-strip";
strip.setAttribute("aria-label", "The replay");
document.body.prepend(strip);

new MutationObserver(() => {
  for (const button of document.querySelectorAll("header button")) {
    if (REFUSED.includes(button.textContent.trim())) button.style.display = "none";
  }
}).observe(document.body, { childList: true, subtree: true });

function piece(name, value, late = false) {
  const whole = document.createElement("span");
  const bold = document.createElement("b");
  whole.append(`${name} `, bold);
  bold.textContent = value;
  if (late) whole.className = "late";
  return whole;
}

function show(state) {
  const { totals } = state;
  const lag = state.phases.length ? state.phases[state.phases.length - 1].lag_ms : null;
  const panel = document.createElement("a");
  panel.href = "/ashcloud";
  panel.textContent = "Replay panel";
  const head = document.createElement("b");
  head.textContent = stageWords(state);
  strip.replaceChildren(head, piece("due", number(totals.due)), piece("sent", number(totals.sent)),
    piece("answered", number(totals.answered)), piece("in flight", number(totals.in_flight)),
    piece("lag p99", milliseconds(lag), state.generator.state === "not in order"),
    piece("at the server", serverWords(state.server)), panel);
}

async function look() {
  try {
    const answer = await fetch("/ashcloud/state?since=1000000");
    show(await answer.json());
  } catch {
    strip.replaceChildren("The page of this replay is closed.");
    return;
  }
  setTimeout(look, EVERY_MS);
}
look();
