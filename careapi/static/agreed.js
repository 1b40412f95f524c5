// Texts that were agreed for a crisis: they go into the reply, to be sent as they are or changed where that is allowed.

import { make } from "./words.js";
import { crisis } from "./work.js";

const at = (id) => document.getElementById(id);

/** Read the switch and offer its texts, if it is on and there are any. */
export async function readAgreed() {
  const { on, templates, templates_only: only } = await crisis();
  at("agreed").hidden = !(on && templates.length);
  at("template-label").textContent = only ? "Crisis: agreed texts only" : "Crisis: agreed texts";
  at("template").replaceChildren(make("option", { value: "" }, "choose one"), ...templates.map((text) => make("option", { value: text }, text)));
}

at("template").addEventListener("change", () => {
  if (!at("template").value) return;
  at("text").value = at("template").value;
  at("template").value = "";
  at("text").dispatchEvent(new Event("input"));
  at("text").focus();
});
