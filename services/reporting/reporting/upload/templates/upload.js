// Choose, try, look, send. Everything goes through the public API in the browser's session.

import { Refused, ask, byId, el, half, moment, notice, pause, said, save, start, t, table, zh } from "./pieces.js";
import { effectOf, mappingOf, missingOf, readingOf, repairsOf } from "./reading.js";

const TYPES = {
  csv: "text/csv", txt: "text/csv", tsv: "text/tab-separated-values", json: "application/json",
  ndjson: "application/x-ndjson", jsonl: "application/x-ndjson",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};
const OUTCOMES = ["applied", "duplicate", "rejected", "held"];
const SHOWN = 50;

let feeds = [];      // those this token may send
let details = null;  // of the one chosen
let file = null;

const chosen = () => feeds.find((one) => one.links.self === byId("feed").value);
const service = (feed) => feed.links.self.split("/feeds/")[0];
const title = (feed) => (zh ? feed.title_zh : feed.title_en);
const fieldName = (name) => {
  const column = details?.columns.find((one) => one.name === name);
  return column ? half(column.description) || name : name;
};

/** Runs what a button does; what is refused is said, and the button works again. */
function doing(work) {
  return async (event) => {
    const button = event?.currentTarget?.tagName === "BUTTON" ? event.currentTarget : null;
    notice("");
    if (button) button.disabled = true;
    try { await work(event); } catch (error) {
      notice(error instanceof Refused ? error.message : String(error));
      byId("progress").textContent = "";
    } finally { if (button) button.disabled = false; }
  };
}

async function loadFeeds() {
  const answers = await Promise.allSettled(start.services.map((name) => ask(`/${name}/v1/feeds`)));
  feeds = answers.flatMap((one) => (one.status === "fulfilled" ? one.value.items : []))
    .filter((one) => one.may_send);
  byId("feed").replaceChildren(...feeds.map((one) =>
    el("option", { value: one.links.self }, `${title(one)} · ${one.feed}`)));
  if (!feeds.length) { notice(t.no_feeds); return; }
  const wanted = new URLSearchParams(location.search).get("feed");
  const found = feeds.find((one) => one.feed === wanted);
  if (found) byId("feed").value = found.links.self;
  await showFeed();
}

let asked = 0;  // how often a feed was chosen: an answer about an earlier one is none

/** What is typed or dropped while a feed's details are on their way would be lost. */
function hold(held) {
  for (const id of ["period", "file", "nil"]) byId(id).disabled = held;
}

async function showFeed() {
  const feed = chosen(), turn = ++asked;
  hold(true);
  const found = await ask(feed.links.self);
  if (turn !== asked) return;
  details = found;
  const latest = details.due?.latest;
  byId("period").value = latest?.period || start.periods[feed.period_kind];
  byId("period").title = t[`period_${feed.period_kind}`];
  byId("period").placeholder = t[`period_${feed.period_kind}`];
  byId("due").textContent = latest ? `${latest.period} ${t.due} ${moment(latest.due_at)}` : "";
  for (const form of ["xlsx", "csv"]) {
    byId(`template-${form}`).href = `${feed.links.self}/template?format=${form}&lang=${start.lang}`;
  }
  byId("fields").replaceChildren(table([t.column, "", ""], details.columns.map((one) => [
    half(one.description) || one.name, el("code", {}, one.name), one.required ? t.required : t.optional])));
  reset();
  hold(false);
  await showMine();
}

function reset() {
  file = null;
  byId("file").value = "";
  byId("progress").textContent = "";
  byId("check").hidden = true;
  byId("done").hidden = true;
}

function contentOf(name) {
  const parts = name.toLowerCase().split(".");
  const zipped = parts.at(-1) === "gz";
  const type = TYPES[parts.at(zipped ? -2 : -1)] || "application/octet-stream";
  return zipped ? { "Content-Type": type, "Content-Encoding": "gzip" } : { "Content-Type": type };
}

