// What every page does beyond links and forms. Nothing here is needed to read a page.

// Navigation on narrow screens.
const side = document.getElementById("side");
const opener = document.querySelector("[data-opens-menu]");
if (side && opener) {
  const veil = document.createElement("div");
  veil.className = "veil";
  const show = (open) => {
    side.toggleAttribute("data-open", open);
    opener.setAttribute("aria-expanded", String(open));
    if (open) {
      side.before(veil);
      side.querySelector("a")?.focus();
    } else {
      veil.remove();
    }
  };
  opener.addEventListener("click", () => show(!side.hasAttribute("data-open")));
  veil.addEventListener("click", () => show(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side.hasAttribute("data-open")) {
      show(false);
      opener.focus();
    }
  });
}

// Dialogs: a button names the dialog that it opens or closes.
document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const opens = target?.closest("[data-opens]");
  if (opens) {
    event.preventDefault();
    document.getElementById(opens.dataset.opens)?.showModal();
    return;
  }
  if (target?.closest("[data-closes]")) {
    target.closest("dialog")?.close();
    return;
  }
  if (target?.closest("[data-dismiss]")) {
    target.closest(".toast")?.remove();
    return;
  }
  const copies = target?.closest("[data-copies]");
  if (copies) {
    const text = document.getElementById(copies.dataset.copies)?.textContent ?? "";
    navigator.clipboard.writeText(text.trim()).then(() => {
      copies.querySelector("[data-label]").textContent = copies.dataset.done;
    });
  }
});

// A form that is sent twice would be acted on twice.
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.method === "post") {
    const button = event.submitter;
    setTimeout(() => button?.setAttribute("disabled", ""), 0);
  }
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[method=post] button[disabled]:not([data-off])")) {
    button.removeAttribute("disabled");
  }
});
