
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const models = data.models;
  const byName = new Map(models.map((m) => [m.name, m]));
  const $ = (id) => document.getElementById(id);
  const LEADING = ["top1", "map", "ap", "miou", "f1", "acc", "accuracy"];
  const STRENGTH = {
    sha256: "declared in full by the publisher",
    prefix: "only the beginning is declared; the full hash is recorded at the first download",
    none: "none declared; recorded at the first download",
    doubtful: "the declared hash is doubtful and is not relied on",
  };

  const RECORDED = {
    prefix: "of this mirror's file; the publisher declares only its beginning",
    none: "of this mirror's file; the publisher declares none",
    doubtful: "of this mirror's file; what the publisher declares is doubtful",
  };

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
  const known = (list) => list.filter((value) => value !== undefined && value !== null);
  const distinct = (list) => [...new Set(known(list))];
  const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

  function amount(n, units, base) {
    if (n === undefined) return "";
    let unit = 0;
    while (n >= base && unit < units.length - 1) { n /= base; unit += 1; }
    return `${unit === 0 ? n : n.toPrecision(3).replace(/e\+?.*/, "")}${units[unit]}`;
  }
  const size = (n) => amount(n, [" B", " kB", " MB", " GB", " TB"], 1000);
  const count = (n) => amount(n, ["", " k", " M", " G", " T"], 1000);
  const number = (n) => (Number.isInteger(n) ? String(n) : String(+n.toPrecision(6)));

  function usual(model) {
    const list = model.checkpoints || [];
    return list.find((c) => c.id === model.default) || list[0] || {};
  }
  function leading(metrics) {
    if (!metrics) return null;
    const name = LEADING.find((key) => key in metrics) || Object.keys(metrics)[0];
    return name === undefined ? null : [name, metrics[name]];
  }

  for (const model of models) {
    const list = model.checkpoints || [];
    model.datasets = distinct(list.flatMap((c) => [c.dataset, ...(c.records || []).map((r) => r.dataset)]));
    model.sources = distinct(list.flatMap((c) => c.publishers || []));
    model.here = list.some((c) => c.file);
    model.low = model.name.toLowerCase();
    model.words = [model.name, model.family, model.task, model.description, ...(model.aliases || []),
      ...model.datasets, ...model.sources, ...list.map((c) => c.id)]
      .filter(Boolean).join(" ").toLowerCase().replace(/_/g, "-");
  }

  // ---- the list ----------------------------------------------------------------------------
  const form = { q: $("q"), task: $("task"), dataset: $("dataset"), source: $("source"), sort: $("sort"), runnable: $("runnable"), here: $("here") };
  const ORDER = {
    runs: (a, b) => b.runnable - a.runnable,
    name: () => 0,
    small: (a, b) => (a.parameters ?? Infinity) - (b.parameters ?? Infinity),
    large: (a, b) => (b.parameters ?? -1) - (a.parameters ?? -1),
    many: (a, b) => (b.checkpoints || []).length - (a.checkpoints || []).length,
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
    const checkpoint = usual(model);
    const metric = leading(checkpoint.metrics);
    const files = (model.checkpoints || []).length;
    return make("li", {},
      make("a", { class: "row", href: address(model.name) },
        make("span", { class: "name" }, make("i", { class: model.runnable ? "dot on" : "dot" }), highlighted(model.name), model.runnable ? make("span", { class: "unseen" }, " (runnable)") : ""),
        make("span", { class: "task" }, model.task),
        make("span", { class: "dataset" }, checkpoint.dataset || "–"),
        make("span", { class: "result" }, metric ? [number(metric[1]), " ", make("small", {}, metric[0])] : "–"),
        make("span", { class: "size" }, model.parameters === undefined ? "–" : count(model.parameters)),
        make("span", { class: "files" }, String(files), make("span", { class: "unseen" }, " checkpoints"))));
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

  // ---- one model ---------------------------------------------------------------------------
  const address = (name) => `#/m/${encodeURIComponent(name)}`;
  const base = () => location.href.replace(/[?#].*$/, "").replace(/[^/]*$/, "").replace(/\/$/, "");

  function command(text) {
    const code = make("code", { tabindex: "0" }, text);
    const button = make("button", { type: "button", "aria-label": `Copy: ${text}` }, "Copy");
    button.addEventListener("click", async () => {
      let done = false;
      try { await navigator.clipboard.writeText(text); done = true; } catch { done = select(code); }
      button.textContent = done ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
    return make("div", { class: "command" }, code, button);
  }
  function select(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try { return document.execCommand("copy"); } catch { return false; }
  }
  function link(url, text) {
    return /^https?:\/\//i.test(url) ? make("a", { href: url, rel: "noopener noreferrer" }, text || url) : document.createTextNode(text || url);
  }
  function facts(pairs) {
    const list = make("dl", { class: "facts-table" });
    for (const [name, value] of pairs) {
      if (value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length)) continue;
      list.append(make("dt", {}, name), make("dd", {}, value));
    }
    return list;
  }
  const metricText = (metrics) => Object.entries(metrics || {}).map(([k, v]) => `${k} ${number(v)}`).join(", ");

  function checkpointSheet(model, c) {
    const metrics = Object.entries(c.metrics || {});
    const hash = c.sha256 || c.recorded || (c.prefix ? `${c.prefix}…` : c.doubtful);
    const strength = c.recorded && !c.sha256 ? RECORDED[c.declared] : STRENGTH[c.declared];
    const sheet = make("section", { class: "sheet" },
      make("h3", {}, `${model.name}@${c.id}`,
        c.id === model.default ? make("span", { class: "tag good" }, "default") : "",
        c.file ? make("span", { class: "tag good" }, "in this mirror") : "",
        c.declared === "doubtful" ? make("span", { class: "tag warn" }, "doubtful hash") : ""));
    if (metrics.length) {
      sheet.append(make("dl", { class: "metrics" }, metrics.map(([k, v]) => make("div", {}, make("dt", {}, k), make("dd", {}, number(v))))));
    }
    sheet.append(facts([
      ["Trained on", c.dataset],
      ["Licence", c.licence || "unknown"],
      ["Dataset terms", c.terms || "unknown"],
      ["SHA-256", [hash ? make("span", { class: "hash" }, hash) : "", hash ? make("br") : "", make("small", {}, strength || "")]],
      ["Size", size(c.size)],
      ["Format", c.format],
      ["MindSpore", c.mindspore],
      ["Hardware", c.hardware],
      ["Published by", (c.publishers || []).join(", ")],
      ["Note", c.note],
      ["File", c.file ? make("a", { href: c.file.split("/").map(encodeURIComponent).join("/"), download: true }, c.file) : null],
      ["Sources", make("ul", {}, (c.sources || []).map((url) => make("li", {}, link(url))))],
    ]));
    const records = c.records || [];
    if (records.length) {
      sheet.append(make("details", {}, make("summary", {}, plural(records.length, "published record")),
        make("div", { class: "scroll" }, make("table", {},
          make("thead", {}, make("tr", {}, ["Published as", "Dataset", "Metrics", "MindSpore", "Updated"].map((t) => make("th", { scope: "col" }, t)))),
          make("tbody", {}, records.map((r) => make("tr", {}, [r.uid, r.dataset, metricText(r.metrics), r.mindspore, r.updated].map((t) => make("td", {}, t || "")))))))));
    }
    sheet.append(make("p", { class: "say" }, "Download it:"), command(`zoohub download ${model.name}@${c.id}`));
    return sheet;
  }

  function modelPage(model) {
    const list = [...(model.checkpoints || [])].sort((a, b) => (b.id === model.default) - (a.id === model.default));
    const shortcut = list.length && model.default ? model.name : list.length ? `${model.name}@${list[0].id}` : null;
    const nodes = [
      make("a", { class: "back", href: backTo }, "← All models"),
      make("h1", { tabindex: "-1" }, model.name),
      make("ul", { class: "tags" },
        make("li", { class: "tag" }, model.task),
        make("li", { class: "tag" }, `family ${model.family}`),
        make("li", { class: model.runnable ? "tag good" : "tag" }, model.runnable ? "runnable" : "files only: zoohub has no network for it"),
        model.parameters !== undefined ? make("li", { class: "tag" }, `${count(model.parameters)} parameters`) : "",
        model.flops !== undefined ? make("li", { class: "tag" }, `${count(model.flops)} multiply-adds`) : ""),
    ];
    if (model.description) nodes.push(make("p", { class: "lead" }, model.description));
    if (model.paper) nodes.push(make("p", { class: "lead" }, "Paper: ", link(model.paper)));
    if (model.aliases) nodes.push(make("p", { class: "say" }, `Also known as ${model.aliases.slice(0, 12).join(", ")}${model.aliases.length > 12 ? " …" : ""}`));
    if (shortcut) {
      nodes.push(make("h2", {}, "Use it"));
      if (list.some((c) => c.file)) nodes.push(make("p", { class: "say" }, "Take the files from this mirror:"), command(`export ZOOHUB_MIRROR=${quoted(base())}`));
      nodes.push(make("p", { class: "say" }, "Fetch and verify it; prints the path:"), command(`zoohub download ${shortcut}`));
      if (model.runnable) {
        nodes.push(make("p", { class: "say" }, "In Python, with its weights in it:"), command(`import zoohub\nnet = zoohub.load(${JSON.stringify(shortcut)}, pretrained=True)`));
      } else {
        nodes.push(make("p", { class: "say" }, "In Python, as named arrays:"), command(`import zoohub\nweights = zoohub.load_weights(${JSON.stringify(shortcut)})`));
      }
    }
    nodes.push(make("h2", {}, list.length ? plural(list.length, "checkpoint") : "No checkpoint is published"));
    nodes.push(...list.map((c) => checkpointSheet(model, c)));
    return nodes;
  }
  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

  // ---- addresses ---------------------------------------------------------------------------
  let backTo = "#";
  let scrolled = 0;
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
    const match = /^#\/m\/(.*)$/.exec(location.hash);
    if (location.hash === "#main") return;
    let model = null;
    if (match) {
      try { model = byName.get(decodeURIComponent(match[1])); } catch { model = null; }
    }
    if (match) {
      if (!$("browse").hidden) scrolled = scrollY;
      $("model").replaceChildren(...(model ? modelPage(model) : [make("a", { class: "back", href: "#" }, "← All models"), make("h1", { tabindex: "-1" }, "No such model in this mirror")]));
      document.title = `${model ? model.name : "Unknown model"} · ${data.title}`;
      $("browse").hidden = true;
      $("model").hidden = false;
      scrollTo(0, 0);
      $("model").querySelector("h1").focus({ preventScroll: true });
      return;
    }
    const returning = $("browse").hidden;
    $("model").hidden = true;
    $("browse").hidden = false;
    document.title = data.title;
    if (!returning || location.hash !== backTo) { restore(location.hash); refresh(); }
    backTo = state();
    if (returning) scrollTo(0, scrolled);
  }
  function changed() {
    refresh();
    backTo = state();
    history.replaceState(null, "", backTo === "#" ? location.pathname + location.search : backTo);
  }

  $("tools").addEventListener("input", changed);
  $("tools").addEventListener("submit", (event) => {
    event.preventDefault();
    if (shown.length === 1) location.hash = address(shown[0].name);
  });
  $("reset").addEventListener("click", () => { restore(""); changed(); form.q.focus(); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName) || $("browse").hidden) return;
    event.preventDefault();
    form.q.focus();
  });
  addEventListener("hashchange", show);

  const checkpoints = models.reduce((sum, m) => sum + (m.checkpoints || []).length, 0);
  const here = models.reduce((sum, m) => sum + (m.checkpoints || []).filter((c) => c.file).length, 0);
  $("facts").textContent = `${plural(models.length, "model")}, ${plural(checkpoints, "checkpoint")}${here ? `, ${here.toLocaleString("en")} in this mirror` : ""}`;
  form.here.parentElement.hidden = here === 0 || here === checkpoints;
  $("foot").textContent = `Made by zoohub ${data.version}${data.created ? ` on ${data.created.slice(0, 10)}` : ""}. Licences are in LICENCES.txt, hashes in manifest.json.`;
  show();
  document.documentElement.dataset.ready = "1";
})();
