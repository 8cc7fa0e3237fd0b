
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const models = data.models;
  const $ = (id) => document.getElementById(id);
  // Elements are made from text only: nothing from the index is ever read as HTML.
  function make(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "class") element.className = value;
      else element.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat()) {
      if (child !== undefined && child !== null && child !== "") element.append(child);
    }
    return element;
  }
  const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

  function amount(n, units, base) {
    if (n === undefined) return "";
    let unit = 0;
    while (n >= base && unit < units.length - 1) { n /= base; unit += 1; }
    return `${unit === 0 ? n : n.toPrecision(3).replace(/e\+?.*/, "")}${units[unit]}`;
  }
  const count = (n) => amount(n, ["", " k", " M", " G", " T"], 1000);
  const number = (n) => (Number.isInteger(n) ? String(n) : String(+n.toPrecision(6)));

  for (const model of models) {
    for (const list of ["aliases", "ids", "datasets", "sources"]) model[list] ??= [];
    model.low = model.name.toLowerCase();
    model.words = [model.name, model.family, model.task, model.description, ...model.aliases,
      ...model.datasets, ...model.sources, ...model.ids]
      .filter(Boolean).join(" ").toLowerCase().replace(/_/g, "-");
  }

  // ---- the list ----------------------------------------------------------------------------
  const form = { q: $("q"), task: $("task"), dataset: $("dataset"), source: $("source"), sort: $("sort"), runnable: $("runnable"), here: $("here") };
  const ORDER = {
    runs: (a, b) => b.runnable - a.runnable,
    name: () => 0,
    small: (a, b) => (a.parameters ?? Infinity) - (b.parameters ?? Infinity),
    large: (a, b) => (b.parameters ?? -1) - (a.parameters ?? -1),
    many: (a, b) => b.ids.length - a.ids.length,
  };

  function fill(select, values) {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    select.append(make("option", { value: "" }, "any"));
    for (const value of [...counts.keys()].sort()) {
      select.append(make("option", { value }, `${value} (${counts.get(value)})`));
    }
  }
  fill(form.task, models.map((m) => m.task));
  fill(form.dataset, models.flatMap((m) => m.datasets));
  fill(form.source, models.flatMap((m) => m.sources));

  function rank(model, query, words) {
    if (!words.every((word) => model.words.includes(word))) return -1;
    if (model.low === query) return 4;
    if (model.low.startsWith(query)) return 3;
    if (model.low.includes(query)) return 2;
    return 1;
  }

  function matching() {
    const query = form.q.value.trim().toLowerCase();
    const words = query.replace(/_/g, "-").split(/\s+/).filter(Boolean);
    const found = [];
    for (const model of models) {
      if (form.task.value && model.task !== form.task.value) continue;
      if (form.dataset.value && !model.datasets.includes(form.dataset.value)) continue;
      if (form.source.value && !model.sources.includes(form.source.value)) continue;
      if (form.runnable.checked && !model.runnable) continue;
      if (form.here.checked && !model.here) continue;
      const score = words.length ? rank(model, query, words) : 0;
      if (score >= 0) found.push([score, model]);
    }
    const order = ORDER[form.sort.value] || ORDER.runs;
    // Words typed say more than the usual order; an order chosen says more than they do.
    const first = words.length && form.sort.value === "runs";
    found.sort((a, b) => (first ? b[0] - a[0] : 0) || order(a[1], b[1]));
    return found.map((pair) => pair[1]);
  }

  function highlighted(name) {
    const query = form.q.value.trim().toLowerCase();
    const at = query ? name.toLowerCase().indexOf(query) : -1;
    if (at < 0) return [name];
    return [name.slice(0, at), make("mark", {}, name.slice(at, at + query.length)), name.slice(at + query.length)];
  }

  function row(model) {
    return make("li", {},
      make("a", { class: "row", href: model.page },
        make("span", { class: "name" }, make("i", { class: model.runnable ? "dot on" : "dot" }), highlighted(model.name), model.runnable ? make("span", { class: "unseen" }, " (runnable)") : ""),
        make("span", { class: "task" }, model.task),
        make("span", { class: "dataset" }, model.dataset || "–"),
        make("span", { class: "result" }, model.metric ? [number(model.metric[1]), " ", make("small", {}, model.metric[0])] : "–"),
        make("span", { class: "size" }, model.parameters === undefined ? "–" : count(model.parameters)),
        make("span", { class: "files" }, String(model.ids.length), make("span", { class: "unseen" }, model.ids.length === 1 ? " checkpoint" : " checkpoints"))));
  }

  let shown = [];
  let drawn = 0;
  function draw(limit) {
    const part = document.createDocumentFragment();
    for (; drawn < Math.min(limit, shown.length); drawn += 1) part.append(row(shown[drawn]));
    $("list").append(part);
  }
  function refresh() {
    shown = matching();
    drawn = 0;
    $("list").replaceChildren();
    $("more").replaceChildren();
    draw(80);
    const all = shown.length === models.length;
    $("count").textContent = all ? plural(shown.length, "model") : `${plural(shown.length, "model")} of ${models.length.toLocaleString("en")}`;
    $("reset").hidden = !filtered();
    if (!shown.length) $("more").append(make("p", { class: "none" }, "No model fits. Try fewer words or clear the filters."));
    for (const control of Object.values(form)) {
      if (control === form.sort || control === form.q) continue;
      control.parentElement.classList.toggle("on", Boolean(control.type === "checkbox" ? control.checked : control.value));
    }
  }
  const filtered = () => Boolean(form.q.value || form.task.value || form.dataset.value || form.source.value || form.runnable.checked || form.here.checked);
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) draw(drawn + 200);
  }, { rootMargin: "1200px" }).observe($("more"));

  // ---- addresses ---------------------------------------------------------------------------
  // What is searched for stands in the address, so that coming back from a model finds it again.
  function state() {
    const params = new URLSearchParams();
    for (const [key, control] of Object.entries(form)) {
      const value = control.type === "checkbox" ? (control.checked ? "1" : "") : control.value;
      if (value && !(key === "sort" && value === "runs")) params.set(key, value);
    }
    const text = params.toString();
    return text ? `#?${text}` : "#";
  }
  function restore(hash) {
    const params = new URLSearchParams(hash.replace(/^#\??/, ""));
    for (const [key, control] of Object.entries(form)) {
      if (control.type === "checkbox") control.checked = params.get(key) === "1";
      else control.value = params.get(key) || (key === "sort" ? "runs" : "");
      if (control.selectedIndex === -1) control.selectedIndex = 0;
    }
  }
  function show() {
    if (location.hash === "#main") return;
    const old = /^#\/m\/(.+)$/.exec(location.hash);  // a model's address before it had a page
    const model = old && models.find((m) => encodeURIComponent(m.name) === old[1]);
    if (model) { location.replace(model.page); return; }
    restore(location.hash);
    refresh();
  }
  function changed() {
    refresh();
    const address = state();
    history.replaceState(null, "", address === "#" ? location.pathname + location.search : address);
  }

  $("tools").addEventListener("input", changed);
  $("tools").addEventListener("submit", (event) => {
    event.preventDefault();
    if (shown.length === 1) location.href = shown[0].page;
  });
  $("reset").addEventListener("click", () => { restore(""); changed(); form.q.focus(); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    form.q.focus();
  });
  addEventListener("hashchange", show);

  const checkpoints = models.reduce((sum, m) => sum + m.ids.length, 0);
  const here = models.reduce((sum, m) => sum + m.here, 0);
  $("facts").textContent = `${plural(models.length, "model")}, ${plural(checkpoints, "checkpoint")}${here ? `, ${here.toLocaleString("en")} in this mirror` : ""}`;
  form.here.parentElement.hidden = here === 0 || here === checkpoints;
  $("foot").textContent = `Made by zoohub ${data.version}${data.created ? ` on ${data.created.slice(0, 10)}` : ""}. Licences are in LICENCES.txt, hashes in manifest.json.`;
  show();
  document.documentElement.dataset.ready = "1";
})();
