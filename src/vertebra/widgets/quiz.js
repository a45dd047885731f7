// The quiz in the browser: nine question formats made of native controls. In practice mode it is marked here, so a page
// without a kernel marks too; in exam mode there is no key here at all. Top to bottom: scoring, reading a typed number,
// building blocks, one function for each format, one question, saving, the whole.

// ---- Scoring: the same arithmetic in the same order as vertebra/quiz/scoring.py -------------------------------------

const GAIN = { 1: 1, 2: 2, 3: 3 };
const PENALTY = { 1: 0, 2: -2, 3: -6 };

/** The share of credit, 0 to 1, that an answer earns under a key record; an answer of the wrong shape throws. */
export function score(key, answer) {
  if (answer === null || answer === undefined) throw new Error("the question is not answered");
  if (!Object.hasOwn(SCORERS, key.format)) throw new Error(`there is no format ${key.format}`);
  return SCORERS[key.format](key, answer);
}

/** The mark for a share of credit at certainty 1, 2 or 3: right 1/2/3, wrong 0/-2/-6, linear between. */
export function certaintyMark(fraction, certainty) {
  const share = number(fraction);
  if (!(share >= 0 && share <= 1)) throw new Error(`the share of credit must lie from 0 to 1, not ${share}`);
  if (![1, 2, 3].includes(certainty)) throw new Error(`the certainty must be 1, 2 or 3, not ${certainty}`);
  return share * GAIN[certainty] + (1 - share) * PENALTY[certainty];
}

const SCORERS = {
  single_best_answer: (key, answer) => Number(known(answer, key.options) === key.key),

  multiple_response(key, answer) {
    const ticked = distinct(answer, key.options);
    const right = ticked.filter((id) => key.key.includes(id)).length;
    const wrong = ticked.length - right;
    const missed = key.key.length - right;
    if (key.scoring === "all_or_nothing") return Number(wrong + missed === 0);
    if (key.scoring === "each_option") return (key.options.length - wrong - missed) / key.options.length;
    if (key.scoring === "net_correct") return Math.max(0, (right - wrong) / key.key.length);
    throw new Error(`multiple_response has no scoring rule ${key.scoring}`);
  },

  numeric: (key, answer) => Number(near(number(answer), key.value, key.tolerance)),

  ordering(key, answer) {
    const steps = key.key;
    const place = new Map(distinct(answer, steps).map((id, i) => [id, i]));
    if (place.size !== steps.length) throw new Error(`the order must name all ${steps.length} steps`);
    if (key.scoring === "all_or_nothing") return Number(steps.every((id, i) => answer[i] === id));
    if (key.scoring === "adjacent_pairs") {
      let direct = 0;
      for (let i = 1; i < steps.length; i++) direct += place.get(steps[i]) === place.get(steps[i - 1]) + 1;
      return direct / (steps.length - 1);
    }
    if (key.scoring === "all_pairs") {
      let concordant = 0;
      for (let i = 0; i < steps.length; i++)
        for (let j = i + 1; j < steps.length; j++) concordant += place.get(steps[i]) < place.get(steps[j]);
      return concordant / ((steps.length * (steps.length - 1)) / 2);
    }
    throw new Error(`ordering has no scoring rule ${key.scoring}`);
  },

  matching(key, answer) {
    if (!isRecord(answer)) throw new Error("the answer must pair prompts with options");
    for (const [prompt, option] of Object.entries(answer)) {
      known(prompt, Object.keys(key.key));
      if (option !== null) known(option, key.options);
    }
    const prompts = Object.entries(key.key);
    return prompts.filter(([prompt, option]) => answer[prompt] === option).length / prompts.length;
  },

  hotspot(key, answer) {
    const names = isRecord(answer) ? Object.keys(answer).join() : "";
    if (names === "point" && Array.isArray(answer.point) && answer.point.length === 2) {
      const [x, y] = answer.point.map(number);
      return Number(inside(x, y, key.polygons[key.key]));
    }
    if (names === "region") return Number(known(answer.region, Object.keys(key.polygons)) === key.key);
    throw new Error("the answer must be a point or a region");
  },

  key_feature({ decisions }, answer) {
    if (!isRecord(answer)) throw new Error("the answer must pair decisions with lists of options");
    for (const [id, chosen] of Object.entries(answer)) {
      known(id, Object.keys(decisions));
      if (chosen !== null) distinct(chosen, decisions[id].options);
    }
    const shares = Object.entries(decisions).map(([id, one]) => decisionShare(one, chosenIn(answer, id)));
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  },

  needle_path: (key, answer) => key.shares[key.bands[setting(key, answer)]],
  stop_decision: (key, answer) => key.shares[key.bands[setting(key, answer)]],
};

/** What the options chosen in one decision earn of it: with one too many, or one that harms the patient, nothing. */
function decisionShare({ key, harms, choose }, chosen) {
  if (chosen.length > choose || chosen.some((id) => harms.includes(id))) return 0;
  const right = chosen.filter((id) => key.includes(id)).length;
  return Math.max(0, 2 * right - chosen.length) / key.length;
}

/** The options an answer chooses in a decision; what is left out, or no list, chooses none. */
function chosenIn(answer, decision) {
  const chosen = isRecord(answer) && Object.hasOwn(answer, decision) ? answer[decision] : null;
  return Array.isArray(chosen) ? chosen : [];
}

/** The place of an answer {control: value} among all settings of the controls, the last one running fastest. */
function setting({ controls }, answer) {
  if (!isRecord(answer) || Object.keys(answer).length !== controls.length) throw new Error("a number is needed for each control");
  let place = 0;
  for (const { id, values } of controls) {
    const at = values.indexOf(number(Object.hasOwn(answer, id) ? answer[id] : null));
    if (at < 0) throw new Error(`${id} cannot be set to ${answer[id]}`);
    place = place * values.length + at;
  }
  return place;
}

/** Even-odd rule: a ray to the right crosses an odd number of edges. */
function inside(x, y, polygon) {
  let odd = false;
  let [x2, y2] = polygon[polygon.length - 1];
  for (const [x1, y1] of polygon) {
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
    [x2, y2] = [x1, y1];
  }
  return odd;
}

// The slack beyond the tolerance only absorbs binary rounding.
const near = (a, b, tolerance) => Math.abs(a - b) <= tolerance * (1 + 1e-9) + 1e-12;
const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function number(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error("a finite number is needed");
  return value;
}

function known(id, ids) {
  if (typeof id !== "string" || !ids.includes(id)) throw new Error(`there is no ${id} here`);
  return id;
}

function distinct(answer, ids) {
  if (!Array.isArray(answer)) throw new Error("the answer must be a list of ids");
  for (const id of answer) known(id, ids);
  if (new Set(answer).size !== answer.length) throw new Error("the answer names an id twice");
  return answer;
}

/** The share of credit for a question whose key is here, or null when there is no answer that fits it. */
function fractionOf(item, answer) {
  try {
    return score(item.key, answer);
  } catch {
    return null;
  }
}

// ---- Reading what a student types -----------------------------------------------------------------------------------

const UNIT_WORDS = { "%": ["percent", "per cent", "pct"], "°": ["deg", "degree", "degrees", "º"] };

