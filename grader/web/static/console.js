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
  /* A form that was refused shows what was sent, not what is saved. */
  const asSaved = (form) => !("refused" in form.dataset) && [...form.elements].every((field) => {
    if (!field.name || field.type === "hidden") return true;
    if (field.matches("select")) return [...field.options].every((each) => each.selected === each.defaultSelected);
    return field.matches("[type=checkbox], [type=radio]") ? field.checked === field.defaultChecked : field.value === (field.defaultValue ?? field.value);
  });
  const touched = () => {
    panel().toggleAttribute("data-dirty", !asSaved(panel()));
    warned = false;
  };

  document.addEventListener("input", (event) => {
    if (!event.target.closest("#panel")) return;
    const none = one("[data-none]");
    if (event.target === none && none.checked) {
      all("#panel input[name=criterion]").forEach((box) => { box.checked = false; });
      one("#adjustment").value = "";
    } else if (none && event.target.matches("[name=criterion], #adjustment")) {
      none.checked = false;
    }
    touched();
    add();
    if (panel().dataset.draft) drafts[dirty() ? "keep" : "discard"](panel());
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
    if (event.target.closest("[data-discard]")) {
      drafts.discard(panel());
      warned = true;
      location.reload();
    }
    if (event.target.closest("#signed-out a")) warned = true;
    const opens = event.target.closest("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens).showModal();
  });

  /* ---------------------------------------------------------------- keys */
  const typing = (target) => target.matches("textarea, select, input:not([type=checkbox], [type=radio])");
  const wanted = (key) => all("[data-key], [data-key-too]").find(
    (part) => (part.dataset.key === key || part.dataset.keyToo === key) && part.getClientRects().length
  );
  const use = (part) => {
    if (typing(part)) {
      part.focus();
      if (part.matches("textarea")) part.setSelectionRange(part.value.length, part.value.length);
      if (part.matches("input")) part.select();
      return;
    }
    part.click();
    if (part.matches("summary")) {
      const first = one("ul button, input:not([type=hidden])", part.parentElement);
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
  /* One-character keys can be switched off: speech input types them (WCAG 2.1.4). */
  const KEYLESS = "single-keys-off";
  const keyless = () => {
    try {
      return localStorage.getItem(KEYLESS) !== null;
    } catch {
      return false;
    }
  };
  const showKeys = () => {
    document.documentElement.classList.toggle("keyless", keyless());
    const box = one("#single-keys");
    if (box) box.checked = !keyless();
  };
  document.addEventListener("change", (event) => {
    if (event.target.id !== "single-keys") return;
    if (event.target.checked) localStorage.removeItem(KEYLESS);
    else localStorage.setItem(KEYLESS, "1");
    showKeys();
  });

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
    if (typing(target) || (event.key.length === 1 && keyless())) return;
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
  const UNSAVED = "Unsaved. Enter to save, or press the key again to discard.";
  const leaving = (event) => {
    const from = event.detail.elt;
    /* A form that is quiet leads back here, and the draft comes back with it. */
    if (!dirty() || from === panel() || from.matches("[hx-trigger]")) return;
    if (from.matches("[data-quiet]") && panel().dataset.draft) return;
    const stays = from.dataset.leaving;
    if (warned) {
      if (!stays) drafts.discard(panel());
      return;
    }
    event.preventDefault();
    warned = true;
    say(stays ?? UNSAVED);
  };
  document.addEventListener("htmx:beforeRequest", leaving);
  window.addEventListener("beforeunload", (event) => { if (dirty() && !warned) event.preventDefault(); });
  document.addEventListener("htmx:sendError", () => say("The console does not respond: nothing was saved. Is `grade mark` still running?"));
  document.addEventListener("htmx:timeout", () => say("The console does not respond: nothing was saved."));

  /* ---------------------------------------------------------------- refusals */
  const REFUSED = new Set([401, 403]);
  const isPage = (xhr) => xhr.responseText.includes('<main id="main"');
  const signedOut = () => {
    const notice = one("#signed-out");
    const here = panel()?.dataset.draft ?? location.pathname + location.search;
    for (const link of all("a", notice)) {
      link.href = link.dataset.signIn === undefined ? here : `/sign-in?next=${encodeURIComponent(here)}`;
    }
    notice.hidden = false;
    notice.focus();
  };
  /* Only pages of the console are shown: whatever else comes, the one that is there stays. */
  const refuse = (xhr) => {
    if (REFUSED.has(xhr.status)) signedOut();
    else say(`Nothing was saved. ${xhr.responseText.trim().slice(0, 200)}`);
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status === 204) return;
    if (!isPage(xhr)) {
      event.detail.shouldSwap = false;
      refuse(xhr);
    } else if (xhr.status < 400 && requestConfig.elt.dataset.draft) {
      drafts.discard(requestConfig.elt);
    }
  });
  document.addEventListener("htmx:historyCacheMissLoadError", (event) => refuse(event.detail.xhr));

  /* A form that is shown again with an error holds what was sent: it is the newer draft. */
  const bringBack = () => {
    const form = panel();
    if (!form?.dataset.draft) return;
    if (dirty()) {
      form.dataset.refused = "";
      drafts.keep(form);
      return;
    }
    if (!drafts.restore(form)) return;
    form.setAttribute("data-dirty", "");
    one("#draft").hidden = false;
  };
  const listDrafts = () => {
    const place = one("#drafts");
    const found = place ? drafts.list() : [];
    if (!found.length) return;
    one("ul", place).replaceChildren();
    for (const draft of found) {
      const link = document.createElement("a");
      [link.href, link.textContent] = [draft.path, draft.title.split(":")[0]];
      one("ul", place).append(document.createElement("li"));
      one("li:last-child", place).append(link);
    }
    place.hidden = false;
  };

  /* What was opened or closed stays so on the next answer; only that is remembered, no words. */
  const folds = () => all("details[data-remember]");
  document.addEventListener("toggle", (event) => {
    const name = event.target.dataset?.remember;
    if (name) sessionStorage.setItem(`fold-${name}`, event.target.open ? "open" : "");
  }, true);

  const ready = () => {
    document.documentElement.classList.add("scripted");
    warned = false;
    showKeys();
    for (const fold of folds()) {
      const kept = sessionStorage.getItem(`fold-${fold.dataset.remember}`);
      if (kept !== null) fold.open = kept === "open";
    }
    bringBack();
    listDrafts();
    add();
    const first = one("[autofocus]") ?? one("#main");
    first?.focus({ preventScroll: true });
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== document.body && event.detail?.target !== document.body) return;
    ready();
    /* A redirect tells a script no fragment: the row to go on from is the one that is focused. */
    const row = one(".row-link[autofocus]");
    const place = location.hash ? document.getElementById(location.hash.slice(1)) : null;
    if (place) place.scrollIntoView({ behavior: "instant" });
    else if (row) row.scrollIntoView({ behavior: "instant", block: "center" });
    else window.scrollTo({ top: 0, behavior: "instant" });
  });
  document.addEventListener("htmx:historyRestore", ready);
  ready();
})();
