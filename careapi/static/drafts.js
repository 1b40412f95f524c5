// What was typed and not sent yet, by case: it outlives a failed request, a change of case and a reload.
// It stays in this tab (sessionStorage) and goes when it was sent.

import { newKey } from "./service.js";

const NAME = "ashcloud.drafts";

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

function write(drafts) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(drafts));
  } catch { /* full or forbidden: the text is still in its field */ }
}

export function draft(caseId) {
  return read()[caseId]?.text ?? "";
}

/** Keep a text; an empty one is forgotten. A text that changed is another request: its key goes. */
export function keep(caseId, text) {
  const drafts = read();
  if (drafts[caseId]?.text === text) return;
  if (text) drafts[caseId] = { text };
  else delete drafts[caseId];
  write(drafts);
}

/** The key under which this very text, sent for this purpose, counts once, however often it is sent. */
export function keyOf(caseId, purpose) {
  const drafts = read();
  drafts[caseId] ??= { text: "" };
  const keys = (drafts[caseId].keys ??= {});
  keys[purpose] ??= newKey();
  write(drafts);
  return keys[purpose];
}

export function forget(caseId) {
  keep(caseId, "");
}
