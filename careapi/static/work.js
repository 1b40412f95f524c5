// What an agent asks of the service, and the dialogs that collect what it takes.

import { openDialog } from "./dialogs.js";
import { LANGUAGES } from "./languages.js";
import { ask, newKey } from "./service.js";
import { languageName, make, minorUnits } from "./words.js";

export const EVENTS = ["appended", "reopened", "released", "lease_ended", "transferred", "merged", "resolved", "paylink_made", "payment", "notice_made", "notice_seen", "lost_item", "crisis"];
const CURRENCIES = ["EUR", "USD", "GBP", "NOK", "TRY", "BRL", "CNY", "JPY", "KRW", "THB"];
const REASONS = [["answered", "Answered"], ["no_answer_needed", "Needs no answer"], ["elsewhere", "Solved elsewhere"]];
const FLIGHT = /^[A-Z0-9]{2}\d{1,4}$/;
const SEAT = /^([1-9]\d?[A-K])?$/;

/** Whose token the session has: { name, agent, scopes }; agent is null if it is not bound to one. */
export async function session() {
  return (await ask("GET", "/v1/session")).body;
}

/** Tell the service that the agent is here; said again it keeps the cases in hand from going back. */
export async function present({ agent, langs, capacity }) {
  await ask("PUT", `/v1/agents/${encodeURIComponent(agent)}/presence`, { body: { presence: "online", langs, capacity } });
}

/** The crisis switch: { on, relaxed, templates_only, templates, … }. */
export async function crisis() {
  return (await ask("GET", "/v1/crisis")).body;
}

export async function myCases(agent) {
  const { body } = await ask("GET", `/v1/cases?status=assigned&agent=${encodeURIComponent(agent)}&limit=100`);
  return Promise.all(body.items.map((one) => readCase(one.id)));
}

/** A case with its conversation: what the customer wrote and what was answered, in order of time. */
export async function readCase(id) {
  const { body: found } = await ask("GET", `/v1/cases/${id}`);
  const said = found.posts.map((post) => ({
    id: `post ${post.id}`, from: "customer", name: nameOn(found.customer, post.platform), platform: post.platform,
    lang: post.lang, at_s: post.received_s, case_id: post.case_id, text: post.text,
  }));
  const answered = found.replies.map((reply) => ({
    id: `reply ${reply.id}`, from: "agent", name: reply.agent, lang: found.lang, at_s: reply.sent_s, case_id: reply.case_id, text: reply.text,
  }));
  return { ...found, conversation: [...said, ...answered].sort((a, b) => a.at_s - b.at_s) };
}

/** What the customer is called on a platform; nothing if that is not sure. */
function nameOn(customer, platform) {
  const handles = (customer?.handles ?? []).filter((handle) => handle.platform === platform);
  return handles.length === 1 ? handles[0].name : "";
}

let claimKey = null; // kept until there is an answer: a case that was given but never arrived is given again

/** Claim what is due first; the number of the case, or null if nothing waits. */
export async function claim({ agent, langs, capacity }) {
  claimKey ??= newKey();
  try {
    const { status, body } = await ask("POST", "/v1/claims", { body: { agent, langs, max: capacity }, key: claimKey });
    claimKey = null;
    return status === 204 ? null : body.id;
  } catch (refused) {
    if (refused.status) claimKey = null;
    throw refused;
  }
}

export async function reply(found, agent, text, then, key) {
  return (await ask("POST", `/v1/cases/${found.id}/reply`, { body: { agent, text, then }, key, version: found.version })).body;
}

export async function release(found, agent) {
  await ask("POST", `/v1/cases/${found.id}/release`, { body: { agent }, version: found.version });
}

export function transferDialog(found, agent) {
  const others = LANGUAGES.filter((code) => code !== found.lang).map((code) => [code, languageName(code)]);
  options("to-lang", [["", `stays ${languageName(found.lang)}`], ...others]);
  return openDialog("transfer-dialog", {
    check: (values) => (values.lang || values.agent.trim() ? [] : [["lang", "Choose another language, a colleague, or both."]]),
    send: async (values, key) => ask("POST", `/v1/cases/${found.id}/transfer`, { body: { agent, to_agent: values.agent.trim() || null, to_lang: values.lang || null }, version: found.version, key }),
  });
}

export function resolveDialog(found, agent) {
  options("reason", REASONS);
  return openDialog("resolve-dialog", {
    send: async (values, key) => ask("POST", `/v1/cases/${found.id}/resolve`, { body: { agent, reason: values.reason }, version: found.version, key }),
  });
}

export function paylinkDialog(found, agent) {
  options("currency", CURRENCIES.map((code) => [code, code]));
  return openDialog("paylink-dialog", {
    check: (values) => (minorUnits(values.amount, values.currency) === null
      ? [["amount", `The amount is a number above 0 as ${values.currency} has it, such as ${values.currency === "JPY" || values.currency === "KRW" ? "5000" : "75.00"}.`]] : []),
    send: async (values, key) => (await ask("POST", `/v1/cases/${found.id}/paylinks`, {
      body: { agent, amount_minor: minorUnits(values.amount, values.currency), currency: values.currency, lasts_s: Number(values.expires) }, key,
    })).body,
  });
}

export function noticeDialog(found, agent) {
  return openDialog("notice-dialog", {
    start: { date: new Date().toISOString().slice(0, 10) },
    check: (values) => {
      const faults = [];
      if (!FLIGHT.test(plain(values.flight))) faults.push(["flight", "A flight is two signs of the airline and a number, such as KL1234."]);
      if (!values.date) faults.push(["date", "Say on which day the flight leaves."]);
      if (!SEAT.test(plain(values.seat))) faults.push(["seat", "A seat is a row and a letter, such as 12A; leave it empty if you do not know it."]);
      if (!values.text.trim()) faults.push(["text", "Say what the crew should know."]);
      return faults;
    },
    send: async (values, key) => (await ask("POST", `/v1/flights/${plain(values.flight)}/${values.date}/notices`, {
      body: { agent, case_id: found.id, seat: plain(values.seat) || null, text: values.text.trim() }, key,
    })).body,
  });
}

function plain(text) {
  return text.replace(/\s+/g, "").toUpperCase();
}

function options(id, pairs) {
  document.getElementById(id).replaceChildren(...pairs.map(([value, words]) => make("option", { value }, words)));
}
