"use strict";
// What the buttons of the page decide, kept in this browser, and the review list with it.
(() => {
  const list = JSON.parse(document.getElementById("review-list").textContent);
  const at = list.columns.indexOf("path"), filled = list.columns.indexOf("do");
  const known = new Set(list.rows.map((row) => row[at]));
  const key = "pilah-check " + list.key;
  const status = document.getElementById("decided");
  const text = document.getElementById("list-text");
  let decisions = {}, kept = true;
  try {
    const saved = JSON.parse(localStorage.getItem(key) || "{}");
    for (const path of Object.keys(saved)) if (known.has(path)) decisions[path] = String(saved[path]);
  } catch { kept = false; }

  const quoted = (word) => /[",\r\n]/.test(word) ? '"' + word.replaceAll('"', '""') + '"' : word;
  const csv = () => "\ufeff" + [list.columns, ...list.rows.map((row) => row.map((word, i) =>
    i === filled ? decisions[row[at]] ?? word : word))]
    .map((row) => row.map((word) => quoted(String(word))).join(",")).join("\n") + "\n";

  function show() {
    for (const one of document.querySelectorAll(".decide")) {
      const decided = decisions[one.dataset.path] ?? "";
      for (const button of one.querySelectorAll("button"))
        button.setAttribute("aria-pressed", String(button.dataset.do === decided));
      const other = one.querySelector("select");
      if (other) other.value = [...other.options].some((o) => o.value === decided) ? decided : "";
    }
    const count = Object.keys(decisions).length;
    status.textContent = `${count} of ${list.rows.length} decided` +
      (kept ? "" : "; this browser keeps nothing: save the list before you leave");
    text.value = csv().slice(1);
  }

  function decide(path, what) {
    if (what && decisions[path] !== what) decisions[path] = what;
    else delete decisions[path];
    store();
  }

  function store() {
    try { localStorage.setItem(key, JSON.stringify(decisions)); } catch { kept = false; }
    show();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".decide button");
    if (button) decide(button.parentElement.dataset.path, button.dataset.do);
  });
  document.addEventListener("change", (event) => {
    const other = event.target.closest(".decide select");
    if (!other) return;
    const path = other.parentElement.dataset.path;
    if (decisions[path] !== other.value) decide(path, other.value);
  });
  document.getElementById("save-list").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = list.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  });
  document.getElementById("forget").addEventListener("click", () => {
    if (!confirm("Forget all decisions on this page?")) return;
    decisions = {};
    store();
  });
  document.documentElement.classList.add("decides");
  show();
})();
