// The reference of the API, drawn from /openapi.json of this very server.

import { make } from "./words.js";

const METHODS = ["get", "put", "post", "delete", "patch"];
const at = (id) => document.getElementById(id);

const api = await (await fetch("/openapi.json")).json();
at("title").textContent = `${api.info.title} ${api.info.version}`;
at("about").textContent = api.info.description ?? "";
document.title = `${api.info.title} · API`;

const known = (part) => (part?.$ref ? part.$ref.split("/").slice(1).reduce((inside, key) => inside[key], api) : part ?? {});

/** A schema in a line: "string, 1 to 200 letters", "list of Case". */
function inWords(part) {
  if (part?.$ref) return part.$ref.split("/").pop();
  const schema = part ?? {};
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map(inWords).join(" or ");
  if (schema.allOf) return schema.allOf.map(inWords).join(" and ");
  if (schema.enum) return schema.enum.map(String).join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.type === "array") return `list of ${inWords(schema.items)}`;
  const limits = [
    schema.format, schema.pattern && `like ${schema.pattern}`,
    schema.minLength !== undefined && `at least ${schema.minLength} letters`, schema.maxLength !== undefined && `at most ${schema.maxLength} letters`,
    (schema.minimum ?? schema.exclusiveMinimum) !== undefined && `from ${schema.minimum ?? schema.exclusiveMinimum}`,
    (schema.maximum ?? schema.exclusiveMaximum) !== undefined && `to ${schema.maximum ?? schema.exclusiveMaximum}`,
  ].filter(Boolean);
  return [schema.type ?? "anything", ...limits].join(", ");
}

function table(words, heads, rows) {
  return rows.length === 0 ? null : make("table", {}, make("caption", {}, words),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell, i) => (i ? make("td", {}, cell) : make("th", { scope: "row" }, make("code", {}, cell))))))));
}

function bodyTable(operation) {
  const content = known(operation.requestBody).content ?? {};
  const schema = known(Object.values(content)[0]?.schema);
  if (!schema.type && !schema.properties) return null;
  const must = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, part]) => [name, inWords(part), must.has(name) ? "yes" : "", part.description ?? ""]);
  return table(`Body, ${Object.keys(content).join(" or ")}`, ["Member", "What", "Needed", ""], rows);
}

function operationBox(path, method, operation) {
  const parameters = (operation.parameters ?? []).map(known).map((part) => [part.name, part.in, inWords(part.schema), part.required ? "yes" : "", part.description ?? ""]);
  const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => {
    const media = Object.entries(known(answer).content ?? {});
    return [status, known(answer).description ?? "", media.map(([kind, { schema }]) => `${kind}: ${inWords(schema)}`).join("; ")];
  });
  const [first, ...rest] = (operation.description ?? operation.summary ?? "").split("\n\n");
  return make("details", { "data-words": `${method} ${path} ${first}`.toLowerCase() },
    make("summary", {}, make("b", {}, method.toUpperCase()), make("code", {}, path), make("span", {}, first)),
    make("div", { class: "inside" }, rest.length ? make("p", {}, rest.join("\n\n")) : null,
      table("Parameters", ["Name", "In", "What", "Needed", ""], parameters), bodyTable(operation), table("Answers", ["Status", "When", "Body"], answers)));
}

const groups = new Map();
for (const [path, item] of Object.entries(api.paths)) {
  for (const method of METHODS.filter((name) => name in item)) {
    const group = item[method].tags?.[0] ?? path.split("/").filter(Boolean).slice(0, path.startsWith("/v1") ? 2 : 1).join("/");
    groups.set(group, [...(groups.get(group) ?? []), operationBox(path, method, item[method])]);
  }
}
at("main").replaceChildren(...[...groups].map(([name, boxes]) => make("section", { "aria-label": name }, make("h2", {}, name), ...boxes)));

at("find").addEventListener("input", () => {
  const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const section of at("main").children) {
    let here = 0;
    for (const box of section.querySelectorAll("details")) {
      box.hidden = !words.every((word) => box.dataset.words.includes(word));
      here += box.hidden ? 0 : 1;
    }
    section.hidden = here === 0;
    shown += here;
  }
  at("found").textContent = words.length ? `${shown} found` : "";
});
