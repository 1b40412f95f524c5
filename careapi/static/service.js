// Requests to the service and the stream of its events. The session cookie goes along by itself.

/** What the service refused or did not answer, in words that a person can act on. */
export class Refused extends Error {
  constructor(status, problem = {}, retryAfter = null) {
    super(inWords(status, problem, retryAfter));
    this.status = status;
    this.problem = problem;
  }

  get isStale() {
    return this.status === 412 || (this.problem.type ?? "").endsWith(":stale");
  }
}

function inWords(status, problem, retryAfter) {
  const faults = (problem.faults ?? []).map((fault) => `${fault.at.replace(/^body\./, "")}: ${fault.why}`);
  const said = [problem.detail ?? problem.title ?? "", ...faults].filter(Boolean).join("; ");
  if (status === 0) return "The service did not answer. Nothing is known to have been saved; try again.";
  if (status === 401) return "You are signed out. Sign in again in another tab, then try again here.";
  if (status === 403) return `Your token does not allow this: ${said}.`;
  if (status === 429 || status === 503) return `The service is busy; try again in ${retryAfter ?? "a few"} s. Nothing was saved.`;
  if (status === 502) return `The payment provider did not take it: ${said}. Try again.`;
  if (status >= 500) return "The service failed; that is not your doing. Try again; if it stays, tell whoever runs it.";
  return said ? `${said}.` : `The service refused (${status}).`;
}

/** A key under which a request counts once; not randomUUID, which a plain address in the house does not have. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Ask the service; returns { status, body, version, age_s }, or throws Refused.
 * A key makes a request that is sent twice count once; a version refuses to change what has changed.
 */
export async function ask(method, path, { body, key, version, within_s = 15 } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(within_s * 1000),
    });
  } catch {
    throw new Refused(0);
  }
  const text = await answer.text().catch(() => "");
  let content = null;
  try {
    content = text ? JSON.parse(text) : null;
  } catch { /* not JSON: the status has to do */ }
  if (!answer.ok) throw new Refused(answer.status, content ?? {}, answer.headers.get("Retry-After"));
  return { status: answer.status, body: content, date: Date.parse(answer.headers.get("Date")) };
}

/**
 * Follow a stream of events for as long as the page lives. Calls onEvent(event) for each and
 * onState("live" | "lost") as the connection comes and goes; after a refusal it tries again.
 */
export function follow(path, kinds, { onEvent, onState }) {
  let last = null;
  let pause_ms = 1000;
  const open = () => {
    const source = new EventSource(last === null ? path : `${path}?after=${last}`);
    const take = (message) => {
      if (message.lastEventId) last = message.lastEventId;
      let content = {};
      try {
        content = JSON.parse(message.data);
      } catch { /* an event without content still tells that something happened */ }
      onEvent({ type: message.type, ...content });
    };
    source.onopen = () => {
      pause_ms = 1000;
      onState("live");
    };
    source.onmessage = take;
    for (const kind of kinds) source.addEventListener(kind, take);
    source.onerror = () => {
      onState("lost");
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      source.close();
      setTimeout(open, pause_ms);
      pause_ms = Math.min(pause_ms * 2, 30000);
    };
  };
  open();
}
