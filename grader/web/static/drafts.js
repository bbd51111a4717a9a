/* What is chosen and typed and not saved yet: kept in this tab until it is saved or discarded. */
"use strict";
const drafts = (() => {
  const PREFIX = "draft ";
  /* Fields of the page, not of the person: a draft never brings back an old one. */
  const OF_THE_PAGE = new Set(["csrf", "show", "search", "has", "lacks", "grader", "request", "notebook"]);

  /* The name is part of the key: who signs in next in this tab is not shown another's draft. */
  const owner = () => `${PREFIX}${JSON.stringify(document.querySelector(".who bdi")?.textContent ?? "")} `;
  const key = (form) => owner() + form.dataset.draft;
  const load = (name) => {
    try {
      return JSON.parse(sessionStorage.getItem(name));
    } catch {
      return null;
    }
  };
  const fields = (form) => [...form.elements].filter((field) => field.name && !OF_THE_PAGE.has(field.name));

  const keep = (form) => {
    const values = [...new FormData(form)].filter(([name]) => !OF_THE_PAGE.has(name));
    try {
      sessionStorage.setItem(key(form), JSON.stringify({ title: document.title, at: Date.now(), values }));
    } catch {
      /* Storage is full or forbidden: leaving the page is still warned of. */
    }
  };
  const discard = (form) => {
    try {
      sessionStorage.removeItem(key(form));
    } catch {
      /* Then there is nothing to remove. */
    }
  };
  const find = (form) => load(key(form));

  /* The draft's own `over` and `answer` come back, too: the server sees what it was written about. */
  const restore = (form) => {
    const draft = find(form);
    if (!draft) return null;
    const values = (name) => draft.values.filter(([each]) => each === name).map(([, value]) => value);
    for (const field of fields(form)) {
      if (field.type === "checkbox" || field.type === "radio") field.checked = values(field.name).includes(field.value);
      else field.value = values(field.name)[0] ?? field.value;
    }
    return draft;
  };

  const list = () => {
    const found = [];
    for (let place = 0; place < sessionStorage.length; place += 1) {
      const name = sessionStorage.key(place);
      if (!name.startsWith(owner())) continue;
      const draft = load(name);
      if (draft) found.push({ ...draft, path: name.slice(owner().length) });
    }
    return found.sort((one, other) => one.at - other.at);
  };

  return { keep, discard, restore, list };
})();