/** Read "25", "25 %", "2,5" or "−3": {value} or {error: a sentence}; {} when nothing is typed. */
function readNumber(text, unit) {
  const typed = text.trim();
  if (!typed) return {};
  const match = /^([+\-−]?)(\d+(?:[.,]\d*)?|[.,]\d+)(?:\s*(\D.*))?$/u.exec(typed);
  const example = t("Write one number, such as {example}.", { example: unit ? `12.5 ${unit}` : "12.5" });
  if (!match) return { error: t("“{typed}” is not a number. {example}", { typed, example }) };
  const [, sign, digits, word] = match;
  const own = [unit, ...(UNIT_WORDS[unit] ?? [])];
  if (word && !(unit && own.includes(word)))
    return {
      error: unit
        ? t("The answer is wanted in {unit}, not in “{word}”. {example}", { unit, word, example })
        : t("The answer has no unit, not in “{word}”. {example}", { word, example }),
    };
  const value = Number(digits.replace(",", ".")) * (sign && sign !== "+" ? -1 : 1);
  // One keystroke held down makes 400 digits, which no number holds.
  return Number.isFinite(value) ? { value } : { error: t("This number is too large. {example}", { example }) };
}

const CODE = /^[A-Za-z0-9._-]{1,40}$/;

// ---- Building blocks ------------------------------------------------------------------------------------------------

