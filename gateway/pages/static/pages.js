// Keeps what moves up to date: each element with data-live is replaced by the one with its id in the page at
// data-from of <body>, every few seconds, unless somebody is busy in it. Without this script pages show what was.
"use strict";
(() => {
  const from = document.body.dataset.from;
  if (!from) return;
  const SECONDS = 3;
  let wait = SECONDS;
  async function look() {
    if (document.hidden) return again();
    try {
      const answer = await fetch(from, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const held of document.querySelectorAll("[data-live]")) {
        const other = fresh.getElementById(held.id);
        const busy = held.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
        if (!other || busy || other.innerHTML === held.innerHTML) continue;
        const focused = held.contains(document.activeElement) ? document.activeElement.id : "";
        const open = [...held.querySelectorAll("details[open][id]")].map((each) => each.id);
        held.replaceWith(document.adoptNode(other));
        for (const id of open) document.getElementById(id)?.setAttribute("open", "");
        if (focused) document.getElementById(focused)?.focus();
      }
      const title = fresh.querySelector("title");
      if (title) document.title = title.textContent;
      wait = SECONDS;
    } catch {
      wait = Math.min(60, wait * 2);
    }
    again();
  }
  function again() {
    setTimeout(look, wait * 1000);
  }
  again();
})();
