// Small things that several pages do: elements, files in and out, a question before something is lost.
import { t } from "./words.js";

/** One element. `on...` are listeners; null and false leave an attribute out. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  if (tag === "button") node.type = "button";
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== ""));
  return node;
}

/** Give the reader a file. */
export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Let the reader choose a JSON file; null if none was chosen. */
export function openFile() {
  return new Promise((chosen) => {
    const input = h("input", { type: "file", accept: ".json,application/json" });
    input.addEventListener("change", () => chosen(input.files[0] ?? null));
    input.addEventListener("cancel", () => chosen(null));
    input.click();
  });
}

/** Why a file was not brought in, in a sentence with the mend. */
export function refusal(file, reason) {
  const words = {
    oversized: t("{file} is too large to be a file of answers. Nothing was changed.", { file }),
    truncated: t("{file} is cut off at its end. Download or copy it again; nothing was changed.", { file }),
    unreadable: t("{file} is not a file of answers. Choose the one that you downloaded here; nothing was changed.", { file }),
    foreign: t("{file} is not a file of answers. Choose the one that you downloaded here; nothing was changed.", { file }),
    "wrong-version": t("{file} was written by another version of the course. Nothing was changed.", { file }),
    edited: t("{file} was changed after it was downloaded. Choose the file as it was; nothing was changed.", { file }),
    "bad-answer": t("{file} holds an answer that no question takes. Nothing was changed.", { file }),
  };
  return words[reason] ?? words.unreadable;
}

/** Ask before something is lost; resolves to whether the reader agreed. The focus comes back to where it was. */
export function confirmed(question, yes) {
  return new Promise((answer) => {
    const before = document.activeElement;
    const close = (agreed) => { dialog.close(); dialog.remove(); before?.focus(); answer(agreed); };
    const keep = h("button", { onclick: () => close(false) }, t("Keep"));
    const dialog = h("dialog", { "aria-labelledby": "asked", oncancel: (event) => { event.preventDefault(); close(false); } },
      h("p", { id: "asked" }, question),
      h("div", { class: "row" }, keep, h("button", { class: "danger", onclick: () => close(true) }, yes)));
    document.body.append(dialog);
    dialog.showModal();
    keep.focus();
  });
}
