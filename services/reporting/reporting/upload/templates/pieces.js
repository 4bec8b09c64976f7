// What the page is put together from. Text always goes in as text, never as HTML.

export const start = JSON.parse(document.getElementById("start").textContent);
export const t = start.texts;
export const zh = start.lang === "zh";
export const byId = (id) => document.getElementById(id);

/** An element; children are nodes or text, null is left out. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return made;
}

/** A table of rows of cells; a heading that begins with ">" is set to the right. */
export function table(headings, rows) {
  const right = headings.map((one) => one.startsWith(">"));
  return el("table", {},
    el("thead", {}, el("tr", {}, headings.map((one, i) =>
      el("th", { class: right[i] ? "r" : null }, right[i] ? one.slice(1) : one)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, i) =>
      el("td", { class: right[i] ? "r" : null }, cell === null || cell === undefined ? "" : cell))))));
}

/** The half of "中文 · english" in the page's language. */
export function half(text) {
  const parts = (text || "").split(" · ");
  return parts.length < 2 ? text || "" : zh ? parts[0] : parts.slice(1).join(" · ");
}

/** The page's language of a {zh, en} pair or of a problem's detail. */
export function said(pair) {
  if (!pair) return "";
  if (typeof pair === "string") return half(pair);
  return pair[start.lang] || pair.zh || pair.en || "";
}

export function notice(text) {
  const place = byId("notice");
  place.hidden = !text;
  place.textContent = text || "";
  if (text) place.scrollIntoView({ block: "nearest" });
}

/** A moment as people of Benxi write it. */
export function moment(text) {
  if (!text) return "—";
  const shown = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });
  return shown.format(new Date(text));
}

export class Refused extends Error {}

/** What a problem (RFC 9457) says, with every field error and its place. */
function told(problem, status) {
  const title = (zh ? problem.title_zh : problem.title_en) || problem.title || "";
  const lines = [`${t.refused} (${status}) ${title}`, problem.detail || ""];
  for (const one of (problem.errors || []).slice(0, 10)) lines.push(`${one.pointer} ${said(one)}`);
  return lines.filter(Boolean).join("\n");
}

/** One request in the browser's session; JSON back. Throws Refused with words for people. */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      credentials: "same-origin", ...options,
      headers: { "X-Kuomian-Page": "upload", "Accept-Language": start.lang, ...options.headers } });
  } catch {
    throw new Refused(t.no_answer);
  }
  const text = await answer.text();
  let body = {};
  try { body = text ? JSON.parse(text) : {}; } catch { body = { detail: text.slice(0, 300) }; }
  if (!answer.ok) {
    const refused = new Refused(told(body, answer.status));
    refused.problem = body;
    throw refused;
  }
  return body;
}

const PAUSE = 400;
export const pause = () => new Promise((go) => setTimeout(go, PAUSE));

export function save(name, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}
