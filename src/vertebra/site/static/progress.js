// What this browser remembers of each lesson: beside the lessons of the front page, and as the page My progress.
import { certaintyMark } from "./quiz.js";
import * as storage from "./storage.js";
import { confirmed, download, h, openFile, refusal } from "./tools.js";
import { t, tn } from "./words.js";

const ROOT = new URL("../", import.meta.url);
const FILE = "vertebra-answers.json";

/** How far a quiz is: { all, answered, right, marks }, from the answers that are kept and what was noted of them. */
function standing({ quiz, versions }) {
  const ids = Object.keys(versions);
  const answers = storage.readAnswers(quiz)?.answers ?? {};
  const last = new Map(storage.attempts().filter(({ item, version }) => versions[item] === version).map((each) => [each.item, each]));
  const answered = ids.filter((id) => answers[id]);
  const marked = answered.filter((id) => answers[id].certainty && last.has(id)).map((id) => last.get(id));
  const marks = marked.reduce((sum, { fraction, certainty }) => sum + certaintyMark(fraction, certainty), 0);
  return { all: ids.length, answered: answered.length, marked: marked.length, right: marked.filter(({ fraction }) => fraction === 1).length, marks };
}

const signed = (value) => {
  const rounded = Math.round(value * 10) / 10;
  return `${rounded > 0 ? "+" : rounded < 0 ? "−" : ""}${Math.abs(rounded)}`;
};

export async function show() {
  const course = await (await fetch(new URL("_/course.json", ROOT))).json();
  for (const node of document.querySelectorAll("[data-progress]")) {
    if (node.dataset.progress === "page") page(node, course);
    else map(node, course.lessons);
  }
}

/** Beside each lesson of the map: how far its quiz is. */
function map(node, lessons) {
  for (const lesson of lessons) {
    const place = node.querySelector(`[data-stem="${lesson.stem}"]`);
    const { all, answered, right } = standing(lesson);
    if (!place || !answered) continue;
    place.textContent = t("{answered} of {all} answered, {right} right", { answered, all, right });
    place.classList.toggle("done", answered === all);
  }
}

function page(node, course) {
  const says = h("p", { role: "status", class: "says", tabindex: "-1" });
  const table = h("div", {});
  const draw = () => table.replaceChildren(...tables(course));
  draw();

  async function bring() {
    const file = await openFile();
    if (!file) return;
    try {
      const n = storage.bringEverything(await file.text());
      says.textContent = tn("The answers to {n} quiz were brought in.", "The answers to {n} quizzes were brought in.", n);
    } catch (error) {
      if (!(error instanceof storage.StorageError)) throw error;
      says.textContent = ["full", "blocked"].includes(error.reason)
        ? t("This browser keeps nothing for this page, or has no room for it. Not everything was brought in.")
        : refusal(file.name, error.reason);
    }
    draw();
  }

  async function forget() {
    if (!(await confirmed(t("Erase all answers and all progress from this browser? What you have not downloaded is gone."), t("Erase all")))) return;
    storage.erase();
    says.textContent = t("Everything is erased. Nothing of yours is in this browser any more.");
    draw();
    says.focus();
  }

  node.replaceChildren(table,
    h("h2", {}, t("Your file")),
    h("p", { class: "soft" }, t("Answers and progress are in this browser alone. Take them to another device as a file, or keep a copy: some browsers clear what a page keeps after weeks without a visit.")),
    h("div", { class: "row" },
      h("button", { onclick() { download(FILE, storage.everything()); says.textContent = t("Everything was written to {file}.", { file: FILE }); } }, t("Download all")),
      h("button", { onclick: bring }, t("Bring a file in")),
      h("button", { class: "danger", onclick: forget }, t("Erase all"))),
    says);
}

function tables(course) {
  const cell = (value) => h("td", {}, value);
  const row = ({ stem, title, quiz, versions }) => {
    const { all, answered, marked, right, marks } = standing({ quiz, versions });
    const address = stem ? `lessons/${stem}.html` : `quizzes/${quiz}.html`;
    return h("tr", {},
      h("th", { scope: "row" }, h("a", { href: new URL(address, ROOT).href }, title)),
      cell(t("{n} of {all}", { n: answered, all })), cell(marked ? t("{n} of {all}", { n: right, all: marked }) : "–"),
      cell(marked ? t("{n} of {all}", { n: signed(marks), all: 3 * marked }) : "–"));
  };
  const heads = [t("Quiz"), t("Answered"), t("Right"), t("Certainty marks")];
  const table = h("table", { class: "progress" },
    h("thead", {}, h("tr", {}, ...heads.map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, ...[...course.lessons, ...course.quizzes].map(row)));
  const films = new Set(storage.progress().readings.map(({ seed }) => seed)).size;
  const facts = [
    films ? tn("You have read {n} film of the gym.", "You have read {n} films of the gym.", films) : "",
    ...storage.earlier().filter(({ record }) => record.answers).map(({ name, record }) => tn(
      "{name}: {n} answer to an earlier version of its questions is kept, from {day}.",
      "{name}: {n} answers to an earlier version of its questions are kept, from {day}.",
      Object.keys(record.answers).length, { name: name.replace(/\/\d+$/, ""), day: String(record.saved).slice(0, 10) })),
  ].filter(Boolean);
  return [h("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": t("Table") }, table),
    ...(facts.length ? [h("ul", {}, ...facts.map((fact) => h("li", {}, fact)))] : [])];
}
