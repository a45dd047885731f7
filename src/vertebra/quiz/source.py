"""YAML that knows its lines: an author's file as plain data, and every fault in it with file, line, place and mend.

Question banks, cases and the list of objectives are read so where somebody may have changed them.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from vertebra.quiz import schema, scoring
from vertebra.quiz.items import BankError, Fault

# The rule of the linter that a question breaks where one of these fields does not fit the schema.
RULE_OF: Mapping[str | int, str] = {
    "objectives": "L02",
    "bloom": "L02",
    "tier": "L02",
    "claims": "L02",
    "rationale": "L20",
    "misconception": "L20",
    "sources": "L21",
    "computed": "L25",
    "image": "L26",
}
DEEPEST = 50  # lists and mappings inside each other; a bank needs 7, and libyaml ends the whole process at thousands
_TEXT = "tag:yaml.org,2002:str"
_QUOTES = "put text that holds ': ' or ' #', or that starts with a sign, in quotes, and check the indentation"


class Source:
    """The text of a file as plain data, which still knows the line of each of its parts, and the faults found in it."""

    def __init__(self, text: str, name: str, kind: schema.Kind) -> None:
        self.name = name
        self.kind = kind
        self.data: Any = None
        self.faults: list[Fault] = []
        self._faulty: set[schema.Path] = set()
        self._unread: set[schema.Path] = set()
        self._early: list[tuple[int, schema.Path, str]] = []  # found before the data can name the question
        self._built: dict[int, Any] = {}
        try:
            # libyaml is ten times faster and is not in every build of PyYAML.
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            depth = 0
            for event in yaml.parse(text, loader) if loader is not yaml.SafeLoader else ():
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > DEEPEST:
                    raise RecursionError  # as the slow loader does
            self._loader = loader(text)
            self._root: Any = self._loader.get_single_node()
            if self._root is None:
                what = f"the file is empty; write a {self.kind.whole}, or remove the file"
                raise BankError([Fault(name, 1, self.kind.whole, what)])
            self.data = self._build(self._root, ())
        except yaml.YAMLError as error:
            raise BankError([_syntax_fault(error, text, name, self.kind.whole)]) from None
        except RecursionError:
            what = "an alias leads back to itself, or the nesting is too deep; write the text out"
            raise BankError([Fault(name, 1, self.kind.whole, what)]) from None
        for line, path, what in self._early:
            self._record(line, path, what)

    def _build(self, node: Any, path: schema.Path) -> Any:
        """Turn a node into data as SafeLoader would, but note what it would let pass or stop at."""
        if id(node) not in self._built:  # an alias leads to a node that is built already
            if isinstance(node, yaml.MappingNode):
                value: Any = self._build_mapping(node, path)
            elif isinstance(node, yaml.SequenceNode):
                value = [self._build(child, (*path, i)) for i, child in enumerate(node.value)]
            else:
                value = self._build_scalar(node, path)
            self._built[id(node)] = value
        return self._built[id(node)]

    def _build_mapping(self, node: Any, path: schema.Path) -> dict[str, Any]:
        first: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in first:
                what = f"the field {key.value} is written twice, first in line {first[key.value]}; remove one of them"
                self._early.append((line, path, what))
            elif isinstance(key, yaml.ScalarNode):
                first[key.value] = line
        self._loader.flatten_mapping(node)
        built = {}
        for key, value in node.value:
            field = self._build(key, path)
            if isinstance(field, str):
                built[field] = self._build(value, (*path, field))
            else:
                what = f"a field's name is read as {schema.kind(field)}, must be text; put it in quotes"
                self._early.append((key.start_mark.line + 1, path, what))
        return built

    def _build_scalar(self, node: Any, path: schema.Path) -> Any:
        if node.tag == _TEXT:  # nearly all of a bank; the loader would return the same
            return node.value.strip()
        line = node.start_mark.line + 1
        try:
            value = self._loader.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._early.append((line, path, f"{path[-1]}: {node.value!r} cannot be read; put it in quotes"))
            self._unread.add(path)
            return None
        if isinstance(value, int | float) and not scoring.is_finite(value):
            self._early.append((line, path, f"{node.value[:40]} is not a finite number; give a number"))
        return value.strip() if isinstance(value, str) else value

    def line(self, path: schema.Path) -> int:
        """Return the line (from 1) of a part; of a list or mapping with a name, the line of its name."""
        node, line = self._root, self._root.start_mark.line
        for step in path:
            if isinstance(node, yaml.SequenceNode):
                node = node.value[step]
                line = node.start_mark.line
            else:
                # The last of equal names counts: a field of the mapping itself comes after those merged into it.
                pairs = [(k, v) for k, v in node.value if isinstance(k, yaml.ScalarNode) and k.value == step]
                if not pairs:
                    break
                key, node = pairs[-1]
                line = (node if isinstance(node, yaml.ScalarNode) else key).start_mark.line
        return int(line) + 1

    def add(self, path: schema.Path, what: str, rule: str = "L01") -> None:
        """Record a fault at a part of the data."""
        self._record(self.line(path), path, what, rule)

    def _record(self, line: int, path: schema.Path, what: str, rule: str = "L01") -> None:
        self._faulty.add(path[:2])
        self.faults.append(Fault(self.name, line, self._place(path), what, rule))

    def is_faulty(self, path: schema.Path) -> bool:
        """Say whether a fault was found in the bank's part `path`, such as ("items", 0)."""
        return path in self._faulty

    def _place(self, path: schema.Path) -> str:
        if path[:1] != (self.kind.group,) or len(path) < 2:
            return self.kind.whole
        part, kind = self.data[self.kind.group][path[1]], self.kind.group.removesuffix("s")
        known = isinstance(part, dict) and isinstance(part.get("id"), str) and part["id"]
        return f"{kind} {known}" if known else f"{kind} number {int(path[1]) + 1}"

    def check_structure(self) -> None:
        """Record where the data do not fit the schema."""
        for path, what in schema.faults(self.data, self.kind.rules):
            if path not in self._unread:
                self.add(path, what, next((RULE_OF[step] for step in path if step in RULE_OF), "L01"))


def _syntax_fault(error: yaml.YAMLError, text: str, name: str, whole: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "the text is not YAML"
    if "end of stream" in problem:  # an open quote or bracket: the reader needs the place where it was opened
        mark = getattr(error, "context_mark", None) or mark
    line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", None) or 0) + 1
    return Fault(name, line, whole, f"is not YAML: {problem}; {_QUOTES}")
