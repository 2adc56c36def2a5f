// The little that HTML and htmx do not do by themselves. Every page works without it.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted-on");

  const clockText = (seconds) => {
    const two = (n) => String(n).padStart(2, "0");
    const h = Math.floor(seconds / 3600), m = Math.floor(seconds / 60) % 60, s = seconds % 60;
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };

  // A call's clock runs between two updates of the page.
  const started = new WeakMap();
  const tick = () => {
    for (const each of document.querySelectorAll("[data-clock]")) {
      if (!started.has(each)) started.set(each, performance.now() - 1000 * Number(each.dataset.clock));
      each.textContent = clockText(Math.floor((performance.now() - started.get(each)) / 1000));
    }
  };
  setInterval(tick, 1000);

  // No 0 O 1 l: it is typed on a telephone's keypad.
  const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
  const newPassword = (length) => {
    let text = "";
    while (text.length < length) {
      const [octet] = crypto.getRandomValues(new Uint8Array(1));
      // Octets beyond the last whole alphabet are thrown away, so that every letter is as likely.
      if (octet < alphabet.length * 8) text += alphabet[octet % alphabet.length];
    }
    return text;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-print], [data-copy], [data-generate]");
    if (!button) return;
    if ("print" in button.dataset) window.print();
    if (button.dataset.copy) {
      navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.classList.add("done");
    }
    if (button.dataset.generate) {
      const input = document.getElementById(button.dataset.generate);
      input.type = "text";
      input.value = newPassword(12);
      input.select();
    }
  });

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // The box went away, or came back.
  const lost = document.getElementById("lost");
  if (lost) {
    document.addEventListener("htmx:sendError", () => { lost.hidden = false; });
    document.addEventListener("htmx:responseError", () => { lost.hidden = false; });
    document.addEventListener("htmx:afterOnLoad", () => { lost.hidden = true; });
  }
})();
