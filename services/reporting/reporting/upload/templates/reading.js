// How a table was read, what was repaired on the way, and what sending it would change.

import { ask, el, said, t, table } from "./pieces.js";

const REPAIRED_SHOWN = 100;
const line = (...parts) => el("p", { class: "soft" }, parts.filter(Boolean).join(" · "));

/** Title, place, encoding, rows kept out, totals and warnings of a table; nothing for others. */
export function readingOf(reading, fieldName) {
  if (!reading) return [];
  const rows = reading.rows || {};
  const found = [el("h3", {}, t.reading)];
  found.push(line(reading.title, reading.sheet, reading.encoding, reading.unit?.text,
    rows.records === undefined ? null : `${t.records_read} ${rows.records}`,
    rows.kept_out ? `${t.kept_out} ${rows.kept_out}` : null));
  for (const one of reading.warnings || []) found.push(el("p", { class: "warning" }, said(one) || one.code));
  for (const one of reading.filled || []) found.push(line(`${fieldName(one.field)}: ${one.value} (${t[`from_${one.from}`] || one.from})`));
  const wrong = (reading.totals || []).filter((one) => one.difference !== "0");
  if (wrong.length) {
    found.push(el("h3", {}, t.totals), table([`>${t.row}`, t.column, `>${t.declared}`, `>${t.summed}`, `>${t.difference}`],
      wrong.map((one) => [String(one.row), one.name, one.declared, one.found, one.difference])));
  }
  if (reading.kept_out_rows?.length) {
    found.push(el("details", {}, el("summary", {}, `${t.kept_out} ${rows.kept_out}`),
      table([`>${t.row}`, t.kind], reading.kept_out_rows.map((one) => [String(one.row), t[`kind_${one.kind}`] || one.kind]))));
  }
  return found;
}

/** Which column stands for which field, to be changed and kept: `keep({heading: field})`. */
export function mappingOf(reading, details, fieldName, keep, forget) {
  if (!reading?.columns?.length) return [];
  const chosen = new Map();
  const rows = reading.columns.map((one) => {
    const select = el("select", { "aria-label": one.heading },
      el("option", { value: "" }, t.ignored),
      details.columns.map((field) => el("option", { value: field.name }, fieldName(field.name))));
    select.value = one.field || "";
    select.addEventListener("change", () => { chosen.set(one.heading, select.value); button.hidden = false; });
    return [one.column, one.heading + (one.unit ? ` (${one.unit})` : "") + (one.hidden ? ` ${t.hidden}` : ""), select];
  });
  const button = el("button", { type: "button", id: "keep-mapping", hidden: "",
    onclick: () => keep(Object.fromEntries([...chosen].filter(([, field]) => field))) }, t.save_mapping);
  const open = (reading.warnings || []).some((one) => one.code === "column-ignored");
  return [el("details", { open: open ? "" : null }, el("summary", {}, t.mapping),
    el("div", { class: "scroll" }, table([t.column, t.heading, t.field], rows)),
    el("p", { class: "line" }, button, el("button", { type: "button", class: "plain", onclick: forget }, t.forget_mapping)))];
}

/** Fields no column stands for, each to be given one of the headings nobody knew. */
export function missingOf(problem, fieldName, keep) {
  const given = new Map();
  const rows = problem.missing_fields.map((field) => {
    const select = el("select", { "aria-label": fieldName(field) }, el("option", { value: "" }, "—"),
      problem.unknown_headings.map((one) => el("option", { value: one }, one)));
    select.addEventListener("change", () => given.set(field, select.value));
    return [fieldName(field), select];
  });
  return [el("h3", {}, t.missing), table([t.field, t.heading], rows),
    el("p", { class: "line" }, el("button", { type: "button", id: "keep-mapping", class: "strong",
      onclick: () => keep(Object.fromEntries([...given].filter(([, heading]) => heading).map(([field, heading]) => [heading, field]))) },
    t.save_mapping))];
}

/** The first repaired records: what was sent, what it was read as, by which rule. */
export async function repairsOf(delivery) {
  if (!delivery.reading?.rows?.repaired) return [];
  const lines = [];
  for (const outcome of ["applied", "rejected", "held", "duplicate"]) {
    if (!delivery.receipt[outcome] || lines.length >= REPAIRED_SHOWN) continue;
    const page = await ask(`${delivery.links.records}?disposition=${outcome}&limit=${REPAIRED_SHOWN}`);
    for (const record of page.items) {
      for (const one of record.repairs || []) lines.push([String(record.row ?? record.no), one.name, one.from, one.to ?? "—", said(one) || one.rule]);
    }
  }
  if (!lines.length) return [];
  lines.sort((a, b) => Number(a[0]) - Number(b[0]));
  return [el("details", {}, el("summary", {}, `${t.repairs} ${delivery.reading.rows.repaired}`),
    el("div", { class: "scroll", id: "repairs" },
      table([`>${t.row}`, t.where, t.repair_from, t.repair_to, t.rule], lines.slice(0, REPAIRED_SHOWN))))];
}

const amount = (name, value) => (name.endsWith("_fen")
  ? (value / 100).toLocaleString("en", { minimumFractionDigits: 2 }) : value.toLocaleString("en"));

/** New, corrected and removed keys, facts by kind, and sums by unit before and after. */
export function effectOf(effect) {
  if (!effect) return [];
  const counts = ["new_count", "corrected_count", "unchanged_count", "removed_count"].filter((name) => effect[name] !== undefined);
  const found = [el("h3", {}, t.effect), line(...counts.map((name) => `${t[name]} ${effect[name]}`))];
  const facts = Object.entries(effect.facts || {});
  if (facts.length) found.push(line(`${t.facts}: ${facts.map(([kind, count]) => `${kind} ${count}`).join(", ")}`));
  const leads = Object.entries(effect.leads || {});
  if (leads.length) found.push(line(...leads.map(([name, count]) => `${t[`leads_${name}`]} ${count}`)));
  if (effect.figures?.length) {
    found.push(el("div", { class: "scroll" }, table([t.unit, t.figure, `>${t.before}`, `>${t.after}`, `>${t.difference}`],
      effect.figures.map((one) => [one.unit, t[`figure_${one.figure}`] || one.figure, amount(one.figure, one.before),
        amount(one.figure, one.after), amount(one.figure, one.after - one.before)]))));
  }
  return found;
}
