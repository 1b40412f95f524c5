// The agent desk: one agent, the cases in hand, everything by keyboard.

import { keep, keyOf, draft, forget } from "./drafts.js";
import { readAgreed } from "./agreed.js";
import { drawMine } from "./mine.js";
import { drawSheet, showDue } from "./sheet.js";
import * as work from "./work.js";
import { fault, say } from "./told.js";
import { whoWorks } from "./who.js";
import { follow, Refused } from "./service.js";
import { languageName, make } from "./words.js";

const STILL_HERE_MS = 60000;
const at = (id) => document.getElementById(id);
const desk = { me: null, cases: new Map(), current: null, seen: new Map(), busy: new Set(), again: new Set(), live: false };
const now_s = () => Date.now() / 1000;
const current = () => desk.cases.get(desk.current);

/** Do one thing at a time of each kind; what goes wrong is shown in words and nothing is thrown away. */
async function doing(name, action, { quiet = false } = {}) {
  if (desk.busy.has(name)) return;
  desk.busy.add(name);
  try {
    if (!quiet) fault(null);
    await action();
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    if (refused.isStale && current()) await changedMeanwhile().catch((failed) => fault(failed.message));
    else if (refused.status === 401) fault(refused.message, make("a", { href: "/signin?to=/desk", target: "_blank" }, "Sign in"));
    else fault(refused.message);
  } finally {
    desk.busy.delete(name);
  }
}

/** The case is not what it was when it was read: show what it is now, keep what was typed, say so. */
async function changedMeanwhile() {
  const before = current();
  const after = await work.readCase(before.id);
  const mine = after.agent === desk.me.agent;
  if (mine) desk.cases.set(after.id, after);
  else desk.cases.delete(after.id);
  const added = after.conversation.length - before.conversation.length;
  const what = !mine
    ? after.status === "assigned" ? `it is now in the hands of ${after.agent}` : `it is no longer yours (${after.status.replace("_", " ")})`
    : added > 0 ? `${added === 1 ? "a message was" : `${added} messages were`} added, marked "New" below` : "its state was changed";
  show(after.id, { sheet: after, focus: false });
  fault(`Case ${after.id} changed while you had it open: ${what}. Nothing was sent. Your text is still here; `
    + (mine ? "read what is new, then send again." : "claim another case when you are ready."));
}

// What is shown.

function show(id, { sheet = desk.cases.get(id), focus = true } = {}) {
  const known = desk.seen.get(id);
  const fresh = new Set(known ? sheet.conversation.map((part) => part.id).filter((part) => !known.has(part)) : []);
  desk.seen.set(id, new Set(sheet.conversation.map((part) => part.id)));
  const other = desk.current !== id;
  desk.current = id;
  at("none").hidden = true;
  at("sheet").hidden = at("about").hidden = false;
  drawSheet(sheet, fresh, now_s());
  at("actions").hidden = !desk.cases.has(id);
  at("send").toggleAttribute("disabled", !desk.cases.has(id));
  if (other) at("text").value = draft(id);
  countText();
  listMine();
  if (focus) at("head").focus();
}

function showNone() {
  desk.current = null;
  at("none").hidden = false;
  at("sheet").hidden = at("about").hidden = true;
  listMine();
  at("claim").focus();
}

function listMine() {
  drawMine([...desk.cases.values()], desk.current, now_s(), draft, show);
}

function countText() {
  const { length } = at("text").value;
  at("text-said").textContent = length ? `${length} of ${at("text").maxLength} characters · kept until sent` : "";
}

function showLink() {
  at("link").textContent = desk.live ? "Live" : "Connecting";
  at("link").className = `pill ${desk.live ? "good" : "warn"}`;
}

// What an agent does.

const claim = () => doing("claim", async () => {
  if (!desk.me) await begin();
  if (!desk.me) return;
  const id = await work.claim(desk.me);
  if (id === null) {
    say("Nothing waits in your languages, or your hands are full.");
    fault("Nothing to claim: no case waits in your languages, or you hold as many as you may.");
    return;
  }
  const found = await work.readCase(id);
  desk.cases.set(id, found);
  show(id);
  say(`Case ${id}, ${languageName(found.lang)}, claimed.`);
});

const again = () => doing("read", async () => {
  if (!current()) return;
  const found = await work.readCase(desk.current);
  desk.cases.set(found.id, found);
  show(found.id, { focus: false });
  say("Read again.");
});

const reply = () => doing("reply", async () => {
  const found = current();
  const text = at("text").value.trim();
  if (!found) return;
  if (!text) {
    fault("There is no text to send.");
    at("text").focus();
    return;
  }
  keep(found.id, at("text").value);
  at("text").readOnly = true; // what is typed from here on would be lost
  at("send").setAttribute("aria-disabled", "true");
  try {
    await work.reply(found, desk.me.agent, text, at("then").value, keyOf(found.id, at("then").value));
  } finally {
    at("text").readOnly = false;
    at("send").removeAttribute("aria-disabled");
  }
  forget(found.id);
  if (desk.current === found.id) at("text").value = "";
  await after(found.id, "Reply sent.");
});

const release = () => doing("release", async () => {
  const found = current();
  if (!found) return;
  await work.release(found, desk.me.agent);
  gone(found.id, `Case ${found.id} is back in the queue, with its age.`);
});

