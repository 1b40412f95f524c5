// The list of the cases in hand, what is due first on top.

import { platformName, showDue } from "./sheet.js";
import { languageName, make } from "./words.js";

/** Draw the list; `draftOf` tells the text of a case that was not sent, `pick` is called with the number of a case. */
export function drawMine(cases, current, now_s, draftOf, pick) {
  const list = document.getElementById("mine");
  const had = document.activeElement?.dataset?.case;
  document.getElementById("mine-none").hidden = cases.length > 0;
  list.replaceChildren(...cases.sort((a, b) => a.due_s - b.due_s).map((one) => make("li", {}, button(one))));
  if (had) list.querySelector(`[data-case="${had}"]`)?.focus();

  function button(one) {
    const isCurrent = one.id === current;
    const due = make("span", { "data-and": "when" });
    showDue(due, one.due_s, now_s);
    due.textContent = due.textContent.replace(" left", "");
    const last = one.conversation.findLast((part) => part.from === "customer");
    const made = make("button", { type: "button", "data-case": one.id, "aria-current": isCurrent ? "true" : null },
      make("strong", {}, languageName(one.lang)), make("span", { class: "soft" }, last ? platformName(last.platform) : ""),
      due, make("span", { class: "soft" }, `case ${one.id}`),
      !isCurrent && draftOf(one.id) ? make("span", { class: "draft" }, "text not sent") : null);
    made.addEventListener("click", () => pick(one.id));
    return made;
  }
}
