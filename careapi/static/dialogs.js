// Dialogs that ask for a few values, send them, and stay open with words if that fails.

import { newKey } from "./service.js";

/**
 * Open a dialog; `send(values, key)` is called with what was typed. The key stays the same while the values
 * do, so that a second try of the same counts once. Resolves with what `send` gave, or null if it was
 * left; fails if what it was about had changed meanwhile.
 */
export function openDialog(id, { start = {}, check = () => [], send }) {
  const dialog = document.getElementById(id);
  const form = dialog.querySelector("form");
  const fault = dialog.querySelector(".fault");
  const before = document.activeElement;
  let sent = null;
  let key = null;
  let busy = false;
  form.reset();
  for (const [name, value] of Object.entries(start)) {
    for (const field of form.querySelectorAll(`[name="${name}"]`)) {
      if (field.type === "checkbox") field.checked = value.includes(field.value);
      else field.value = value;
    }
  }
  showFaults(form, fault, []);
  let stale = null;
  return new Promise((done, fail) => {
    const leave = (result) => {
      form.removeEventListener("submit", submit);
      form.removeEventListener("keydown", keys);
      cancel.removeEventListener("click", close);
      dialog.removeEventListener("close", closed);
      before?.focus();
      if (stale) fail(stale);
      else done(result);
    };
    let result = null;
    const closed = () => leave(result);
    const close = () => dialog.close();
    const keys = (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        form.requestSubmit();
      }
    };
    const submit = async (event) => {
      event.preventDefault();
      if (busy) return;
      const data = new FormData(form);
      const values = Object.fromEntries([...data.keys()].map((name) => [name, data.getAll(name).join(",")]));
      const faults = check(values);
      showFaults(form, fault, faults);
      if (faults.length) return;
      const now = JSON.stringify(values);
      if (now !== sent) key = newKey();
      sent = now;
      busy = true;
      form.querySelector(".first").setAttribute("aria-disabled", "true");
      try {
        result = await send(values, key);
        dialog.close();
      } catch (refused) {
        if (!("status" in refused)) throw refused;
        if (refused.isStale) {
          stale = refused; // the sheet below says what changed
          dialog.close();
        } else showFaults(form, fault, [[null, refused.message]]);
      } finally {
        busy = false;
        form.querySelector(".first").removeAttribute("aria-disabled");
      }
    };
    const cancel = form.querySelector("[value=cancel]");
    form.addEventListener("submit", submit);
    form.addEventListener("keydown", keys);
    cancel.addEventListener("click", close);
    dialog.addEventListener("close", closed);
    dialog.showModal();
  });
}

/** Faults are [name of the field or null, words]; the first field takes the focus. */
function showFaults(form, place, faults) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  place.hidden = faults.length === 0;
  place.textContent = faults.map(([, words]) => words).join(" ");
  const wrong = faults.filter(([name]) => name).map(([name]) => form.querySelector(`[name="${name}"]`));
  for (const field of wrong) field.setAttribute("aria-invalid", "true");
  wrong[0]?.focus();
}
