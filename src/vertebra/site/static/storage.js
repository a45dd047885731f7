// What this browser keeps for a student: answers, what was met and when, the language. Static and live pages have it in
// common, and nothing of it leaves the browser unless the student downloads it.
//
//   vertebra/answers/<quiz id>    what a responses file holds, and the version of each question that was answered
//   vertebra/earlier/<quiz id>/…  answers that do not fit the questions of today, kept as they were
//   vertebra/progress             what my_answers/progress.json holds
//   vertebra/files/<name>         other files that a live lesson wrote into my_answers: cases, judgements, drafts
//   vertebra/language             the code of the interface's language
//
// A browser may refuse to keep anything (a private window, storage switched off, no room). Then what is written stays in
// this page, and whoever wrote it gets a StorageError to show.

const PREFIX = "vertebra/";
const ANSWERS = `${PREFIX}answers/`;
const EARLIER = `${PREFIX}earlier/`;
const PROGRESS = `${PREFIX}progress`;
const FILES = `${PREFIX}files/`;
const LANGUAGE = `${PREFIX}language`;
const SETTINGS = new Set([LANGUAGE, `${PREFIX}offline`]);
export const FORMAT = "vertebra-responses/1";
const PROGRESS_FORMAT = "vertebra-progress/2";
const LIMIT = 1_000_000; // bytes of a responses file, as in vertebra/quiz/responses.py

/** What cannot be kept or used; `reason` is a word for a program, `message` English for who looks into the console. */
export class StorageError extends Error {
  constructor(reason, message = reason) {
    super(message);
    this.reason = reason;
  }
}

// ---- The store: localStorage, or this page alone --------------------------------------------------------------------

const inPage = new Map(); // what could not be kept, by key; null for what could not be removed

function read(key) {
  if (inPage.has(key)) return inPage.get(key);
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key, text) {
  try {
    localStorage.setItem(key, text);
    inPage.delete(key);
  } catch (error) {
    inPage.set(key, text);
    const full = /quota/i.test(error?.name ?? "") && keys("").length > inPage.size; // a store without any room is no store
    throw new StorageError(full ? "full" : "blocked", String(error?.message ?? error));
  }
}

function remove(key) {
  inPage.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // it keeps nothing
  }
}

function keys(prefix) {
  const found = new Set([...inPage.keys()].filter((key) => key.startsWith(prefix)));
  try {
    for (let i = 0; i < localStorage.length; i++) if (localStorage.key(i).startsWith(prefix)) found.add(localStorage.key(i));
  } catch {
    // it keeps nothing
  }
  return [...found].sort();
}