/** One element. `on...` are listeners, true is an empty attribute, null and false leave the attribute out. */
function h(tag, props, ...children) {
  const node = document.createElement(tag);
  if (tag === "button") node.type = "button";
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const SHAPES = {
  right: '<path d="M3 8.5l3.5 3.5L13 4.5"/>',
  wrong: '<path d="M4 4l8 8M12 4l-8 8"/>',
  part: '<circle cx="8" cy="8" r="5.2"/><path d="M8 2.8a5.2 5.2 0 0 1 0 10.4z" fill="currentColor"/>',
  done: '<circle cx="8" cy="8" r="3" fill="currentColor"/>',
  alarm: '<path d="M8 1.8L15 14H1z"/><path d="M8 6.2v3.6M8 11.7v.3"/>',
  up: '<path d="M8 13V3M3.5 7.5L8 3l4.5 4.5"/>',
  down: '<path d="M8 3v10M3.5 8.5L8 13l4.5-4.5"/>',
  target: '<circle cx="8" cy="8" r="4.5"/><path d="M8 .8v4.4M8 10.8v4.4M.8 8h4.4M10.8 8h4.4"/>',
};

/** A drawn sign, always beside words that say the same. */
function icon(name) {
  const span = h("span", { class: `vq-icon vq-icon-${name}`, "aria-hidden": "true" });
  span.innerHTML =
    '<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="2" ' +
    `stroke-linecap="round" stroke-linejoin="round" focusable="false">${SHAPES[name]}</svg>`;
  return span;
}

const paragraphs = (text, lang = english) =>
  (text ?? "").split(/\n\s*\n/).map((part) => part.trim()).filter(Boolean).map((part) => h("p", { lang }, part));
const signed = (value) => {
  const rounded = Math.round(value * 100) / 100;
  return `${rounded > 0 ? "+" : rounded < 0 ? "−" : ""}${Math.abs(rounded)}`;
};
const withUnit = (value, unit) => `${String(value).replace("-", "−")}${unit ? `\u00a0${unit}` : ""}`;

/** Fill a feedback box: a sign, words in bold and the reason below; with nothing to say it is hidden. */
function explain(box, tone, words, ...reasons) {
  const text = reasons.filter(Boolean).flatMap((reason) => (typeof reason === "string" ? paragraphs(reason) : [reason]));
  box.hidden = !words && !text.length;
  box.className = `vq-why vq-${tone}`;
  box.replaceChildren(...(words ? [h("p", { class: "vq-tag" }, icon(tone === "plain" ? "done" : tone), words)] : []), ...text);
}

/** The mistaken belief behind a wrong answer, which the student reads before why it is one. */
const mistake = (belief) => belief && h("p", { class: "vq-mistake" }, t("The mistake behind it: "), h("span", { lang: english }, `“${belief}”`));

/** Rows of radios or checkboxes, each with room for its reason. */
function choices(options, type, name, changed) {
  const rows = options.map(({ id, text }) => {
    const why = h("div", { hidden: true });
    const input = h("input", { type, name, value: id, onchange: changed });
    return { id, input, why, row: h("div", { class: "vq-choice" }, h("label", {}, input, h("span", { lang: english }, text)), why) };
  });
  return {
    node: h("div", { class: "vq-choices" }, rows.map(({ row }) => row)),
    inputs: rows.map(({ input }) => input),
    picked: () => rows.filter(({ input }) => input.checked).map(({ id }) => id),
    show(picked, locked) {
      for (const { id, input, why, row } of rows) {
        input.checked = picked.includes(id);
        input.disabled = locked;
        row.classList.toggle("vq-locked", locked);
        if (!locked) explain(why, "plain");
      }
    },
    explain(id, tone, words, ...reasons) {
      const { row, why } = rows.find((one) => one.id === id);
      explain(why, tone, words, ...reasons);
      row.classList.add("vq-locked");
    },
  };
}

// ---- The formats ----------------------------------------------------------------------------------------------------
// Each takes the question and `ask` ({uid, exam, put(answer or null), say(words)}) and returns the nodes, the inputs an
// error is attached to, and show(answer, reveal): bring the controls to this answer and, with reveal, explain it.
// `missing()` may give an answer or a sentence when Check is pressed with no answer stored; `complete()` a sentence when
// the answer stored is not whole, and `first()` the input to go on with.

function singleBestAnswer(item, ask) {
  const list = choices(item.options, "radio", `${ask.uid}-option`, () => ask.put(list.picked()[0] ?? null));
  return {
    hint: t("Choose the one best answer."),
    nodes: [list.node],
    inputs: list.inputs,
    missing: () => ({ sentence: t("Choose an answer first.") }),
    show(answer, reveal) {
      list.show([answer], reveal);
      if (!reveal) return;
      for (const { id } of item.options) {
        const [key, mine] = [id === item.key.key, id === answer];
        const words = key && mine ? t("Your answer, correct") : key ? t("Correct answer") : mine ? t("Your answer, not correct") : "";
        list.explain(id, key ? "right" : mine ? "wrong" : "plain", words, mine && mistake(item.mistakes?.[id]), item.rationales[id]);
      }
    },
  };
}

function multipleResponse(item, ask) {
  const list = choices(item.options, "checkbox", `${ask.uid}-option`, () => {
    const picked = list.picked();
    // In practice Check settles an empty list; in an exam a question with nothing ticked is an open one.
    ask.put(picked.length ? picked : null);
  });
  return {
    hint: t("Tick every answer that applies."),
    nodes: [list.node],
    inputs: list.inputs,
    missing: () => ({ answer: [] }),
    show(answer, reveal) {
      const picked = Array.isArray(answer) ? answer : [];
      list.show(picked, reveal);
      if (!reveal) return;
      for (const { id } of item.options) {
        const [key, mine] = [item.key.key.includes(id), picked.includes(id)];
        const words = mine
          ? key ? t("Ticked, correct") : t("Ticked, but does not apply")
          : key ? t("Not ticked, but applies") : t("Not ticked, correct");
        list.explain(id, key === mine ? "right" : "wrong", words, mine && mistake(item.mistakes?.[id]), item.rationales[id]);
      }
    },
  };
}

function numeric(item, ask) {
  const unit = item.unit ?? "";
  const read = () => readNumber(input.value, unit);
  const input = h("input", {
    type: "text", id: `${ask.uid}-number`, inputmode: "decimal", autocomplete: "off", spellcheck: "false", size: "10",
    oninput() {
      const { value, error } = read();
      ask.put(value ?? null);
      if (!error) ask.fault("");
      reading.textContent = value !== undefined && input.value.includes(",") ? t("Read as {number}", { number: withUnit(value, unit) }) : "";
    },
    // Nobody is corrected in the middle of a word: the sentence comes when the field is left.
    onchange: () => ask.fault(read().error ?? ""),
  });
  const reading = h("p", { class: "vt-note", role: "status" });
  const why = h("div", { hidden: true });
  return {
    hint: t("A decimal point or a decimal comma will do."),
    nodes: [
      h("div", { class: "vq-number" },
        h("label", { for: input.id }, unit ? [t("Your answer "), h("span", { class: "vt-visually-hidden" }, t("in {unit}", { unit }))] : t("Your answer")),
        h("span", { class: "vq-field" }, input, unit ? h("span", { class: "vq-unit", "aria-hidden": "true" }, unit) : null)),
      reading,
      why,
    ],
    inputs: [input],
    missing: () => ({ sentence: read().error ?? t("Write a number first.") }),
    show(answer, reveal) {
      // What is being typed stays as typed ("25 %", "2,5") as long as it means the stored number.
      if (read().value !== (answer ?? undefined)) {
        input.value = typeof answer === "number" ? String(answer) : "";
        ask.fault("");
      }
      input.disabled = Boolean(reveal);
      if (!reveal) return explain(why, "plain");
      const { value, tolerance } = item.key;
      const slip = reveal.fraction < 1 && (item.slips ?? []).find((one) => near(answer, one.value, tolerance));
      const band = tolerance > 0 ? ` (± ${withUnit(tolerance, unit)})` : "";
      const words = reveal.fraction === 1 ? t("Correct: {value}{band}", { value: withUnit(value, unit), band })
        : t("Your answer: {answer}. Correct: {value}{band}", { answer: withUnit(answer, unit), value: withUnit(value, unit), band });
      explain(why, reveal.fraction === 1 ? "right" : "wrong", words, slip && mistake(slip.mistake), slip && slip.rationale, item.rationales[""]);
    },
  };
}

function ordering(item, ask) {
  let order = [];
  const rows = new Map(item.steps.map(({ id, text }) => {
    const button = (name, by, words) => h("button", {
      class: "vq-move", "aria-label": `${words}: ${text}`, title: words, onclick: () => move(id, by),
    }, icon(name));
    const [up, down, why] = [button("up", -1, t("Move up")), button("down", 1, t("Move down")), h("div", { hidden: true })];
    const row = h("li", { class: "vq-step" }, h("div", { class: "vq-step-line" }, h("span", { class: "vq-step-text", lang: english }, text), up, down), why);
    return [id, { text, up, down, why, row }];
  }));
  const list = h("ol", { class: "vq-steps" });
  const keep = h("button", { onclick() { ask.put([...order]); ask.say(t("This order is your answer.")); } }, t("Keep this order as my answer"));
  function move(id, by) {
    const [from, to] = [order.indexOf(id), order.indexOf(id) + by];
    if (to < 0 || to >= order.length) return ask.say(to < 0 ? t("{step}: already first.", { step: rows.get(id).text }) : t("{step}: already last.", { step: rows.get(id).text }));
    const next = [...order];
    next.splice(to, 0, ...next.splice(from, 1));
    ask.put(next);
    ask.say(t("{step}: now step {n} of {all}.", { step: rows.get(id).text, n: to + 1, all: order.length }));
  }
  function place(next) {
    // The row with the focus stays where it is and the others move around it: moving it would drop the focus.
    const active = list.getRootNode().activeElement;
    const held = next.find((id) => rows.get(id).row.contains(active));
    for (const id of held === undefined ? next : next.slice(next.indexOf(held) + 1)) list.append(rows.get(id).row);
    for (const id of held === undefined ? [] : next.slice(0, next.indexOf(held))) rows.get(held).row.before(rows.get(id).row);
    order = next;
  }
  place(item.steps.map(({ id }) => id));
  return {
    hint: t("Put the steps in order, first step on top."),
    nodes: [list, keep],
    inputs: [...rows.values()].map(({ down }) => down),
    missing: () => ({ answer: [...order] }),
    show(answer, reveal) {
      const fits = Array.isArray(answer) && answer.length === rows.size && answer.every((id) => rows.has(id));
      const given = fits ? answer : item.steps.map(({ id }) => id);
      const next = reveal ? item.key.key : given;
      if (next.join(" ") !== order.join(" ")) place([...next]);
      keep.hidden = !ask.exam || fits;
      list.classList.toggle("vq-locked", Boolean(reveal));
      for (const [id, { up, down, why }] of rows) {
        up.hidden = down.hidden = Boolean(reveal);
        // Not `disabled`: a button that is switched off under the finger drops the focus.
        up.setAttribute("aria-disabled", String(order[0] === id));
        down.setAttribute("aria-disabled", String(order.at(-1) === id));
        if (!reveal) { explain(why, "plain"); continue; }
        const [mine, right] = [given.indexOf(id), order.indexOf(id)];
        explain(why, mine === right ? "right" : "wrong", mine === right ? t("You had it in this place") : t("You had it as step {n}", { n: mine + 1 }), item.rationales[id]);
      }
    },
  };
}

const EXTENDED = 8; // options from which on a matching question is an extended one: letters, and the list shown once

function matching(item, ask) {
  const extended = item.options.length >= EXTENDED;
  const textOf = (id) => {
    const i = item.options.findIndex((option) => option.id === id);
    return i < 0 ? "" : `${extended ? `${letter(i).toUpperCase()}. ` : ""}${item.options[i].text}`;
  };
  const rows = item.prompts.map(({ id, text }, i) => {
    const select = h("select", {
      id: `${ask.uid}-match-${i}`,
      onchange() {
        const chosen = Object.fromEntries(rows.filter((row) => row.select.value).map((row) => [row.id, row.select.value]));
        ask.put(Object.keys(chosen).length ? chosen : null);
      },
    }, h("option", { value: "" }, t("Choose …")), item.options.map((option) => h("option", { value: option.id, lang: english }, textOf(option.id))));
    const why = h("div", { hidden: true });
    return { id, select, why, node: h("div", { class: "vq-match" }, h("label", { for: select.id, lang: english }, text), select, why) };
  });
  const open = () => rows.filter(({ select }) => !select.value);
  return {
    hint: t("Choose one answer for each line; an answer may serve more than once."),
    nodes: [
      extended ? h("ol", { class: "vq-shared", "aria-label": t("The answers to choose from") }, item.options.map(({ id }) => h("li", { lang: english }, textOf(id)))) : null,
      h("div", { class: extended ? "vq-extended" : null }, rows.map(({ node }) => node)),
    ],
    inputs: rows.map(({ select }) => select),
    first: () => open()[0]?.select,
    complete: () => (open().length ? tn("Choose an answer for every line first: {n} line left.", "Choose an answer for every line first: {n} lines left.", open().length) : ""),
    missing: () => ({ sentence: t("Choose an answer for every line first.") }),
    show(answer, reveal) {
      for (const { id, select, why } of rows) {
        const mine = (isRecord(answer) && answer[id]) || "";
        if (select.value !== mine) select.value = mine;
        select.disabled = Boolean(reveal);
        if (!reveal) { explain(why, "plain"); continue; }
        const key = item.key.key[id];
        explain(why, mine === key ? "right" : "wrong", mine === key ? t("Correct") : t("Correct: {answer}", { answer: textOf(key) }), item.rationales[id]);
      }
    },
  };
}

/** "a", "b", ... of the decisions about one patient. */
const letter = (i) => String.fromCharCode(97 + i);

function keyFeature(item, ask) {
  const rows = item.decisions.map(({ id, text, choose, options }, i) => {
    const list = choices(options, choose === 1 ? "radio" : "checkbox", `${ask.uid}-decision-${i}`, () => {
      const answer = Object.fromEntries(rows.map((row) => [row.id, row.list.picked()]).filter(([, chosen]) => chosen.length));
      ask.put(Object.keys(answer).length ? answer : null);
    });
    const [over, why] = [h("p", { class: "vq-over", role: "status" }), h("div", { hidden: true })];
    const asked = choose === 1 ? t("Choose one.") : t("Choose up to {choose}.", { choose });
    const node = h("fieldset", { class: "vq-decision" },
      h("legend", {}, h("span", { class: "vq-letter" }, `${letter(i)}.`), " ", h("span", { lang: english }, text), " ", h("span", { class: "vq-most" }, asked)),
      why, list.node, over);
    return { id, choose, options, list, over, why, node };
  });
  const open = () => rows.filter(({ list }) => !list.picked().length);

  /** One decision after Check: what it earned and why in words, then each of its options. */
  function reveal({ id, options, list, choose, why }, chosen) {
    const key = item.key.decisions[id];
    const share = decisionShare(key, chosen);
    const words = share === 1 ? t("Right")
      : !chosen.length ? t("Not decided: earns nothing")
      : chosen.length > choose ? t("Earns nothing: you chose {n}, and at most {choose} count", { n: chosen.length, choose })
      : chosen.some((one) => key.harms.includes(one)) ? t("Earns nothing: a choice of yours harms the patient")
      : share > 0 ? t("Partly right: {percent} %", { percent: Math.round(100 * share) }) : t("Not right");
    explain(why, share === 1 ? "right" : share > 0 ? "part" : "wrong", words);
    for (const { id: option } of options) {
      const [right, harms, mine] = [key.key.includes(option), key.harms.includes(option), chosen.includes(option)];
      const verdict = mine
        ? right ? t("Your choice, correct") : harms ? t("Your choice, and it harms the patient") : t("Your choice, not correct")
        : right ? (choose === 1 ? t("Correct choice") : t("Missed: this is a correct choice")) : harms ? t("Would harm the patient") : "";
      list.explain(option, right && mine ? "right" : mine || right ? (right && choose === 1 ? "right" : "wrong") : "plain", verdict,
        mine && mistake(item.mistakes?.[option]), item.rationales[option]);
    }
  }
  return {
    hint: t("Answer each decision. One with more answers than it asks for earns nothing, and so does one with an answer that harms the patient."),
    nodes: rows.map(({ node }) => node),
    inputs: rows.flatMap(({ list }) => list.inputs),
    first: () => open()[0]?.list.inputs[0],
    complete: () => (open().length ? tn("Answer every decision first: {n} decision left.", "Answer every decision first: {n} decisions left.", open().length) : ""),
    missing: () => ({ sentence: t("Answer every decision first.") }),
    show(answer, revealed) {
      for (const row of rows) {
        const chosen = chosenIn(answer, row.id);
        row.list.show(chosen, Boolean(revealed));
        const extra = chosen.length - row.choose;
        const words = revealed || extra <= 0 ? ""
          : t("You have chosen {n}, and at most {choose} count. As it stands this decision earns nothing: take back {extra}.", { n: chosen.length, choose: row.choose, extra });
        if (row.over.textContent !== words) row.over.textContent = words;
        if (revealed) reveal(row, chosen);
        else explain(row.why, "plain");
      }
    },
  };
}

function hotspot(item, ask) {
  const { uri, alt, width, height } = item.image;
  const list = choices(item.regions, "radio", `${ask.uid}-region`, () => ask.put({ region: list.picked()[0] }));
  const marker = h("span", { class: "vq-marker", hidden: true }, icon("target"));
  const outline = h("span", { class: "vq-outline", "aria-hidden": "true" });
  let locked = false;
  const picture = h("div", {
    class: "vq-picture",
    onclick(event) {
      if (locked) return;
      const box = picture.getBoundingClientRect();
      const unit = (offset, size, units) => Math.round(Math.min(Math.max(offset / size, 0), 1) * units * 10) / 10;
      ask.put({ point: [unit(event.clientX - box.left, box.width, width), unit(event.clientY - box.top, box.height, height)] });
      ask.say(t("Marker placed in the picture."));
    },
  }, h("img", { src: uri, alt, width, height, lang: english, draggable: "false" }), outline, marker);
  return {
    hint: t("Click or tap the place in the picture, or choose it from the list below. Either is an answer."),
    nodes: [
      h("div", { class: "vq-figure" }, picture),
      h("fieldset", { class: "vq-places" }, h("legend", {}, t("Or choose the place by its description")), list.node),
    ],
    inputs: list.inputs,
    missing: () => ({ sentence: t("Mark a place in the picture or choose one from the list first.") }),
    show(answer, reveal) {
      locked = Boolean(reveal);
      const point = Array.isArray(answer?.point) ? answer.point : null;
      marker.hidden = !point;
      if (point) [marker.style.left, marker.style.top] = [`${(100 * point[0]) / width}%`, `${(100 * point[1]) / height}%`];
      list.show([answer?.region], locked);
      picture.classList.toggle("vq-locked", locked);
      outline.innerHTML = "";
      if (!reveal) return;
      const { key, polygons } = item.key;
      const corners = polygons[key].map(([x, y]) => `${Number(x)},${Number(y)}`).join(" ");
      outline.innerHTML =
        `<svg viewBox="0 0 ${Number(width)} ${Number(height)}" preserveAspectRatio="none" focusable="false">` +
        `<polygon class="vq-halo" points="${corners}"/><polygon points="${corners}"/></svg>`;
      const hit = point && item.regions.filter(({ id }) => inside(...point, polygons[id])).map(({ id }) => id);
      for (const { id } of item.regions) {
        const [right, mine] = [id === key, hit ? hit.includes(id) : id === answer.region];
        const words = right && mine ? (point ? t("Your marker lies here, correct") : t("Your answer, correct")) : right ? t("Correct place, outlined in the picture") : !mine ? "" : point ? t("Your marker lies here, not correct") : t("Your answer, not correct");
        list.explain(id, right ? "right" : mine ? "wrong" : "plain", words, mine && mistake(item.mistakes?.[id]), item.rationales[id]);
      }
    },
  };
}

/** What a task leads to, after Check: the rubric with its line that was reached, and what the model measured. */
function outcome(item, answer, lines) {
  const { bands, measures } = item.key;
  const place = setting(item.key, answer);
  for (const { id, share } of item.bands) {
    const mine = id === bands[place];
    const tone = !mine ? "plain" : share === 1 ? "right" : share > 0 ? "part" : "wrong";
    lines.explain(id, tone, mine ? t("Your answer led here") : "", mine || share === 1 ? item.rationales[id] : "");
  }
  const said = measures.filter(({ says, values }) => says && values[place]).map(({ says, values }) => says.replace("{}", values[place]));
  return said.length ? t("Measured by the model: {facts}.", { facts: said.join("; ") }) : "";
}

/** The rubric: published beforehand, explained afterwards. */
function rubric(bands) {
  const rows = bands.map(({ id, text, share }) => {
    const why = h("div", { hidden: true });
    return { id, why, row: h("li", {}, h("div", { class: "vq-band" }, h("span", { lang: english }, text), h("span", { class: "vq-stakes" }, `${Math.round(100 * share)} %`)), why) };
  });
  return {
    node: h("details", { class: "vq-rubric" }, h("summary", {}, t("How it is marked (the first line that fits counts)")), h("ul", {}, rows.map(({ row }) => row))),
    clear() { for (const { why } of rows) explain(why, "plain"); },
    explain(id, tone, words, reason) { explain(rows.find((one) => one.id === id).why, tone, words, reason); },
  };
}

function film({ caption, alt, uri, width, height }, lines) {
  return h("figure", { class: "vq-film", lang: english }, h("div", {}, h("img", { src: uri, alt, width, height, draggable: "false" }), lines), h("figcaption", {}, caption));
}

const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Lines over a film; each is {ends: [[x, y], [x, y]], width, name}, drawn on a dark halo. */
function overlay({ width, height }, lines) {
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" },
    ...lines.flatMap(({ ends: [[x1, y1], [x2, y2]], width: thick, name }) => [["halo", 1.4], ["shaft", 1]].map(([part, times]) =>
      drawn("line", { x1, y1, x2, y2, class: `vq-${part} vq-${name}`, "stroke-width": thick * times }))));
}

