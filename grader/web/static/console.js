/* Keys, the sum as it stands, and a warning before what is not saved is left. */
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  let warned = false;

  const panel = () => one("#panel");
  const dirty = () => panel()?.hasAttribute("data-dirty") ?? false;
  const say = (words) => {
    const news = one("#news");
    const fresh = news.cloneNode(false);
    fresh.textContent = words;
    news.replaceWith(fresh);
  };

  /* ---------------------------------------------------------------- the sum */
  const read = (text) => Number(text.trim().replace("\u2212", "-").replace(",", ".") || 0);
  const shown = (points) => String(Math.round(points * 100) / 100).replace("-", "\u2212");
  const add = () => {
    const form = panel();
    const sum = one("#sum");
    if (!form || !sum) return;
    const given = all("input[name=criterion]:checked", form).map((box) => Number(box.dataset.points));
    const free = read(one("#adjustment", form).value);
    const total = given.reduce((a, b) => a + b, Number(form.dataset.base)) + (Number.isNaN(free) ? 0 : free);
    sum.textContent = shown(Math.min(Math.max(total, 0), Number(form.dataset.most)));
  };
  const touched = () => { panel()?.setAttribute("data-dirty", ""); warned = false; };

  document.addEventListener("input", (event) => {
    if (!event.target.closest("#panel")) return;
    touched();
    const none = one("[data-none]");
    if (event.target === none && none.checked) {
      all("#panel input[name=criterion]").forEach((box) => { box.checked = false; });
      one("#adjustment").value = "";
    } else if (none && event.target.matches("[name=criterion], #adjustment")) {
      none.checked = false;
    }
    add();
  });

  /* ---------------------------------------------------------------- clicks */
  document.addEventListener("click", (event) => {
    const step = event.target.closest("[data-step]");
    if (step) {
      const field = one("#adjustment");
      const next = (Number.isNaN(read(field.value)) ? 0 : read(field.value)) + Number(step.dataset.step);
      field.value = next === 0 ? "" : shown(next);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const comment = event.target.closest("[data-comment]");
    if (comment) {
      const field = one("#comment");
      field.value = field.value.trim() ? `${field.value.trimEnd()}\n\n${comment.dataset.comment}` : comment.dataset.comment;
      comment.closest("details").open = false;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      one("#main").focus({ preventScroll: true });
    }
    const opens = event.target.closest("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens).showModal();
  });

  /* ---------------------------------------------------------------- keys */
  const typing = (target) => target.matches("textarea, select, input:not([type=checkbox])");
  const wanted = (key) => all("[data-key], [data-key-too]").find(
    (part) => (part.dataset.key === key || part.dataset.keyToo === key) && part.getClientRects().length
  );
  const use = (part) => {
    if (typing(part)) {
      part.focus();
      if (part.matches("input")) part.select();
      return;
    }
    part.click();
    if (part.matches("summary")) {
      const first = one("ul button", part.parentElement);
      if (first && part.parentElement.open) first.focus();
    }
  };
  const walk = (way) => {
    const rows = all("[data-list] .row-link, details[open] ul button[data-comment]");
    if (!rows.length) return false;
    const here = rows.indexOf(document.activeElement);
    rows[Math.min(Math.max(here + way, 0), rows.length - 1)].focus();
    return true;
  };
  const WALKS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || one("dialog[open]")) return;
    const target = event.target;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && target.closest("#panel")) {
      event.preventDefault();
      panel().requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      const open = target.closest("details[open]");
      if (open) open.open = false;
      one("#main").focus({ preventScroll: true });
      return;
    }
    if (typing(target)) return;
    if (event.key === "Enter" && target.closest("a, button, summary")) return;
    if (WALKS[event.key] && (event.key.length === 1 || target.matches(".row-link, [data-comment]")) && walk(WALKS[event.key])) {
      event.preventDefault();
      return;
    }
    const part = wanted(event.key);
    if (!part || event.repeat) return;
    event.preventDefault();
    use(part);
  });

  /* ---------------------------------------------------------------- what is not saved */
  const leaving = (event) => {
    const from = event.detail?.elt ?? event.target;
    if (!dirty() || warned || from === panel() || from.matches?.("[hx-trigger]")) return;
    event.preventDefault();
    warned = true;
    say("Not saved yet: Enter saves it, the same key again leaves it.");
  };
  document.addEventListener("htmx:beforeRequest", leaving);
  window.addEventListener("beforeunload", (event) => { if (dirty() && !warned) event.preventDefault(); });
  document.addEventListener("htmx:sendError", () => say("The console does not answer: nothing was saved. Is `grade mark` still running?"));
  document.addEventListener("htmx:timeout", () => say("The console does not answer: nothing was saved."));

  /* What was opened or closed stays so on the next answer; only that is remembered, no words. */
  const folds = () => all("details[data-remember]");
  document.addEventListener("toggle", (event) => {
    const name = event.target.dataset?.remember;
    if (name) sessionStorage.setItem(`fold-${name}`, event.target.open ? "open" : "");
  }, true);

  const ready = () => {
    document.documentElement.classList.add("scripted");
    warned = false;
    for (const fold of folds()) {
      const kept = sessionStorage.getItem(`fold-${fold.dataset.remember}`);
      if (kept !== null) fold.open = kept === "open";
    }
    add();
    const first = one("[autofocus]") ?? one("#main");
    first?.focus({ preventScroll: true });
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== document.body && event.detail?.target !== document.body) return;
    window.scrollTo(0, 0);
    ready();
  });
  ready();
})();
