// A quiz on a page without a kernel: `quiz.js` as in the notebook, with this browser as the file that keeps the answers.
import quizWidget, { score } from "./quiz.js";
import * as storage from "./storage.js";
import { confirmed, download, h, openFile, refusal } from "./tools.js";
import { t, tn } from "./words.js";

/** What `quiz.js` expects of a host: traits with get, set and save_changes, and listeners. */
class Model {
  constructor(traits, save) {
    this.traits = traits;
    this.save = save;
    this.heard = new Map();
  }

  get(name) { return this.traits[name]; }

  set(name, value) {
    this.traits[name] = value;
    for (const listener of this.heard.get(`change:${name}`) ?? []) listener(this, value);
  }

  save_changes() { this.save(); }

  on(event, listener) { this.heard.set(event, [...(this.heard.get(event) ?? []), listener]); }

  off(event, listener) { this.heard.set(event, (this.heard.get(event) ?? []).filter((each) => each !== listener)); }
}

/** The answers as a file holds them: in practice a certainty is written only with Check, so that it says "checked". */
function stored(quiz, { answers, checked }) {
  const held = (id) => quiz.mode === "practice" && !checked.includes(id);
  const given = Object.entries(answers).filter(([, { answer }]) => (answer ?? null) !== null);
  return Object.fromEntries(given.map(([id, { answer, certainty }]) => [id, { answer, certainty: held(id) ? null : (certainty ?? null) }]));
}

const responsesOf = (quiz, record) => ({
  student: record?.student ?? "",
  answers: { ...record?.answers },
  checked: quiz.mode === "practice" ? Object.keys(record?.answers ?? {}).filter((id) => record.answers[id].certainty) : [],
});

/** The answers that were checked between two states, as the review remembers them. */
function fresh(quiz, old, next) {
  if (quiz.mode !== "practice") return [];
  const when = `${new Date().toISOString().slice(0, 19)}Z`;
  const same = (id) => old.checked.includes(id) && storage.pythonJson(old.answers[id] ?? null) === storage.pythonJson(next.answers[id]);
  return quiz.items.filter(({ id }) => next.checked.includes(id) && !same(id)).map(({ id, version, key }) => {
    const { answer, certainty } = next.answers[id];
    return { item: id, version, when, answer, fraction: score(key, answer), certainty: certainty ?? 1 };
  });
}

const kept = ({ reason }) => reason === "full"
  ? t("This browser has no room left for this page. Download your answers below, make room, then try saving again.")
  : t("This browser keeps nothing for this page, as in a private window. Your answers stay here until you close the page: download them below.");

/** Put the quiz that works in the place of its printed questions. */
export async function mount(place) {
  const answer = await fetch(place.dataset.quiz);
  if (!answer.ok) throw new Error(`${place.dataset.quiz}: ${answer.status}`);
  const quiz = await answer.json();
  const { record, outdated } = storage.fitting(quiz);
  let base = record?.answers ?? {};
  let student = record?.student ?? "";
  let seen = responsesOf(quiz, record);
  let owed = []; // checked, and not in the log yet: trying to save again writes them

  function save() {
    const next = model.get("responses");
    const mine = stored(quiz, next);
    owed.push(...fresh(quiz, seen, next));
    seen = next;
    try {
      // Another window may have written meanwhile.
      const there = storage.fitting(quiz).record;
      const answers = storage.merged(there?.answers ?? {}, base, mine);
      const code = next.student === student ? there?.student ?? student : next.student;
      const versions = { ...there?.versions, ...Object.fromEntries(quiz.items.map(({ id, version }) => [id, version ?? ""])) };
      const answered = Object.fromEntries(Object.keys(answers).map((id) => [id, versions[id]]));
      storage.writeAnswers(quiz.id, { build: quiz.build, student: code, answers, versions: answered });
      [base, student] = [mine, next.student];
      if (owed.length) storage.addAttempts(owed);
      owed = [];
      model.set("problem", "");
      model.set("saved", next.seq);
    } catch (error) {
      if (!(error instanceof storage.StorageError)) throw error;
      model.set("problem", kept(error));
    }
  }

  /** Show what is kept now: another window, or a file, brought it. What is open here stays, unless it is to be blank. */
  function reread(blank = false) {
    const { seq, ...own } = model.get("responses");
    if (seq > model.get("saved")) return;
    const there = storage.fitting(quiz).record;
    [base, student] = [there?.answers ?? {}, there?.student ?? ""];
    seen = responsesOf(quiz, there);
    // A certainty is kept only with Check: whoever has chosen one and not checked yet must not lose it.
    const open = ([id, { answer }]) => !blank && !seen.checked.includes(id)
      && storage.pythonJson(answer ?? null) === storage.pythonJson(seen.answers[id]?.answer ?? null);
    model.set("responses", { seq, ...seen, answers: { ...seen.answers, ...Object.fromEntries(Object.entries(own.answers).filter(open)) } });
  }

  const model = new Model({ quiz, responses: { seq: 0, ...seen }, saved: 0, problem: "" }, save);
  const el = h("div", {});
  place.replaceChildren(el, answersBar(quiz, model, reread, outdated));
  quizWidget.render({ model, el });
  addEventListener("storage", ({ key }) => { if (key === null || key === storage.answersKey(quiz.id)) reread(); });
  addEventListener("pageshow", ({ persisted }) => { if (persisted) reread(); });
  performance.mark("vertebra:quiz");
}

