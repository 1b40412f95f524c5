// Who works at this desk: the agent of the token or the one of last time, else who says so.

import { openDialog } from "./dialogs.js";
import { LANGUAGES } from "./languages.js";
import { languageName, make } from "./words.js";

const WHO = "ashcloud.agent";
const CODE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** Resolves with { agent, langs, capacity }, or null; asks if it must or should. */
export async function whoWorks(token, ask) {
  const kept = JSON.parse(localStorage.getItem(WHO) ?? "null");
  const known = kept && (!token.agent || kept.agent === token.agent) ? kept : null;
  if (known && !ask) return known;
  const who = await whoDialog(known ?? { agent: token.agent ?? "", langs: [], capacity: 3 }, Boolean(token.agent));
  if (who) localStorage.setItem(WHO, JSON.stringify(who));
  return who;
}

function whoDialog(start, isBound) {
  document.getElementById("langs").replaceChildren(...LANGUAGES.map((code) => make("label", {},
    make("input", { type: "checkbox", name: "langs", value: code }), languageName(code))));
  document.getElementById("agent").readOnly = isBound;
  return openDialog("who-dialog", {
    start,
    check: (values) => {
      const faults = [];
      if (!CODE.test(values.agent.trim())) faults.push(["agent", "A code has letters, digits, dots and dashes, and begins with a letter or digit."]);
      if (!values.langs) faults.push(["langs", "Choose at least one language."]);
      if (!(Number(values.capacity) >= 1)) faults.push(["capacity", "At least one case at a time."]);
      return faults;
    },
    send: async (values) => ({ agent: values.agent.trim(), langs: values.langs.split(","), capacity: Number(values.capacity) }),
  });
}