function needlePath(item, ask) {
  const { films, controls, needle, seen } = item.task;
  const start = Object.fromEntries(controls.map((control) => [control.id, control.start]));
  let placed = JSON.stringify(start);
  const sliders = controls.map(({ id, label, unit, values }) => {
    const input = h("input", {
      type: "range", id: `${ask.uid}-${id}`, min: "0", max: values.length - 1, step: "1", lang: english,
      oninput: () => draw(),
      onchange: () => { ask.put(read()); ask.say(reading()); },
    });
    // The attribute alone would not move a slider that was touched.
    input.value = values.indexOf(start[id]);
    const shown = h("output", { for: input.id, lang: english });
    const words = (value) => `${String(value).replace("-", "−")}${unit === "°" ? "" : "\u00a0"}${unit}`;
    return { id, values, input, shown, words, node: h("div", { class: "vq-slider" }, h("label", { for: input.id, lang: english }, label), shown, input) };
  });
  const read = () => Object.fromEntries(sliders.map(({ id, values, input }) => [id, values[Number(input.value)]]));
  const overlays = films.map((one) => overlay(one, []));
  const told = h("p", { class: "vt-note vq-seen", lang: english });
  const measured = h("p", { class: "vq-measured", hidden: true });
  const rules = rubric(item.bands);

  /** What the films show of the tip, for those who cannot see them. */
  function reading() {
    const place = setting({ controls }, read());
    return seen.map(({ caption, words, at }) => `${caption}: tip ${words[at[place]]}.`).join(" ");
  }
  /** The needle's two ends on a film: points of the vertebra times a matrix. */
  function line({ matrix }, answer) {
    const at = (name) => controls.find(({ id }) => id === name).values.indexOf(answer[name]);
    const from = needle.entries[at("entry")];
    const along = needle.directions[at("convergence")][at("descent")];
    return [-needle.behind, answer.depth].map((far) => {
      const point = from.map((x, i) => x + far * along[i]);
      const [u, v, w] = matrix.map(([a, b, c, d]) => a * point[0] + b * point[1] + c * point[2] + d);
      return [u / w, v / w];
    });
  }
  function draw(good) {
    const paths = [["mine", read()], ...(good ? [["good", good]] : [])];
    for (const [i, one] of films.entries()) {
      const width = 2 * needle.radius * one.scale;
      const lines = paths.map(([name, answer]) => ({ ends: line(one, answer), width: name === "mine" ? width : 0.45 * width, name }));
      const fresh = overlay(one, lines);
      overlays[i].replaceWith(fresh);
      overlays[i] = fresh;
    }
    for (const { values, input, shown, words } of sliders) {
      shown.textContent = words(values[Number(input.value)]);
      input.setAttribute("aria-valuetext", shown.textContent);
    }
    told.textContent = reading();
  }
  draw();
  return {
    hint: t("Steer the needle with the sliders; the arrow keys move them too. Where you leave it is your answer."),
    nodes: [h("div", { class: "vq-films" }, films.map((one, i) => film(one, overlays[i]))), told,
      h("div", { class: "vq-sliders" }, sliders.map(({ node }) => node)), measured, rules.node, h("p", { class: "vt-note", lang: english }, item.task.note)],
    inputs: sliders.map(({ input }) => input),
    missing: () => ({ sentence: t("Steer the needle first.") }),
    show(answer, reveal) {
      const fits = isRecord(answer) && sliders.every(({ id, values }) => values.includes(answer[id]));
      const stored = fits ? answer : start;
      // Only news moves the sliders: that an answer is saved is told while the next slider is already being dragged.
      const news = JSON.stringify(stored) !== placed || Boolean(reveal);
      placed = JSON.stringify(stored);
      for (const { id, values, input } of sliders) {
        if (news) input.value = values.indexOf(stored[id]);
        input.disabled = Boolean(reveal);
      }
      draw(reveal ? item.key.example : null);
      measured.hidden = !reveal;
      rules.clear();
      if (!reveal) return;
      measured.textContent = `${outcome(item, answer, rules)} ${t("Your needle is the solid line, a good one the dashed line.")}`;
      rules.node.open = true;
    },
  };
}