const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Return the record under a key; a text that is none is set aside, never written over. */
function readRecord(key) {
  const text = read(key);
  if (text === null) return null;
  try {
    const record = JSON.parse(text);
    if (isRecord(record)) return record;
  } catch {
    // set aside below
  }
  setAside(key.slice(PREFIX.length).replace(/^answers\//, ""), { unreadable: text });
  remove(key);
  return null;
}

/** Keep a record among the earlier ones, under a name that is free; one that is there already is not kept twice. */
function setAside(name, record) {
  const text = JSON.stringify(record);
  let n = 1;
  for (; ; n++) {
    const there = read(`${EARLIER}${name}/${n}`);
    if (there === text) return;
    if (there === null) break;
  }
  try {
    write(`${EARLIER}${name}/${n}`, text);
  } catch {
    // it stays in this page; the next write of answers says that nothing is kept
  }
}

// ---- Answers --------------------------------------------------------------------------------------------------------

/** The time in UTC to the minute, as a responses file holds it. */
export const utcMinute = () => `${new Date().toISOString().slice(0, 16)}Z`;

/** The key under which a quiz's record is kept, as a `storage` event names it. */
export const answersKey = (quizId) => ANSWERS + quizId;

/** The record of a quiz, or null: {format, quiz, build, student, saved, answers, versions}. */
export function readAnswers(quizId) {
  const record = readRecord(ANSWERS + quizId);
  return record && isRecord(record.answers) ? { student: "", versions: {}, ...record } : null;
}

/** Keep a record as the answers to a quiz. Throws StorageError when the browser does not; this page still has them. */
export function writeAnswers(quizId, record) {
  const { answers, build, student = "", saved = utcMinute(), versions = {} } = record;
  write(ANSWERS + quizId, JSON.stringify({ format: FORMAT, quiz: quizId, build, student, saved, answers, versions }));
}

/** The ids of the quizzes that have answers here. */
export const answered = () => keys(ANSWERS).map((key) => key.slice(ANSWERS.length));

/** All that was set aside: [{ name, record }]. */
export const earlier = () => keys(EARLIER).map((key) => ({ name: key.slice(EARLIER.length), record: JSON.parse(read(key)) }));

/**
 * The answers that fit a quiz as it is asked today ({ id, build, items }), and the ids of those that do not.
 *
 * Of another build each answer is kept whose question has the version it was given to; the rest is set aside as it was.
 * Where a record knows no versions, as one from a notebook, what was noted when the answer was checked tells them.
 */
export function fitting(quiz) {
  const record = readAnswers(quiz.id);
  const now = Object.fromEntries(quiz.items.map(({ id, version }) => [id, version ?? ""]));
  if (!record) return { record: null, outdated: [] };
  if (record.build === quiz.build) return { record: { ...record, versions: known(now, record.answers) }, outdated: [] };
  const noted = Object.fromEntries(attempts().map(({ item, version }) => [item, version]));
  const versions = { ...noted, ...record.versions };
  const fits = ([id]) => Object.hasOwn(now, id) && now[id] !== "" && versions[id] === now[id];
  const entries = Object.entries(record.answers);
  const outdated = entries.filter((entry) => !fits(entry)).map(([id]) => id);
  if (outdated.length) setAside(quiz.id, record);
  const answers = Object.fromEntries(entries.filter(fits));
  const whole = { ...record, build: quiz.build, answers, versions: known(now, answers) };
  try {
    if (Object.keys(answers).length) writeAnswers(quiz.id, whole);
    else remove(ANSWERS + quiz.id);
  } catch {
    // it stays in this page; the next answer says that nothing is kept
  }
  return { record: whole, outdated };
}

const known = (versions, answers) => Object.fromEntries(Object.keys(answers).filter((id) => Object.hasOwn(versions, id)).map((id) => [id, versions[id]]));

/** What a window brings to what is there: only what it changed since `base`, so that two windows lose nothing. */
export function merged(there, base, mine) {
  const all = { ...there };
  for (const id of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    if (pythonJson(base[id] ?? null) === pythonJson(mine[id] ?? null)) continue;
    if (id in mine) all[id] = mine[id];
    else delete all[id];
  }
  return all;
}

// ---- A responses file: what Python reads ----------------------------------------------------------------------------

const byCodePoint = (a, b) => {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const apart = left[i].codePointAt(0) - right[i].codePointAt(0);
    if (apart) return apart;
  }
  return left.length - right.length;
};

/** A number as Python's json writes it. Whole numbers below 1e21 are integers there, as they stand in a file of ours. */
function pythonNumber(value) {
  if (!Number.isFinite(value)) throw new StorageError("bad-answer", `${value} is no number that a file can hold`);
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? String(BigInt(value)) : pythonFloat(value);
}

/** repr() of a Python float: the same shortest digits, an exponent from 1e16 and below 1e-4, of two digits at least. */
function pythonFloat(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [digits, exponent] = value.toExponential().split("e");
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  return text.includes(".") ? text : `${text}.0`;
}

// A number as it stands in a text, so that 3 and 3.0, which JavaScript does not tell apart, stay what they are.
class Literal {
  constructor(text) {
    this.text = /^-?\d+$/.test(text) ? String(BigInt(text)) : pythonFloat(Number(text));
  }
}

/** JSON as Python's json.dumps writes it, keys in order: without spaces, or one entry a line, `indent` spaces deeper. */
export function pythonJson(value, indent = 0, depth = 0) {
  if (value instanceof Literal) return value.text;
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map((each) => pythonJson(each, indent, depth + 1))
    : Object.keys(value).sort(byCodePoint).map((key) => `${JSON.stringify(key)}:${indent ? " " : ""}${pythonJson(value[key], indent, depth + 1)}`);
  if (!parts.length) return open + close;
  const line = (deep) => (indent ? `\n${" ".repeat(indent * deep)}` : "");
  return `${open}${line(depth + 1)}${parts.join(`,${line(depth + 1)}`)}${line(depth)}${close}`;
}

/** SHA-256 of a text in UTF-8, 64 hex digits: pages over plain http in a local network have no crypto.subtle. */
export function sha256(text) {
  const bytes = new TextEncoder().encode(text);
  const words = new Uint32Array((((bytes.length + 8) >> 6) + 1) * 16);
  bytes.forEach((byte, i) => { words[i >> 2] |= byte << (24 - 8 * (i & 3)); });
  words[bytes.length >> 2] |= 0x80 << (24 - 8 * (bytes.length & 3));
  words[words.length - 2] = Math.floor(bytes.length / 0x20000000);
  words[words.length - 1] = bytes.length << 3;
  const state = [...START];
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const w = new Uint32Array(64);
  for (let at = 0; at < words.length; at += 16) {
    w.set(words.subarray(at, at + 16));
    for (let i = 16; i < 64; i++) {
      const [a, b] = [w[i - 15], w[i - 2]];
      w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((part, i) => { state[i] = (state[i] + part) | 0; });
  }
  return state.map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

// The fractional parts of the roots of the first primes, 32 bits of each.
const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const bits = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
const START = PRIMES.slice(0, 8).map((prime) => bits(Math.sqrt(prime)));
const ROUND = PRIMES.map((prime) => bits(Math.cbrt(prime)));

/** The digest that a responses file carries, of all else that it holds. */
export const digest = (data) => sha256(pythonJson(data));

/** The text of the responses file of a record: what `vertebra quiz grade` reads. */
export function responsesText({ quiz, build, student = "", saved = utcMinute(), answers }) {
  const data = { format: FORMAT, quiz, build, student, saved, answers };
  return `${pythonJson({ ...data, digest: digest(data) }, 1)}\n`;
}

const HEADER = {
  quiz: /^[A-Za-z0-9._-]{1,80}$/,
  build: /^[0-9a-f]{1,64}$/,
  student: /^[A-Za-z0-9._-]{0,40}$/,
  saved: /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/,
};
const ID = /^[A-Za-z0-9_-]{1,80}$/;
const isId = (value) => typeof value === "string" && ID.test(value);
const isIds = (value) => Array.isArray(value) && value.every(isId);
const isPoint = (value) => Object.keys(value).join() === "point" && Array.isArray(value.point) && value.point.length === 2 && value.point.every(Number.isFinite);

/** Whether a value has the shape of an answer in any format, or is null, as in vertebra/quiz/responses.py. */
function isAnswer(value) {
  if (value === null || Number.isFinite(value) || isId(value) || isIds(value)) return true;
  if (!isRecord(value)) return false;
  return isPoint(value) || Object.entries(value).every(([name, part]) => isId(name) && (part === null || isId(part) || Number.isFinite(part) || isIds(part)));
}

function isResponse(response) {
  const own = ["answer", "certainty"];
  return isRecord(response) && Object.keys(response).every((name) => own.includes(name))
    && [undefined, null, 1, 2, 3].includes(response.certainty) && isAnswer(response.answer ?? null);
}

/** Read the text of a responses file into a record without versions; throws StorageError with the reason as a word. */
export function parseResponses(text) {
  if (text.length > LIMIT) throw new StorageError("oversized");
  let data, exact;
  try {
    data = JSON.parse(text.replace(/^\uFEFF/, ""));
    exact = readExactly(text);
  } catch {
    throw new StorageError(text.trim().endsWith("}") ? "unreadable" : "truncated");
  }
  if (!isRecord(data) || !String(data.format).startsWith("vertebra-responses/")) throw new StorageError("foreign");
  if (data.format !== FORMAT) throw new StorageError("wrong-version");
  const { digest: stated, ...rest } = data;
  const names = ["answers", "format", ...Object.keys(HEADER)].sort().join();
  const sound = Object.keys(rest).sort().join() === names && isRecord(rest.answers)
    && Object.entries(HEADER).every(([name, pattern]) => typeof rest[name] === "string" && pattern.test(rest[name]));
  delete exact.digest;
  if (!sound || stated !== digest(exact)) throw new StorageError("edited");
  if (!Object.entries(rest.answers).every(([id, response]) => isId(id) && isResponse(response))) throw new StorageError("bad-answer");
  return rest;
}

/** JSON.parse with each number as it stands in the text. */
export function readExactly(text) {
  const marked = text.replace(/^\uFEFF/, "").replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (part) => (part[0] === '"' ? part : `{"\\u0000":"${part}"}`));
  return JSON.parse(marked, (_, value) => (isRecord(value) && Object.hasOwn(value, "\u0000") ? new Literal(value["\u0000"]) : value));
}

// ---- What was met, and when -----------------------------------------------------------------------------------------

/** The checked answers in order of time: { item, version, when, answer, fraction, certainty }. */
export const attempts = () => progress().attempts;

/** What my_answers/progress.json holds: { format, attempts, readings }. */
export function progress() {
  const record = readRecord(PROGRESS);
  const list = (name) => (Array.isArray(record?.[name]) ? record[name] : []);
  return { format: PROGRESS_FORMAT, attempts: list("attempts"), readings: list("readings") };
}

/** Remember checked answers. Throws StorageError as writeAnswers. */
export const addAttempts = (list) => addProgress({ attempts: list });

/** Remember what a progress file holds, beside what is known. One thing is met once a second at most. */
export function addProgress({ attempts: answers = [], readings = [] }) {
  const there = progress();
  const united = (known, more, name) => {
    const all = new Map([...more, ...known].map((each) => [`${each.when} ${each[name]}`, each]));
    return [...all.keys()].sort().map((key) => all.get(key));
  };
  const record = { ...there, attempts: united(there.attempts, answers, "item"), readings: united(there.readings, readings, "seed") };
  write(PROGRESS, JSON.stringify(record));
}

// ---- What else a live lesson writes into my_answers -----------------------------------------------------------------

/** The texts by name. */
export const files = () => Object.fromEntries(keys(FILES).map((key) => [key.slice(FILES.length), read(key)]));

/** Keep the text of a file. Throws StorageError as writeAnswers. */
export const writeFile = (name, text) => write(FILES + name, text);

// ---- All of it in one file ------------------------------------------------------------------------------------------

const ALL_FORMAT = "vertebra-browser/1";

/** The text of a file with everything that this browser keeps, to be brought in elsewhere. */
export function everything() {
  const quizzes = Object.fromEntries(answered().map((id) => [id, readAnswers(id)]));
  return `${pythonJson({ format: ALL_FORMAT, saved: utcMinute(), quizzes, earlier: earlier(), progress: progress(), files: files() }, 1)}\n`;
}

/**
 * Bring in what `everything` wrote; throws StorageError. What is here already stays, and where both have an answer to a
 * question, the one of the quiz that was saved later counts and the other record is set aside as a whole.
 */
export function bringEverything(text) {
  let data;
  try {
    data = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new StorageError(text.trim().endsWith("}") ? "unreadable" : "truncated");
  }
  if (!isRecord(data) || !String(data.format).startsWith("vertebra-browser/")) throw new StorageError("foreign");
  if (data.format !== ALL_FORMAT) throw new StorageError("wrong-version");
  const quizzes = Object.entries(data.quizzes ?? {});
  const sound = ([id, record]) => ID.test(id) && isRecord(record) && isRecord(record.answers) && HEADER.build.test(record.build)
    && Object.entries(record.answers).every(([item, response]) => isId(item) && isResponse(response));
  const isMet = (each) => isRecord(each) && typeof each.when === "string";
  const met = [...(data.progress?.attempts ?? []), ...(data.progress?.readings ?? [])];
  if (!quizzes.every(sound) || !met.every(isMet)) throw new StorageError("edited");
  for (const [id, record] of quizzes) bringAnswers({ ...record, quiz: id });
  for (const { name, record } of data.earlier ?? []) if (typeof name === "string") setAside(name.replace(/\/\d+$/, ""), record);
  addProgress(data.progress ?? {});
  const there = files();
  for (const [name, text] of Object.entries(data.files ?? {})) {
    if (typeof text !== "string" || there[name] === text) continue;
    if (name in there) setAside(`files/${name}`, { unreadable: text });
    else writeFile(name, text);
  }
  return quizzes.length;
}

/** Bring in a record of answers beside those that are here; returns how many came and how many here were newer. */
export function bringAnswers(record) {
  const here = readAnswers(record.quiz);
  if (here && here.build !== record.build) {
    setAside(record.quiz, record);
    return { came: 0, stayed: 0, aside: Object.keys(record.answers).length };
  }
  const mine = here?.answers ?? {};
  const differ = Object.keys(record.answers).filter((id) => pythonJson(record.answers[id]) !== pythonJson(mine[id] ?? null));
  const doubled = differ.filter((id) => id in mine);
  const newer = record.saved > (here?.saved ?? "");
  if (doubled.length) setAside(record.quiz, newer ? here : record);
  const taken = newer ? differ : differ.filter((id) => !(id in mine));
  const answers = { ...mine, ...Object.fromEntries(taken.map((id) => [id, record.answers[id]])) };
  const versions = { ...here?.versions, ...record.versions };
  const saved = newer ? record.saved : here.saved;
  writeAnswers(record.quiz, { build: record.build, student: here?.student || record.student, saved, answers, versions });
  return { came: taken.length, stayed: differ.length - taken.length, aside: 0 };
}

// ---- Language, and the end of it all --------------------------------------------------------------------------------

/** The code of the language that was chosen, or "". */
export const language = () => read(LANGUAGE) ?? "";

export function setLanguage(code) {
  try {
    write(LANGUAGE, code);
  } catch {
    // it holds for this page
  }
}

/** Forget the answers to one quiz, or all that a student did; language and choice of offline use stay. */
export function erase(quizId) {
  if (quizId !== undefined) return remove(ANSWERS + quizId);
  for (const key of keys(PREFIX)) if (!SETTINGS.has(key)) remove(key);
}
