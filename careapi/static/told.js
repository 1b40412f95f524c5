// What the page says by itself: quietly, to those who listen, or as a fault that is seen and heard.

const at = (id) => document.getElementById(id);

export function say(words) {
  at("said").textContent = "";
  setTimeout(() => { at("said").textContent = words; }, 50); // so that the same words are heard again
}

/** Show a fault, with one more thing to act on if there is any; null takes it away. */
export function fault(words, more = null) {
  at("fault").hidden = !words;
  at("fault").replaceChildren(words ?? "", ...(more ? [more] : []));
}