function stopDecision(item, ask) {
  const { films, step, line } = item.task;
  let reached = 0;
  const place = h("div", { class: "vq-films vq-single" });
  let stopped = false;
  const last = () => reached === films.length - 1;
  const inject = h("button", {
    onclick() {
      if (stopped || last()) return;
      reached += 1;
      look();
      ask.say(`${films[reached].caption}. ${films[reached].alt}`);
    },
  }, t("Inject {step} more", { step }));
  const stop = h("button", {
    onclick() {
      if (stopped) return;
      ask.put({ frame: reached });
      ask.say(t("You stop. {caption}.", { caption: films[reached].caption }));
    },
  }, t("Stop here"));
  const state = h("p", { class: "vq-seen" });
  const measured = h("p", { class: "vq-measured", hidden: true });
  const rules = rubric(item.bands);
  function look() {
    if (place.dataset.frame !== String(reached)) {
      place.dataset.frame = reached;
      place.replaceChildren(film(films[reached]));
    }
    state.textContent = stopped ? t("You have stopped.") : last() ? t("There is no more cement to inject.") : t("Going on cannot be undone.");
    // Not `disabled`: a button that is switched off under the finger drops the focus.
    inject.setAttribute("aria-disabled", String(stopped || last()));
    stop.setAttribute("aria-disabled", String(stopped));
  }
  look();
  return {
    hint: t("Look at the film, then either inject {step} more or stop. As in life there is no way back.", { step }),
    nodes: [place, state, h("div", { class: "vq-actions vq-inject" }, inject, stop), measured, rules.node, h("p", { class: "vt-note", lang: english }, item.task.note)],
    inputs: [inject, stop],
    missing: () => ({ sentence: t("Inject more, or stop here, first.") }),
    /** Try again begins with no cement; in an exam a cleared answer goes on from where it was. */
    restart() { reached = 0; },
    show(answer, reveal) {
      stopped = isRecord(answer) && Number.isInteger(answer.frame) && answer.frame in films;
      if (stopped) reached = answer.frame;
      look();
      inject.hidden = stop.hidden = state.hidden = Boolean(reveal);
      measured.hidden = !reveal;
      rules.clear();
      if (!reveal) return;
      const good = item.key.example.frame;
      const text = outcome(item, answer, rules);
      place.dataset.frame = "both";
      const both = [[answer.frame, t("You stopped here")], ...(good === answer.frame ? [] : [[good, t("A good moment to stop")]])];
      place.replaceChildren(...both.map(([at, words]) => film({ ...films[at], caption: `${words}: ${films[at].caption}` },
        overlay(films[at], [{ ends: line.ends, width: 2, name: "mark" }]))));
      measured.textContent = `${text} ${t("Dashed line on the film: {line}.", { line: line.says })}`;
      rules.node.open = true;
    },
  };
}

const FORMATS = {
  single_best_answer: [t("One best answer"), singleBestAnswer],
  multiple_response: [t("Several answers"), multipleResponse],
  numeric: [t("Number"), numeric],
  ordering: [t("Order"), ordering],
  matching: [t("Match"), matching],
  hotspot: [t("Place in a picture"), hotspot],
  key_feature: [t("Key decisions"), keyFeature],
  needle_path: [t("Steer a needle"), needlePath],
  stop_decision: [t("When to stop"), stopDecision],
};