/** One push, followed to its end; the delivery as it stands then. */
async function push(query, body, headers) {
  const feed = chosen();
  const asked = new URLSearchParams({ period: byId("period").value.trim(), wait: "10", ...query });
  const answer = await ask(`${feed.links.deliveries}?${asked}`, {
    method: "POST", body, headers: { ...headers, "Idempotency-Key": `page-${crypto.randomUUID()}` } });
  const path = `${service(feed)}/deliveries/${answer.delivery}`;
  for (;;) {
    const delivery = await ask(path);
    if (delivery.receipt) return delivery;
    byId("progress").replaceChildren(`${t.done_of} ${delivery.records_done} ${t.of} ${delivery.records_sent} `,
      el("progress", { max: delivery.records_sent || 1, value: delivery.records_done }));
    await pause();
  }
}

async function tryFile() {
  byId("check").hidden = true;
  byId("done").hidden = true;
  byId("progress").textContent = `${file.name} · ${t.trying}`;
  let delivery;
  try {
    delivery = await push({ dry_run: "true" }, file, contentOf(file.name));
  } catch (error) {
    if (error.problem?.missing_fields) offerColumns(error.problem);
    throw error;
  }
  byId("progress").textContent = `${file.name} · ${(file.size / 1024).toFixed(0)} KB`;
  await showTrial(delivery);
}

/** The table lacks columns it must have: perhaps they stand there under another heading. */
function offerColumns(problem) {
  byId("found").replaceChildren(...missingOf(problem, fieldName, (headings) => doing(() => keepMapping(headings))()));
  byId("check").hidden = false;
}

function counts(receipt) {
  return el("div", { class: "counts" },
    el("div", {}, el("b", {}, String(receipt.sent)), t.sent),
    OUTCOMES.map((one) => el("div", {
      class: receipt[one] && (one === "rejected" || one === "held") ? "bad" : one === "applied" ? "good" : null },
    el("b", {}, String(receipt[one])), t[one])));
}

/** Records that end so, with row, column and words; a button brings the next ones. */
async function problemRows(delivery, disposition) {
  const rows = el("tbody");
  const more = el("button", { type: "button", class: "plain" }, t.more);
  let next = `${delivery.links.records}?disposition=${disposition}&limit=${SHOWN}`;
  const load = async () => {
    const page = await ask(next);
    for (const record of page.items) {
      for (const one of record.problems.length ? record.problems : [{ pointer: "" }]) {
        rows.append(el("tr", {},
          el("td", { class: "r" }, String(record.no)), el("td", { class: "r" }, record.row ? String(record.row) : ""),
          el("td", {}, fieldName(one.pointer.replace(/^\//, ""))), el("td", {}, said(one))));
      }
    }
    next = page.next ? `${delivery.links.records}?disposition=${disposition}&limit=${SHOWN}&cursor=${encodeURIComponent(page.next)}` : null;
    more.hidden = !next;
  };
  more.addEventListener("click", doing(load));
  await load();
  return el("div", { class: "scroll" },
    el("h3", {}, el("span", { class: `tag ${disposition}` }, t[disposition])),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { class: "r" }, t.no), el("th", { class: "r" }, t.row),
      el("th", {}, t.where), el("th", {}, t.what))), rows), more);
}

async function showTrial(delivery) {
  const receipt = delivery.receipt, bad = receipt.rejected + receipt.held;
  const found = [counts(receipt), el("p", {}, bad ? t.some_bad : t.all_good)];
  for (const one of ["rejected", "held"]) if (receipt[one]) found.push(await problemRows(delivery, one));
  found.push(...readingOf(delivery.reading, fieldName),
    ...mappingOf(delivery.reading, details, fieldName, (headings) => doing(() => keepMapping(headings))(), doing(forgetMapping)),
    ...await repairsOf(delivery), ...effectOf(receipt.effect));
  found.push(el("p", { class: "line" },
    el("button", { type: "button", id: "send", class: "strong", onclick: doing(sendFile) }, bad ? t.send_rest : t.send),
    delivery.links.annotated ? el("a", { class: "button", id: "annotated", href: delivery.links.annotated, download: "" }, t.annotated) : null,
    el("button", { type: "button", class: "plain", onclick: reset }, t.back)));
  byId("found").replaceChildren(...found);
  byId("check").hidden = false;
  byId("check").scrollIntoView({ behavior: "smooth", block: "start" });
}

/** Keeps how headings are understood for this department, and tries the file again. */
async function keepMapping(headings) {
  const path = `${chosen().links.self}/mapping`;
  const before = await ask(path);
  await ask(path, { method: "PUT", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ headings: { ...before.headings, ...headings } }) });
  await tryFile();
}

