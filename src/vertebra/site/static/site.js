// Every page of the site: its words in the reader's language, and whatever on it works by script. The page reads without.
import { language, setLanguage } from "./storage.js";

const here = new URL("./", import.meta.url);
const languages = JSON.parse(document.body.dataset.languages);

const code = languages[language()] ? language() : "en";
if (code !== "en") {
  const answer = await fetch(new URL(`words.${code}.json`, here)).catch(() => null);
  if (answer?.ok) globalThis.vertebraWords = await answer.json();
}
// Only now: these modules take their words when they are loaded.
const { t, unreviewed } = await import("./words.js");

/** Put what the page says, other than the course itself, into the reader's language. */
function translate() {
  for (const node of document.querySelectorAll("[data-t]")) {
    node.textContent = t(node.dataset.t || node.textContent, { n: node.dataset.n });
    node.lang = code;
  }
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.getAttribute("aria-label")));
  const note = document.querySelector(".standing");
  if (unreviewed && note) note.append(Object.assign(document.createElement("span"), { textContent: ` ${unreviewed}`, lang: code }));
}

function languageChoice() {
  const select = document.createElement("select");
  for (const [value, name] of Object.entries(languages)) {
    const option = Object.assign(document.createElement("option"), { value, textContent: name, lang: value, selected: value === code });
    select.append(option);
  }
  select.setAttribute("aria-label", t("Language of buttons and headings"));
  select.addEventListener("change", () => {
    setLanguage(select.value);
    location.reload();
  });
  document.querySelector(".site-head").append(select);
}

if (code !== "en") translate();
languageChoice();

// A table of contents is open beside the text where there is room, and folded away above it where there is none.
const contents = document.querySelector(".contents details");
if (contents && matchMedia("(min-width: 68rem)").matches) contents.open = true;

const places = [...document.querySelectorAll("[data-quiz]")];
if (places.length) {
  const { mount } = await import("./practice.js");
  await Promise.all(places.map((place) => mount(place).catch((error) => {
    // The printed questions stay.
    place.querySelector(".without-script").textContent = t("The quiz could not be loaded ({reason}). Here are its questions to read.", { reason: error.message });
    place.dataset.failed = "";
  })));
}
if (document.querySelector("[data-progress]")) (await import("./progress.js")).show();
await import("./offline.js");