// ---- One question ---------------------------------------------------------------------------------------------------

const CERTAINTY = [[1, t("Guess")], [2, t("Fairly sure")], [3, t("Certain")]];

function certaintyChoice(uid, changed) {
  const inputs = CERTAINTY.map(([level]) => h("input", { type: "radio", name: `${uid}-certainty`, value: level, onchange: () => changed(level) }));
  const error = h("p", { class: "vq-error", id: `${uid}-certainty-error`, hidden: true });
  const node = h("fieldset", { class: "vq-certainty" },
    h("legend", {}, t("How certain are you? "), h("span", { class: "vq-stakes-note" }, t("Marks if right / if not"))),
    h("div", { class: "vq-levels" }, CERTAINTY.map(([level, words], i) =>
      h("label", {}, inputs[i], h("span", {}, h("span", { class: "vq-level" }, words), " ",
        h("span", { class: "vq-stakes" },
          h("span", { class: "vq-gain" }, h("span", { class: "vt-visually-hidden" }, t("right ")), signed(GAIN[level])), " ",
          h("span", { class: "vq-loss" }, h("span", { class: "vt-visually-hidden" }, t("wrong ")), signed(PENALTY[level]) || "0")))))),
    error);
  return { node, inputs, error };
}

/** What to say after Check: tone, headline, marks and one sentence of advice. */
function verdict(fraction, certainty) {
  const tone = fraction === 1 ? "right" : fraction > 0 ? "part" : "wrong";
  const headline = { right: t("Right"), part: t("Partly right: {percent} %", { percent: Math.round(100 * fraction) }), wrong: t("Not right") }[tone];
  if (!certainty) return { tone, headline, marks: "", advice: "" };
  const mark = certaintyMark(fraction, certainty);
  const rounded = Math.round(mark * 100) / 100;
  const advice =
    certainty === 3 && mark < 0 ? t("You were certain. These are the answers most worth putting right: read why below.")
    : tone === "right" && certainty === 1 ? t("You guessed right. Read why, so that next time you know it.")
    : tone === "wrong" && certainty === 1 ? t("An honest guess costs nothing. Read why below.")
    : tone === "right" ? "" : t("Read below what was right and what was not.");
  return { tone, headline, marks: tn("{marks} mark", "{marks} marks", rounded, { marks: signed(mark) }), advice };
}

function question(item, index, quiz, ask) {
  const exam = quiz.mode === "exam";
  const [kind, build] = FORMATS[item.format];
  const error = h("p", { class: "vq-error", id: `${ask.uid}-error`, hidden: true });
  const hintId = `${ask.uid}-hint`;
  function fault(sentence) {
    error.textContent = sentence;
    error.hidden = !sentence;
    for (const input of control.inputs) {
      input.setAttribute("aria-describedby", sentence ? `${error.id} ${hintId}` : hintId);
      if (input.type === "text") input.setAttribute("aria-invalid", String(Boolean(sentence)));
    }
  }
  const put = (change) => ask.change({ answer: null, certainty: null, ...ask.response(), ...change });
  const control = build(item, {
    uid: ask.uid, exam, fault, say: ask.say,
    put(answer) { if (answer !== null) fault(""); put({ answer }); },
  });
  const certainty = quiz.certainty ? certaintyChoice(ask.uid, (level) => { certaintyFault(""); put({ certainty: level }); }) : null;
  function certaintyFault(sentence) {
    certainty.error.textContent = sentence;
    certainty.error.hidden = !sentence;
    for (const input of certainty.inputs) {
      if (sentence) input.setAttribute("aria-describedby", certainty.error.id);
      else input.removeAttribute("aria-describedby");
    }
  }
  function check() {
    let { answer = null, certainty: level = null } = ask.response() ?? {};
    let sentence = answer === null ? "" : control.complete?.() ?? "";
    if (answer === null) ({ answer = null, sentence = "" } = control.missing());
    fault(sentence);
    if (sentence) return (control.first?.() ?? control.inputs[0]).focus();
    if (certainty && level === null) {
      certaintyFault(t("Say how certain you are first."));
      return certainty.inputs[0].focus();
    }
    ask.check({ answer, certainty: level });
    feedback.focus();
  }
  function tryAgain() {
    if (!exam) control.restart?.();
    ask.change(null);
    ask.say(t("Question cleared."));
    control.inputs[0].focus();
  }
  const heading = h("h4", { tabindex: "-1" }, t("Question {n} of {all} ", { n: index + 1, all: quiz.items.length }),
    h("span", { class: "vq-kind" }, kind));
  const status = h("div", { class: "vq-verdict", role: "status", "aria-live": "polite" });
  // Focus comes here after Check, so that a screen reader goes on with the reasons and a small screen scrolls to them.
  const feedback = h("div", { class: "vq-feedback", role: "group", "aria-label": t("Feedback"), tabindex: "-1" }, status);
  const hint = h("p", { class: "vt-note vq-hint", id: hintId }, control.hint);
  const checkButton = h("button", { class: "vt-primary vq-check", type: "submit" }, t("Check"));
  const again = h("button", { class: "vq-again", hidden: true, onclick: tryAgain }, exam ? t("Clear my answer") : t("Try again"));
  const sources = h("p", { class: "vt-note vq-sources", hidden: true });
  const card = h("form", {
    class: "vq-card", novalidate: true, autocomplete: "off",
    onsubmit(event) { event.preventDefault(); if (!exam && !checkButton.hidden) check(); },
  },
    heading,
    item.vignette ? h("div", { class: "vq-vignette" }, paragraphs(item.vignette)) : null,
    item.image && item.format !== "hotspot"
      ? h("div", { class: "vq-figure" }, h("img", { src: item.image.uri, alt: item.image.alt, lang: english, width: item.image.width, height: item.image.height, draggable: "false" }))
      : null,
    h("fieldset", { class: "vq-question" }, h("legend", { class: "vq-stem", lang: english }, item.stem), exam ? null : feedback, hint, control.nodes, error),
    certainty?.node ?? null,
    h("div", { class: "vq-actions" }, exam ? null : checkButton, again),
    sources);
  fault("");
  return {
    card,
    focus: () => heading.focus(),
    /** Bring the card to its stored response; `fraction` is null as long as it is not checked. */
    show(response, fraction) {
      const checked = fraction !== null;
      control.show(response?.answer ?? null, checked ? { fraction } : null);
      for (const [i, input] of (certainty?.inputs ?? []).entries()) input.checked = response?.certainty === CERTAINTY[i][0];
      if (exam) {
        again.hidden = !response;
        return;
      }
      hint.hidden = checkButton.hidden = checked;
      again.hidden = !checked;
      sources.hidden = !checked;
      if (certainty) certainty.node.hidden = checked;
      const words = checked ? verdict(fraction, quiz.certainty ? response.certainty : null) : null;
      const text = words ? [words.headline, words.marks, words.advice].join("|") : "";
      if (status.dataset.text === text) return;
      status.dataset.text = text;
      feedback.className = `vq-feedback vq-${words?.tone ?? "plain"}`;
      status.replaceChildren(...(words ? [
        h("p", { class: "vq-headline" }, h("strong", {}, icon(words.tone), " ", words.headline), words.marks ? h("span", { class: "vq-marks" },
          `${words.marks}, ${CERTAINTY[response.certainty - 1][1].toLowerCase()}`) : null),
        ...(words.advice ? [h("p", {}, words.advice)] : []),
      ] : []));
      sources.replaceChildren(...(checked ? citations(item) : []));
    },
  };
}