async function forgetMapping() {
  await ask(`${chosen().links.self}/mapping`, { method: "DELETE" });
  await tryFile();
}

async function sendFile() {
  byId("progress").textContent = `${file.name} · ${t.sending}`;
  showReceipt(await push({}, file, contentOf(file.name)));
}

async function sendNil() {
  if (!window.confirm(`${title(chosen())} ${byId("period").value}\n${t.nil_sure}`)) return;
  showReceipt(await push({ nil: "true" }, null, {}));
}

function showReceipt(delivery) {
  const receipt = delivery.receipt;
  byId("progress").textContent = "";
  byId("check").hidden = true;
  byId("answer").replaceChildren(
    receipt.nil ? el("p", {}, el("span", { class: "tag" }, t.nil)) : counts(receipt),
    el("p", { class: "soft" }, `${receipt.feed} · ${receipt.period} · ${t.received_at} ${moment(receipt.received_at)}`),
    el("p", { class: "soft" }, `${t.sha} `, el("code", {}, receipt.body.sha256)),
    el("p", { class: "line" },
      el("button", { type: "button", id: "save-receipt", class: "strong",
        onclick: () => save(`receipt-${receipt.feed}-${receipt.period}.json`, JSON.stringify(receipt, null, 1)) }, t.receipt),
      delivery.links.annotated ? el("a", { class: "button", href: delivery.links.annotated, download: "" }, t.annotated) : null,
      el("a", { class: "button", href: delivery.links.records }, t.records),
      el("button", { type: "button", class: "plain", onclick: reset }, t.again)));
  byId("done").hidden = false;
  byId("done").scrollIntoView({ behavior: "smooth", block: "start" });
  showMine().catch((error) => notice(error.message));
}

async function showMine() {
  const feed = chosen();
  const page = await ask(`${service(feed)}/deliveries?feed=${feed.feed}&limit=20`);
  if (feed !== chosen()) return;
  byId("mine").replaceChildren(page.items.length ? table(
    [t.when, t.period, t.status, `>${t.sent}`, ...OUTCOMES.map((one) => `>${t[one]}`), ""],
    page.items.map((one) => [
      moment(one.received_at), one.period,
      el("span", { class: `tag ${one.status}` }, one.withdrawn_at ? t.withdrawn : t[`status_${one.status}`] || one.status,
        one.dry_run ? ` · ${t.trial}` : "", one.nil ? ` · ${t.nil}` : ""),
      String(one.records_sent), ...OUTCOMES.map((name) => String(one.counts[name])),
      el("span", {}, el("a", { href: one.links.records }, t.records), " ",
        one.links.withdrawal && !one.withdrawn_at && !one.dry_run
          ? el("button", { type: "button", class: "plain", onclick: doing(() => withdraw(one)) }, t.withdraw) : null),
    ])) : el("p", { class: "soft" }, t.none_here));
}

async function withdraw(delivery) {
  const reason = window.prompt(`${delivery.feed} ${delivery.period} ${moment(delivery.received_at)}\n${t.withdraw_why}`);
  if (!reason) return;
  let taken = await ask(delivery.links.withdrawal, {
    method: "POST", body: JSON.stringify({ reason }), headers: { "Content-Type": "application/json" } });
  while (!taken.completed_at && !taken.refusal) {
    await pause();
    taken = await ask(delivery.links.withdrawal);
  }
  if (taken.refusal) notice(said(taken.refusal) || String(taken.refusal.code || taken.refusal));
  await showMine();
}

function take(files) {
  if (!files.length || byId("file").disabled) return;
  [file] = files;
  doing(tryFile)();
}

const drop = byId("drop");
byId("feed").addEventListener("change", doing(showFeed));
byId("file").addEventListener("change", (event) => take(event.target.files));
byId("nil").addEventListener("click", doing(sendNil));
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
doing(loadFeeds)();
