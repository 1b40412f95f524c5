// A case drawn: head, conversation in its languages, the customer, payment links and crew notices.

import { readCase } from "./work.js";
import { clock, day, languageName, make, money, span } from "./words.js";

const PLATFORMS = {
  x: "X", facebook: "Facebook", messenger: "Messenger", instagram: "Instagram", whatsapp: "WhatsApp",
  wechat: "WeChat", vk: "VK", kakao: "KakaoTalk", linkedin: "LinkedIn", generic: "another network",
};
const STATES = { open: "waiting", assigned: "in hand", waiting_customer: "waits for the customer", resolved: "resolved" };
const TIERS = { none: "no frequent flyer", silver: "Silver", gold: "Gold", platinum: "Platinum" };
const PAID = { open: ["", "not paid yet"], paid: ["good", "paid"], failed: ["bad", "failed"], expired: ["warn", "expired"] };

const at = (id) => document.getElementById(id);
export const platformName = (code) => PLATFORMS[code] ?? code;

/** [kind of pill, words] for how much of the promise is left. */
export function dueIn(due_s, now_s) {
  const left_s = due_s - now_s;
  if (left_s < 0) return ["bad", `${span(-left_s)} late`];
  return [left_s < 600 ? "warn" : "good", `${span(left_s)} left`];
}

export function showDue(place, due_s, now_s) {
  const [kind, words] = dueIn(due_s, now_s);
  place.className = `${place.dataset.and ?? ""} pill ${kind}`;
  place.textContent = words;
}

export function drawSheet(found, fresh, now_s) {
  const language = languageName(found.lang);
  at("head").textContent = `Case ${found.id} · ${language}`;
  showDue(at("due"), found.due_s, now_s);
  at("facts").textContent = [
    STATES[found.status], found.private ? "private message" : "public post", found.topic,
    `waiting since ${day(found.waiting_since_s)} UTC`, `version ${found.version}`,
  ].filter(Boolean).join(" · ");
  at("talk").replaceChildren(...found.conversation.map((part) => drawPart(part, found, fresh)));
  at("talk-scroll").scrollTop = at("talk-scroll").scrollHeight;
  at("text").lang = found.lang;
  at("text-label").textContent = `Reply in ${language}`;
  drawAbout(found);
}

export function drawPart(part, found, fresh = new Set()) {
  const ours = part.from === "agent";
  const isFresh = !ours && fresh.has(part.id);
  const who = ours ? `${part.name}, for us` : `${part.name || "Customer"} on ${platformName(part.platform)}`;
  const elsewhere = part.case_id !== found.id && `case ${part.case_id}`;
  const kinds = [ours ? "ours" : "theirs", elsewhere && "other", isFresh && "fresh"].filter(Boolean).join(" ");
  return make("li", { class: kinds },
    make("span", { class: "meta" }, [isFresh && "New", who, day(part.at_s), elsewhere].filter(Boolean).join(" · ")),
    make("p", { lang: part.lang, dir: "auto" }, part.text));
}

function drawAbout(found) {
  const { customer } = found;
  at("customer").replaceChildren(...(customer ? pairs([
    ["Tier", TIERS[customer.tier] ?? customer.tier],
    ["Booking", customer.booking || "not linked"],
    ...customer.handles.map((handle) => [platformName(handle.platform), handle.name || handle.external_user]),
  ]) : [make("dd", {}, "Customer data cannot be read just now; the case goes on without.")]));
  fill("paylinks", found.paylinks, "none yet", (link) => {
    const [kind, words] = PAID[link.state] ?? ["", link.state];
    return make("li", {}, money(link.amount_minor, link.currency), make("span", { class: `pill ${kind}` }, words),
      link.refund_check ? make("div", {}, "Paid after it had expired: check whether it must be given back.") : null,
      link.state === "open" ? make("div", { class: "soft" }, `until ${day(link.expires_s)} UTC`) : null);
  });
  fill("notices", found.notices, "none yet", (notice) => make("li", {},
    make("strong", {}, `${notice.flight}, ${notice.date}${notice.seat ? `, seat ${notice.seat}` : ""}`),
    make("span", { class: `pill ${notice.seen_s ? "good" : ""}` }, notice.seen_s ? `seen ${clock(notice.seen_s)}` : "not seen yet"),
    make("div", { dir: "auto" }, notice.text)));
  fill("before", (customer?.cases ?? []).filter((other) => other.id !== found.id), "nothing besides this case", earlier);
}

/** Another case of the customer, on whichever channel; its conversation is read when it is opened. */
function earlier(other) {
  const talk = make("ol", { class: "talk-small" });
  const box = make("details", {},
    make("summary", {}, `Case ${other.id} · ${languageName(other.lang)} · ${STATES[other.status]}`,
      make("span", { class: "soft" }, `${day(other.opened_s)} UTC`)), talk);
  box.addEventListener("toggle", async () => {
    if (!box.open || talk.children.length) return;
    try {
      const found = await readCase(other.id);
      talk.replaceChildren(...found.conversation.map((part) => drawPart(part, found)));
    } catch (refused) {
      talk.replaceChildren(make("li", {}, refused.message));
    }
  });
  return make("li", {}, box);
}

function fill(id, items, nothing, one) {
  at(id).replaceChildren(...(items.length ? items.map(one) : [make("li", { class: "nothing" }, nothing)]));
}

function pairs(list) {
  return list.flatMap(([term, value]) => [make("dt", {}, term), make("dd", { dir: "auto" }, value)]);
}
