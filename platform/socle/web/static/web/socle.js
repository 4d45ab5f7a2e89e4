/* Comforts only: every page works without this file. */
(() => {
  "use strict";

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (menu !== except) menu.open = false;
    }
  };

  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("details[data-menu]"));
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details[data-menu][open]");
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  const toggle = document.querySelector("[data-nav-toggle]");
  toggle?.addEventListener("click", () => {
    toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") !== "true"));
  });

  for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => window.print());
  }

  const release = () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  };

  // A second click must not send twice. The button is not disabled at once: its value has to leave
  // with the form. Coming back with the browser's arrow gives the button back.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(release, 10_000); // a form that answers with a download leaves the page in place
  });

  window.addEventListener("pageshow", release);

  // Say that a file is too large before it has crossed a slow line.
  document.addEventListener("change", (event) => {
    const limit = Number(event.target.dataset?.maxBytes);
    if (!limit) return;
    const heavy = [...event.target.files].find((file) => file.size > limit);
    const megabytes = (octets) => `${(octets / 1e6).toFixed(1).replace(".", ",").replace(",0", "")} Mo`;
    event.target.setCustomValidity(
      heavy ? `« ${heavy.name} » pèse ${megabytes(heavy.size)}, la limite est de ${megabytes(limit)}.` : "",
    );
    event.target.reportValidity();
  });
})();
