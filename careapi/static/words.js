// Times, numbers and names as people read them.

const LANGUAGES = new Intl.DisplayNames(["en"], { type: "language" });

export function languageName(code) {
  return LANGUAGES.of(code) ?? code;
}

/** "45 s", "12 min", "3 h 05 min", "2 d 4 h": what is small beside it is left out. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 24) return min % 60 ? `${h} h ${String(min % 60).padStart(2, "0")} min` : `${h} h`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

export function clock(seconds, withSeconds = false) {
  if (seconds === null || seconds === undefined) return "–";
  return new Date(seconds * 1000).toISOString().slice(11, withSeconds ? 19 : 16);
}

/** Date and time of the Unix clock, UTC: "28 Nov, 14:05". */
export function day(seconds) {
  const at = new Date(seconds * 1000);
  const date = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  return `${date}, ${clock(seconds)}`;
}

export function number(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en-GB");
}

export function percent(share) {
  return share === null || share === undefined ? "–" : `${Math.floor(share * 100 + 1e-9)} %`;
}

const CURRENCY_DIGITS = new Map();
export function minorDigits(currency) {
  if (!CURRENCY_DIGITS.has(currency)) {
    const format = new Intl.NumberFormat("en", { style: "currency", currency });
    CURRENCY_DIGITS.set(currency, format.resolvedOptions().maximumFractionDigits);
  }
  return CURRENCY_DIGITS.get(currency);
}

export function money(minor, currency) {
  const digits = minorDigits(currency);
  return `${currency} ${(minor / 10 ** digits).toLocaleString("en-GB", { minimumFractionDigits: digits })}`;
}

/** "12.50" and "12,50" in minor units of a currency; null if it is no amount. */
export function minorUnits(text, currency) {
  const digits = minorDigits(currency);
  const match = /^\s*(\d{1,9})(?:[.,](\d{1,3}))?\s*$/.exec(text);
  if (!match || (match[2] ?? "").length > digits) return null;
  const amount = Number(match[1]) * 10 ** digits + Number((match[2] ?? "").padEnd(digits, "0") || 0);
  return amount > 0 ? amount : null;
}

/** An element: make("td", { class: "late", lang: "de" }, "text", child). Text is never taken as markup. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
