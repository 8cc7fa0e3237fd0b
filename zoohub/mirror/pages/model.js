
"use strict";
(() => {
  // The page is whole without this script, which fills in the mirror's address and adds buttons.
  const base = new URL("..", location.href).href.replace(/\/$/, "");
  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);
  for (const code of document.querySelectorAll("code.address")) code.textContent = `export ZOOHUB_MIRROR=${quoted(base)}`;

  function select(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try { return document.execCommand("copy"); } catch { return false; }
  }
  for (const code of document.querySelectorAll(".command code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${code.textContent}`);
    button.addEventListener("click", async () => {
      let done = false;
      try { await navigator.clipboard.writeText(code.textContent); done = true; } catch { done = select(code); }
      button.textContent = done ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
    code.after(button);
  }
  document.documentElement.dataset.ready = "1";
})();