const transfer = () => withDialog(async (found) => {
  if (await work.transferDialog(found, desk.me.agent)) gone(found.id, `Case ${found.id} was handed on.`);
});
const resolve = () => withDialog(async (found) => {
  if (await work.resolveDialog(found, desk.me.agent)) gone(found.id, `Case ${found.id} is resolved.`);
});
const paylink = () => withDialog(async (found) => {
  const link = await work.paylinkDialog(found, desk.me.agent);
  if (!link) return;
  if (link.url) {
    const text = at("text");
    text.value = text.value ? `${text.value.trimEnd()}\n${link.url}` : link.url;
    keep(found.id, text.value);
  }
  await after(found.id, link.url ? "Payment link created and put into the reply." : "Payment link created.");
});
const notice = () => withDialog(async (found) => {
  if (await work.noticeDialog(found, desk.me.agent)) await after(found.id, "The crew is told.");
});

function withDialog(action) {
  const found = current();
  return found ? doing("dialog", () => action(found)) : undefined;
}

/** Read a case after something was done to it; it may not be ours any more. */
async function after(id, words) {
  const found = await work.readCase(id);
  say(words);
  if (found.agent !== desk.me.agent) return gone(id, words);
  desk.cases.set(id, found);
  show(id, { focus: false });
  return undefined;
}

function gone(id, words) {
  desk.cases.delete(id);
  const next = [...desk.cases.keys()][0];
  if (desk.current !== id) listMine();
  else if (next === undefined) showNone();
  else show(next);
  say(words);
}

function step(by) {
  const ids = [...desk.cases.values()].sort((a, b) => a.due_s - b.due_s).map((one) => one.id);
  if (ids.length) show(ids[(ids.indexOf(desk.current) + by + ids.length) % ids.length]);
}

// Keys.

const write = () => current() && at("text").focus();
const help = () => at("help-dialog").showModal();
const KEYS = {
  c: claim, r: write, p: paylink, n: notice, t: transfer, l: release, e: resolve, u: again,
  w: () => doing("begin", begin), j: () => step(1), k: () => step(-1), "?": help,
};

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, textarea, select");
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === at("text")) {
    event.preventDefault();
    reply();
  } else if (event.key === "Escape" && writing) {
    at("head").focus();
  } else if (!writing && !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && at("keys-on").checked) {
    const action = KEYS[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  }
});
for (const [id, action] of Object.entries({
  claim, help, "who-change": () => doing("begin", begin), "do-paylink": paylink, "do-notice": notice, "do-transfer": transfer, "do-release": release, "do-resolve": resolve,
})) at(id).addEventListener("click", action);
at("reply").addEventListener("submit", (event) => {
  event.preventDefault();
  reply();
});
at("text").addEventListener("input", () => {
  keep(desk.current, at("text").value);
  countText();
});
at("keys-on").checked = localStorage.getItem("ashcloud.keys") !== "off";
at("keys-on").addEventListener("change", () => localStorage.setItem("ashcloud.keys", at("keys-on").checked ? "on" : "off"));

// From the service.

async function readMine() {
  for (const found of await work.myCases(desk.me.agent)) desk.cases.set(found.id, found);
  const first = [...desk.cases.keys()][0];
  if (first !== undefined && desk.current === null) show(first, { focus: false });
  listMine();
}

/** An event about a case in hand: read it again, and once more if another came meanwhile. */
async function heard(event) {
  if (event.type === "crisis") await readAgreed().catch(() => {});
  if (!desk.cases.has(event.case_id) || event.actor === desk.me?.agent) return;
  const name = `heard ${event.case_id}`;
  if (desk.busy.has(name)) {
    desk.again.add(name);
    return;
  }
  await doing(name, () => readAgain(event.case_id), { quiet: true });
  if (desk.again.delete(name)) await heard(event);
}

async function readAgain(id) {
  const found = await work.readCase(id);
  const before = desk.cases.get(id);
  if (!before) return;
  if (found.agent !== desk.me.agent) {
    if (desk.current === id) await changedMeanwhile();
    desk.cases.delete(id);
    listMine();
    return;
  }
  desk.cases.set(id, found);
  if (desk.current === id) show(id, { focus: false });
  else listMine();
  if (found.conversation.length > before.conversation.length) say(`New message in case ${id}.`);
}

setInterval(() => {
  if (current()) showDue(at("due"), current().due_s, now_s());
  listMine();
}, 15000);

/** Take the desk over: another agent has other cases. */
async function begin({ ask = true } = {}) {
  const who = await whoWorks(desk.token, ask);
  if (!who) return;
  await work.present(who);
  const other = desk.me?.agent !== who.agent;
  desk.me = who;
  at("who").textContent = `${who.agent} · ${who.langs.map(languageName).join(", ")}`;
  if (!other) return;
  desk.cases.clear();
  showNone();
  await readMine();
}

await doing("start", async () => {
  desk.token = await work.session();
  await readAgreed();
  await begin({ ask: false });
  follow("/v1/events", work.EVENTS, {
    onEvent: heard,
    onState: (state) => {
      desk.live = state === "live";
      showLink();
    },
  });
  setInterval(() => desk.me && work.present(desk.me).catch(() => {}), STILL_HERE_MS); // the next one may get through
});