function citations(item) {
  const list = (name, ids) => (ids?.length ? [h("span", {}, `${name} `, ids.map((id) => [h("code", {}, id), " "]).flat())] : []);
  const reviews = item.clinical_review?.length ? item.clinical_review.join("; ") : t("none");
  return [...list(item.sources?.length > 1 ? t("Sources") : t("Source"), item.sources), ...list(t("Objective"), item.objectives),
    h("span", {}, t("Clinical review: {reviews}", { reviews }))];
}

// ---- Saving ---------------------------------------------------------------------------------------------------------

const PATIENCE = 3000; // ms until a missing acknowledgement is an alarm

/** What was not acknowledged, kept by the browser tab, so that running the cell again does not lose it. */
function stash(name) {
  const key = `vertebra-quiz ${name}`;
  const guarded = (f) => { try { return f(); } catch { return null; } };
  return {
    read: () => guarded(() => JSON.parse(sessionStorage.getItem(key))),
    write: (value) => guarded(() => sessionStorage.setItem(key, JSON.stringify(value))),
    clear: () => guarded(() => sessionStorage.removeItem(key)),
  };
}

// ---- The whole ------------------------------------------------------------------------------------------------------

let views = 0;

function render({ model, el }) {
  const uid = `vq${Math.random().toString(36).slice(2, 8)}${views++}`;
  const root = h("div", { class: "vt vq", role: "group", lang: english && language, "data-lm-suppress-shortcuts": "true" });
  // JupyterLab must not see keys (d d deletes the cell) nor the start of a drag; Escape still leaves the widget.
  for (const type of ["keydown", "keyup", "keypress"])
    root.addEventListener(type, (event) => { if (event.key !== "Escape") event.stopPropagation(); });
  for (const type of ["pointerdown", "mousedown", "touchstart", "dragstart", "contextmenu"])
    root.addEventListener(type, (event) => event.stopPropagation(), { passive: true });
  el.append(root);

  let quiz, cards, current, parts, kept;
  let timer, late, waitingSince; // the alarm: its clock, whether it rang, and the last acknowledgement when it was set

  const responses = () => ({ seq: 0, student: "", answers: {}, checked: [], ...model.get("responses") });
  const saving = () => quiz.saving !== false;
  const pending = () => saving() && responses().seq > (model.get("saved") ?? 0);
  const answered = (item) => (responses().answers[item.id]?.answer ?? null) !== null;
  const fraction = (item) => {
    const { answers, checked } = responses();
    return quiz.mode === "exam" || !checked.includes(item.id) ? null : fractionOf(item, answers[item.id]?.answer);
  };

  /** Every change goes this way: one new numbered state for Python to write and acknowledge. */
  function commit(change, touched) {
    const old = responses();
    const next = { ...old, ...change, seq: old.seq + 1 };
    if (saving() && touched) {
      const unsaved = kept.read() ?? { answers: {} };
      for (const id of touched) unsaved.answers[id] = { response: next.answers[id] ?? null, checked: next.checked.includes(id) };
      kept.write({ ...unsaved, student: next.student });
    }
    model.set("responses", next);
    try {
      Promise.resolve(model.save_changes()).catch(() => {});
    } catch {
      // No kernel takes it. The missing acknowledgement raises the alarm.
    }
    show();
  }

  function respond(item, response, checked) {
    const old = responses();
    const answers = { ...old.answers };
    if (response && (response.answer !== null || response.certainty !== null)) answers[item.id] = response;
    else delete answers[item.id];
    const others = old.checked.filter((id) => id !== item.id);
    commit({ answers, checked: checked ? [...others, item.id] : others }, [item.id]);
  }

  /** Put back what an earlier view in this tab could not save. */
  function restore() {
    const unsaved = kept.read();
    const old = responses();
    if (!saving() || pending() || !isRecord(unsaved?.answers) || (old.student && old.student !== unsaved.student)) return;
    const answers = { ...old.answers };
    const checked = new Set(old.checked);
    for (const [id, { response, checked: done }] of Object.entries(unsaved.answers)) {
      if (response) answers[id] = response;
      else delete answers[id];
      checked[done ? "add" : "delete"](id);
    }
    commit({ answers, checked: [...checked], student: unsaved.student || old.student }, Object.keys(unsaved.answers));
    parts.restored.hidden = false;
  }

  const say = (words) => {
    // Saying the same words twice in a row must be a change for the live region.
    parts.live.textContent = parts.live.textContent === words ? `${words}\u00a0` : words;
  };

  function go(index, focus) {
    current = Math.min(Math.max(index, 0), cards.length - 1);
    for (const [i, { card }] of cards.entries()) card.hidden = i !== current;
    parts.previous.disabled = current === 0;
    parts.next.disabled = current === cards.length - 1;
    show();
    if (focus) cards[current].focus();
  }

  function build() {
    clearTimeout(timer);
    timer = undefined;
    late = false;
    quiz = { id: "", title: t("Quiz"), mode: "practice", certainty: false, instructions: "", items: [], ...model.get("quiz") };
    const exam = quiz.mode === "exam";
    kept = stash([quiz.mode, quiz.id, quiz.build ?? ""].join(" "));
    root.setAttribute("aria-label", `${exam ? t("Quiz") : t("Practice quiz")}: ${quiz.title}`);
    cards = quiz.items.map((item, i) => question(item, i, quiz, {
      uid: `${uid}-${i}`,
      say,
      response: () => responses().answers[item.id] ?? null,
      change: (response) => respond(item, response, false),
      check: (response) => respond(item, response, true),
    }));
    parts = {
      live: h("p", { class: "vt-visually-hidden", "aria-live": "polite" }),
      save: h("p", { class: "vt-note vq-save" }),
      alert: h("div", { role: "alert" }),
      retry: h("button", { class: "vq-retry", hidden: true, onclick: () => { say(t("Trying to save again.")); commit({}); } }, t("Try saving again")),
      restored: h("p", { class: "vt-note", hidden: true }, t("Answers that could not be saved before have been put back.")),
      bar: h("div", { class: "vq-bar", "aria-hidden": "true" }, h("div")),
      previous: h("button", { onclick: () => go(current - 1, true) }, t("Previous")),
      next: h("button", { onclick: () => go(current + 1, true) }, t("Next")),
      numbers: quiz.items.map((_, i) => h("button", { class: "vq-go", onclick: () => go(i, true) })),
      result: h("div", { class: "vq-result" }),
      progress: h("p", { class: "vq-progress", role: "status" }),
      complete: h("p", {}),
    };
    if (exam) parts.result.append(h("h4", {}, t("Your progress")), parts.progress, parts.complete);
    root.replaceChildren(
      h("div", { class: "vq-head" },
        h("div", {}, h("p", { class: "vq-kicker" }, exam ? t("Graded quiz") : t("Practice quiz")), h("h3", { lang: english }, quiz.title)), parts.save),
      h("div", { class: "vq-instructions" }, paragraphs(t(quiz.instructions), t(quiz.instructions) === quiz.instructions ? english : null)),
      h("div", { class: "vq-alarm" }, parts.alert, parts.retry), parts.restored, parts.live,
      exam ? studentCode() : "",
      parts.bar,
      cards.length
        ? h("div", { class: "vq-body" },
            h("div", { class: "vq-main" }, cards.map(({ card }) => card), h("div", { class: "vq-turn" }, parts.previous, parts.next)),
            h("div", { class: "vq-side" },
              parts.result,
              h("h4", {}, t("Questions")),
              h("ol", { class: "vq-numbers" }, parts.numbers.map((button) => h("li", {}, button))),
              legend(exam)))
        : h("p", {}, t("This quiz has no questions.")),
      h("p", { class: "vt-note" }, t("Teaching, not medical advice."),
        quiz.items.every((item) => item.reviewed) ? "" : t(" Not yet reviewed by a clinician."), unreviewed && ` ${unreviewed}`));
    if (cards.length) {
      const open = quiz.items.findIndex((item) => (exam ? !answered(item) : fraction(item) === null));
      go(open < 0 ? 0 : open, false);
    }
    show();
    restore();
  }

  function studentCode() {
    const id = `${uid}-student`;
    const error = h("p", { class: "vq-error", id: `${id}-error`, hidden: true });
    const bad = () => input.value.trim() && !CODE.test(input.value.trim());
    function fault() {
      error.hidden = !bad();
      error.textContent = bad() ? t("This is not a student code: use 1 to 40 letters, digits, dots, hyphens or underscores, and no spaces. It is not stored.") : "";
      input.setAttribute("aria-invalid", String(Boolean(bad())));
      input.setAttribute("aria-describedby", bad() ? `${error.id} ${id}-hint` : `${id}-hint`);
    }
    const input = h("input", {
      type: "text", id, autocomplete: "off", autocapitalize: "none", spellcheck: "false", size: "22", pattern: "[A-Za-z0-9._\\-]{1,40}",
      oninput() {
        if (!bad()) fault();
        commit({ student: bad() ? "" : input.value.trim() }, []);
      },
      onchange: fault,
    });
    parts.student = input;
    fault();
    return h("div", { class: "vq-student" },
      h("label", { for: id }, t("Student code")), input,
      h("p", { class: "vt-note", id: `${id}-hint` }, t("The code your instructor gave you, not your name. Without it nobody can tell whose answers these are.")), error);
  }

  function legend(exam) {
    const entry = (sign, words) => h("li", {}, icon(sign), words);
    return h("ul", { class: "vq-legend vt-note" }, exam
      ? [entry("done", t("answered"))]
      : [entry("done", t("answered, not marked yet")), entry("right", t("right")), entry("part", t("partly right")), entry("wrong", t("not right"))]);
  }

  function showSaving() {
    const problem = model.get("problem") ?? "";
    const saved = model.get("saved");
    if (timer !== undefined && (!pending() || (saved !== waitingSince && !late))) {
      clearTimeout(timer);
      timer = undefined;
      late = false;
      if (!pending()) kept.clear();
    }
    if (timer === undefined && pending()) {
      waitingSince = saved;
      timer = setTimeout(() => { late = true; showSaving(); }, PATIENCE);
    }
    const unsaved = pending() && late;
    const words = !unsaved ? problem
      : problem ? t("Not saved. {problem}", { problem })
      : t("Not saved. The lesson’s engine does not answer. Press “Start this lesson”, or choose Run, then Run All Cells. Your answers stay on this page.");
    if (parts.alert.dataset.words !== words) {
      parts.alert.dataset.words = words;
      parts.alert.replaceChildren(...(words ? [h("div", { class: "vt-alert" }, icon("alarm"), h("span", {}, words))] : []));
    }
    parts.retry.hidden = !unsaved;
    root.classList.toggle("vq-alarmed", words !== "");
    const state = !saving() ? "page" : unsaved ? "failed" : pending() ? "busy" : responses().seq || Object.keys(responses().answers).length ? "saved" : "fresh";
    parts.save.dataset.state = state;
    parts.save.replaceChildren(...{
      page: [t("Answers stay on this page only")],
      failed: [icon("alarm"), t("Not saved")],
      busy: [t("Saving …")],
      saved: [icon("right"), t("Saved")],
      fresh: [t("Saved as you go")],
    }[state]);
  }

  function show() {
    const { answers, student } = responses();
    const marks = quiz.items.map(fraction);
    const input = parts.student;
    const typed = input?.value.trim();
    if (input && typed !== student && (student || CODE.test(typed))) input.value = student;
    for (const [i, item] of quiz.items.entries()) {
      cards[i].show(answers[item.id], marks[i]);
      const state = marks[i] === null ? (answered(item) ? "done" : "open") : marks[i] === 1 ? "right" : marks[i] > 0 ? "part" : "wrong";
      const words = { open: t("not answered"), done: quiz.mode === "exam" ? t("answered") : t("answered, not marked yet"), right: t("right"), part: t("partly right"), wrong: t("not right") };
      const button = parts.numbers[i];
      if (button.dataset.state !== state) {
        button.dataset.state = state;
        button.replaceChildren(h("span", {}, String(i + 1)), ...(state === "open" ? [] : [icon(state)]));
        button.setAttribute("aria-label", t("Question {n}, {state}", { n: i + 1, state: words[state] }));
      }
      if (i === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    parts.next.classList.toggle("vt-primary", marks[current] !== null && !parts.next.disabled);
    const n = quiz.items.filter(answered).length;
    const done = quiz.mode === "exam" ? n : marks.filter((one) => one !== null).length;
    parts.bar.firstChild.style.width = `${(100 * done) / Math.max(quiz.items.length, 1)}%`;
    showResult(marks, n);
    showSaving();
  }

  function showResult(marks, n) {
    const total = quiz.items.length;
    const fact = (name, value, note) => h("div", {}, h("dt", {}, name), h("dd", {}, value, note ? h("span", {}, ` ${note}`) : null));
    if (quiz.mode === "exam") {
      parts.progress.textContent = t("{n} of {total} answered", { n, total });
      parts.complete.textContent = n < total ? "" : !responses().student ? t("Every question is answered. Enter your student code at the top, then hand in.") : quiz.file ? t("Every question is answered. Hand in the file {file}.", { file: quiz.file }) : t("Every question is answered.");
      return;
    }
    const certainties = quiz.items.map((item) => responses().answers[item.id]?.certainty);
    const checked = marks.filter((one) => one !== null);
    const earned = marks.map((one, i) => (one === null || !quiz.certainty ? null : certaintyMark(one, certainties[i])));
    const sum = earned.reduce((a, b) => a + (b ?? 0), 0);
    const partly = checked.filter((one) => one > 0 && one < 1).length;
    const rash = earned.flatMap((mark, i) => (certainties[i] === 3 && mark !== null && mark < 0 ? [i] : []));
    // Built anew only when something is new: a button that has the focus must not vanish under it.
    const news = JSON.stringify([checked, sum, rash]);
    if (parts.result.dataset.news === news) return;
    parts.result.dataset.news = news;
    parts.result.replaceChildren(...[
      h("h4", {}, t("Your result so far")),
      h("dl", { class: "vq-facts" },
        fact(t("Answered"), String(checked.length), t("of {total}", { total })),
        fact(t("Right"), String(checked.filter((one) => one === 1).length), partly ? t("and {partly} partly", { partly }) : ""),
        quiz.certainty ? fact(t("Certainty marks"), signed(sum), checked.length ? t("of {value}", { value: 3 * checked.length }) : "") : null),
      rash.length ? h("h4", {}, t("Certain but wrong")) : null,
      rash.length ? h("ul", { class: "vq-rash" }, rash.map((i) => h("li", {}, h("button", { onclick: () => go(i, true) }, h("strong", {}, t("Question {n}", { n: i + 1 })), " ", h("span", { lang: english }, quiz.items[i].stem))))) : null,
    ].filter(Boolean));
  }

  const onQuiz = () => build();
  const onChange = () => show();
  const onProblem = () => {
    // A failed write says so itself; there is nothing to wait for.
    if (model.get("problem") && pending()) late = true;
    show();
  };
  const heard = { quiz: onQuiz, responses: onChange, saved: onChange, problem: onProblem };
  for (const [name, listener] of Object.entries(heard)) model.on(`change:${name}`, listener);
  build();

  return () => {
    clearTimeout(timer);
    for (const [name, listener] of Object.entries(heard)) model.off(`change:${name}`, listener);
    root.remove();
  };
}

export default { render };
