"""Somebody without a mouse: Tab, arrow keys, Enter, and on the way a look at where the focus is."""

from collections.abc import Mapping, Sequence
from typing import Any

# The role and the name of an element, near enough to what a screen reader has of it.
SAID = r"""
const ROLES = { A: "link", BUTTON: "button", SELECT: "combobox", SUMMARY: "summary", TEXTAREA: "textbox" };
const INPUTS = { checkbox: "checkbox", radio: "radio", range: "slider", number: "spinbutton" };
const roleOf = (e) => e.getAttribute("role") ?? ROLES[e.tagName] ?? INPUTS[e.type] ?? "textbox";
const nameOf = (e) => (e.getAttribute("aria-label") ?? ([...(e.labels ?? [])].map((each) => each.textContent).join(" ")
  || e.textContent)).replace(/\s+/g, " ").trim();
"""
# What has the focus: whether a frame is drawn round it, and at how many of nine places within the window nothing else
# covers it. A heading to which a script sends the focus needs no frame: there is nothing to do with it but to read on.
LOOK = r"""
const look = () => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const [left, top] = [Math.max(box.left, 0), Math.max(box.top, 0)];
  const [width, height] = [Math.min(box.right, innerWidth) - left, Math.min(box.bottom, innerHeight) - top];
  const places = [0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].map((y) => [x, y]));
  const free = places.filter(([x, y]) => {
    const over = document.elementFromPoint(left + x * width, top + y * height);
    return over && (e.contains(over) || over.contains(e) || over.closest("label")?.control === e);
  });
  return { role: roleOf(e), name: nameOf(e), html: e.outerHTML.slice(0, 90), free: free.length,
    framed: e.tabIndex < 0 || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
};
"""
FOCUSED = f"() => {{ {SAID}{LOOK} return look(); }}"
# The whole name of the control whose name is, or begins, so, and the key that leads to it: none when the focus is there
# already, or on its group of radio buttons, at which Tab stops only once.
TOWARDS = f"""
([role, name]) => {{
  {SAID}{LOOK}
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((e) => roleOf(e) === role && nameOf(e).startsWith(name) && e.checkVisibility() && !e.disabled);
  const there = all.find((e) => nameOf(e) === name) ?? all[0], here = document.activeElement;
  if (!there) return [look(), null, null];
  const grouped = role === "radio" && here.type === "radio" && here.name === there.name;
  const after = here === document.body || here.compareDocumentPosition(there) & Node.DOCUMENT_POSITION_FOLLOWING;
  return [look(), nameOf(there), here === there || grouped ? "" : after ? "Tab" : "Shift+Tab"];
}}
"""
FAR = 200  # times Tab, further than anything on a page is


def _seen(at: Mapping[str, Any] | None) -> str:
    assert at is None or at["framed"], f"the focus cannot be seen: {at['html']}"
    assert at is None or at["free"], f"the focus is out of sight: {at['html']}"
    return str(at["name"]) if at else ""


class Hands:
    """Hands on a keyboard. What gets the focus on the way must be framed and in sight, or it is an AssertionError."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def press(self, key: str, times: int = 1) -> None:
        """Press a key, some times."""
        for _ in range(times):
            self.page.keyboard.press(key)

    def look(self) -> str:
        """Return the name of what has the focus; empty when it is the page as a whole."""
        return _seen(self.page.evaluate(FOCUSED))

    def go(self, role: str, name: str) -> str:
        """Press Tab or Shift+Tab to the control whose name is, or begins, so, or to its group; return its name."""
        for _ in range(FAR):
            at, whole, key = self.page.evaluate(TOWARDS, [role, name])
            _seen(at)
            assert whole, f"there is no {role} {name!r} to go to"
            if not key:
                return str(whole)
            self.press(key)
        raise AssertionError(f"Tab does not come to the {role} {name!r}")

    def push(self, name: str, times: int = 1, role: str = "button") -> None:
        """Go to a button and press it."""
        self.go(role, name)
        self.press("Enter", times)

    def tick(self, name: str) -> None:
        """Go to a checkbox and change it."""
        self.go("checkbox", name)
        self.press("Space")

    def choose(self, name: str) -> None:
        """Go to a group of radio buttons and choose one by the arrow keys."""
        wanted = self.go("radio", name)
        for _ in range(FAR):
            if self.look() == wanted:
                return self.press("Space")
            self.press("ArrowDown")
        raise AssertionError(f"the arrow keys do not come to {name!r}")

    def slide(self, name: str, steps: int) -> None:
        """Go to a slider and move it by so many steps, to the left if there are less than none."""
        self.go("slider", name)
        self.press("ArrowRight" if steps > 0 else "ArrowLeft", abs(steps))

    def type(self, role: str, name: str, text: str) -> None:
        """Go to a field and write into it."""
        self.go(role, name)
        self.page.keyboard.type(text)


def right(item: Mapping[str, Any]) -> Any:
    """Return the right answer to a question of a practice quiz, as a responses file writes it."""
    key = item["key"]
    if item["format"] in ("needle_path", "stop_decision"):
        return key["example"]
    if item["format"] == "key_feature":
        return {name: decision["key"] for name, decision in key["decisions"].items()}
    if item["format"] == "hotspot":
        return {"region": key["key"]}
    return key["value"] if item["format"] == "numeric" else key["key"]


def named(parts: Sequence[Mapping[str, str]], name: str) -> str:
    """Return the text of the option, step, region or prompt of that id."""
    return next(part["text"] for part in parts if part["id"] == name)


def answer(hands: Hands, item: Mapping[str, Any], wanted: Any) -> None:
    """Answer the question in sight, of any format, by keyboard."""
    match item["format"]:
        case "single_best_answer":
            hands.choose(named(item["options"], wanted))
        case "multiple_response":
            for option in item["options"]:
                if option["id"] in wanted:
                    hands.tick(option["text"])
        case "numeric":
            hands.type("textbox", "Your answer", f"{wanted:g}")
        case "ordering":
            order = [step["id"] for step in item["steps"]]
            for place, step in enumerate(wanted):
                hands.push(f"Move up: {named(item['steps'], step)}", order.index(step) - place)
                order.insert(place, order.pop(order.index(step)))
            if order == [step["id"] for step in item["steps"]]:
                hands.push("Keep this order as my answer")
        case "matching":
            places = [option["id"] for option in item["options"]]
            for prompt, option in wanted.items():
                hands.go("combobox", named(item["prompts"], prompt))
                hands.press("ArrowDown", places.index(option) + 1)
        case "hotspot":
            hands.choose(named(item["regions"], wanted["region"]))
        case "key_feature":
            for decision in item["decisions"]:
                for option in wanted[decision["id"]]:
                    (hands.choose if decision["choose"] == 1 else hands.tick)(named(decision["options"], option))
        case "needle_path":
            for control in item["task"]["controls"]:
                values = control["values"]
                hands.slide(control["label"], values.index(wanted[control["id"]]) - values.index(control["start"]))
        case "stop_decision":
            hands.push("Inject", wanted["frame"])
            hands.push("Stop here")