/** Below a quiz: what becomes of the answers, and the student's own hand on them. */
function answersBar(quiz, model, reread, outdated) {
  const exam = quiz.mode === "exam";
  const says = h("p", { role: "status", class: "says" });
  const say = (words) => { says.textContent = words; };
  const current = () => {
    const responses = model.get("responses");
    return { quiz: quiz.id, build: quiz.build, student: responses.student, answers: stored(quiz, responses) };
  };

  function save() {
    const record = current();
    const n = Object.keys(record.answers).length;
    if (!n) return say(t("There are no answers to download yet."));
    download(quiz.file, storage.responsesText(record));
    say(tn("{n} answer was written to {file}.", "{n} answers were written to {file}.", n, { file: quiz.file }));
  }

  async function bring() {
    const file = await openFile();
    if (!file) return;
    try {
      const record = storage.parseResponses(await file.text());
      if (record.quiz !== quiz.id) return say(t("{file} holds the answers to another quiz, {quiz}. Nothing was changed.", { file: file.name, quiz: record.quiz }));
      say(brought(file.name, record));
    } catch (error) {
      if (!(error instanceof storage.StorageError)) throw error;
      say(["full", "blocked"].includes(error.reason) ? kept(error) : refusal(file.name, error.reason));
    }
  }

  function brought(name, record) {
    if (record.build !== quiz.build) {
      storage.bringAnswers(record);
      return t("{file} holds answers to an earlier version of these questions. It is kept under My progress, and nothing here was changed.", { file: name });
    }
    const known = new Map(quiz.items.map((item) => [item.id, item]));
    const fits = ([id, { answer }]) => known.has(id) && (exam || answer === null || scores(known.get(id), answer));
    const fitting = Object.fromEntries(Object.entries(record.answers).filter(fits));
    const versions = Object.fromEntries(Object.keys(fitting).map((id) => [id, known.get(id).version ?? ""]));
    const { came, stayed } = storage.bringAnswers({ ...record, answers: fitting, versions });
    const met = new Set(storage.attempts().map(({ item }) => item));
    const checked = Object.entries(fitting).filter(([id, { certainty }]) => !exam && certainty && !met.has(id));
    storage.addAttempts(checked.map(([id, { answer, certainty }]) => ({
      item: id, version: versions[id], when: `${record.saved.slice(0, -1)}:00Z`, answer, fraction: score(known.get(id).key, answer), certainty,
    })));
    reread();
    const words = [tn("{n} answer was brought in.", "{n} answers were brought in.", came)];
    if (stayed) words.push(tn("{n} was answered here later and stays.", "{n} were answered here later and stay.", stayed));
    const odd = Object.keys(record.answers).length - Object.keys(fitting).length;
    if (odd) words.push(tn("{n} fits no question and was left out.", "{n} fit no question and were left out.", odd));
    return words.join(" ");
  }

  async function forget() {
    const n = Object.keys(current().answers).length;
    if (!n) return say(t("There are no answers to delete."));
    const asked = tn("Delete {n} answer to this quiz from this browser? What you have not downloaded is gone.",
      "Delete {n} answers to this quiz from this browser? What you have not downloaded is gone.", n);
    if (!(await confirmed(asked, t("Delete")))) return;
    storage.erase(quiz.id);
    model.set("saved", model.get("responses").seq);
    reread(true);
    say(t("The answers to this quiz are deleted. My progress still knows when you met its questions."));
  }

  const where = exam
    ? t("They are kept in this browser alone. When you have finished, download the file and hand it in where your instructor says.")
    : t("They are kept in this browser alone, on this device. Nothing is sent anywhere.");
  const gone = outdated.length ? h("p", { class: "notice", role: "status" }, tn(
    "A question has changed since you answered it. Your earlier answer is kept under My progress.",
    "{n} questions have changed since you answered them. Your earlier answers are kept under My progress.", outdated.length)) : "";
  return h("section", { class: "answers", "aria-label": t("My answers") },
    h("h3", {}, t("My answers")), gone, h("p", { class: "soft" }, where), exam ? "" : studentCode(model),
    h("div", { class: "row" },
      h("button", { class: exam ? "primary" : null, onclick: save }, exam ? t("Download the file to hand in") : t("Download my answers")),
      h("button", { onclick: bring }, t("Bring answers back in")),
      h("button", { class: "danger", onclick: forget }, t("Delete my answers"))),
    says);
}

const CODE = /^[A-Za-z0-9._-]{1,40}$/;

/** The code under which a practice quiz is handed in; an assigned quiz asks for it itself. */
function studentCode(model) {
  const error = h("p", { id: "student-code-error", class: "error", hidden: "" },
    t("This is not a student code: use 1 to 40 letters, digits, dots, hyphens or underscores, and no spaces. It is not stored."));
  const input = h("input", {
    id: "student-code", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", size: "18",
    oninput() {
      const typed = input.value.trim();
      const bad = typed !== "" && !CODE.test(typed);
      error.hidden = !bad;
      input.setAttribute("aria-invalid", String(bad));
      input.setAttribute("aria-describedby", bad ? "student-code-error student-code-hint" : "student-code-hint");
      const old = model.get("responses");
      model.set("responses", { ...old, student: bad ? "" : typed, seq: old.seq + 1 });
      model.save_changes();
    },
    "aria-describedby": "student-code-hint",
  });
  const show = () => {
    const { student } = model.get("responses");
    if (student && input.value.trim() !== student) input.value = student;
  };
  model.on("change:responses", show);
  show();
  return h("div", { class: "code" }, h("label", { for: "student-code" }, t("Student code")), input,
    h("p", { id: "student-code-hint", class: "soft" }, t("Only if your instructor wants this file: the code you were given, not your name.")), error);
}

function scores({ key }, answer) {
  try {
    score(key, answer);
    return true;
  } catch {
    return false;
  }
}
