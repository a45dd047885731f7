// Interface strings in the reader's language. Python puts this before every widget's own module, and before it, when a
// language other than English is chosen, WORDS: {language, plural, words} of that module's strings. A page that knows its
// reader's language sets the same as globalThis.vertebraWords before it loads a widget. A message is one string in double
// quotes, for tools/extract_words.py to find; a name in braces is a value.

export const { t, tn, tc, language, english, unreviewed, speak } = (() => {
  const own = typeof WORDS === "undefined" ? null : WORDS;
  const chosen = globalThis.vertebraWords ?? own;
  const filled = (text, values) =>
    text.replace(/\{(\w+)\}/g, (name, key) => (Object.hasOwn(values, key) ? String(values[key]) : name));
  const found = (key) => (chosen && Object.hasOwn(chosen.words, key) ? chosen.words[key] : null);

  // "{n} of {all} right" with the values of n and all.
  const t = (text, values = {}) => filled(found(text) ?? text, values);
  // One English word that means several things: the context says which.
  const tc = (context, text, values = {}) => filled(found(`${context}\u0004${text}`) ?? text, values);
  // The form for n things; {n} is n if nothing else is given. The table of forms comes from the catalogue.
  const tn = (one, many, n, values = {}) => {
    const forms = found(one);
    const count = Math.abs(n);
    const form = forms ? forms[chosen.plural[count < 100 ? count : 100 + (count % 100)]] ?? forms.at(-1) : count === 1 ? one : many;
    return filled(form, { n, ...values });
  };

  const language = chosen?.language ?? "en";
  // The language of what the course teaches, to mark it in a widget whose controls speak another one.
  const english = language === "en" ? null : "en";
  const unreviewed = english && t("This translation has not been reviewed: the English wording counts.");

  // Marks a widget with the language of its controls, and what in it is taught (data-taught) as the English that it is.
  const speak = (root) => {
    if (!english) return;
    root.lang = language;
    root.append(Object.assign(document.createElement("p"), { className: "vt-note", textContent: unreviewed }));
    const mark = () => root.querySelectorAll("[data-taught]:not([lang])").forEach((node) => node.setAttribute("lang", english));
    mark();
    new MutationObserver(mark).observe(root, { childList: true, subtree: true });
  };

  return { t, tn, tc, language, english, unreviewed, speak };
})();
