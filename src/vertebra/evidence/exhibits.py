"""The trials as tables in a notebook: who entered them, and counts recomputed beside what the papers print."""

import html
from dataclasses import dataclass

from vertebra.evidence.pooling import Estimate
from vertebra.evidence.references import cite
from vertebra.evidence.shape import refuse_unknown
from vertebra.evidence.tables import table
from vertebra.evidence.trials import Characteristic, EventTable, Study, baseline, event_tables


def _small(refs: tuple[str, ...]) -> str:
    return f"<small>{cite(refs)}</small>"


def _spelled(estimate: Estimate, digits: int) -> str:
    text = f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"
    return text.replace("-", "−")


@dataclass(frozen=True)
class Entrants:
    """Who entered the large sham-controlled trials, shown in a notebook as a table."""

    trials: tuple[Study, ...]
    lines: tuple[Characteristic, ...]

    def __repr__(self) -> str:
        """Return one line: the trials and how many of their characteristics are compared."""
        return f"Who entered {', '.join(study.name for study in self.trials)}: {len(self.lines)} characteristics"

    def _repr_html_(self) -> str:
        lines = [
            [
                f"{html.escape(each.what)}{f', {html.escape(each.unit)}' if each.unit else ''}",
                *(html.escape(value).replace("-", "−" if value.startswith("-") else "–") or "not recorded"
                  for value in each.values),
                f"{html.escape(each.note)} {_small(each.refs)}".strip(),
            ]
            for each in self.lines
        ]  # fmt: skip
        head = ["", *(f"{study.name} {study.year}" for study in self.trials), "Note and sources"]
        return table(head, lines, "Who entered; mean (SD) unless said")


@dataclass(frozen=True)
class Counts:
    """Tables of counts, recomputed, beside what is printed of them; shown in a notebook as one table."""

    tables: tuple[EventTable, ...]

    def __repr__(self) -> str:
        """Return one line: how many tables, and in how many the print needs an explanation."""
        odd = sum(bool(each.why) for each in self.tables)
        return f"{len(self.tables)} tables of counts, {odd} of which print what the counts do not give"

    def _repr_html_(self) -> str:
        lines = []
        for each in self.tables:
            found, arms = each.risks, each.arms
            counted = " · ".join(f"{html.escape(arm.name)} {arm.events}/{arm.of}" for arm in arms)
            star = "<br><small>denominators worked back from percentages</small>" if each.back_calculated else ""
            odd = f"<br><strong>Why:</strong> {html.escape(each.why)}" if each.why else ""
            lines.append(
                [
                    f"{html.escape(each.study)}<br><small>{html.escape(each.event)}, by {each.counted}</small>",
                    f"{counted}{star}",
                    _spelled(found.ratio, 2),
                    _spelled(found.difference, 1),
                    f"{found.p:.3f}" if found.p >= 0.001 else "under 0.001",
                    f"{html.escape(each.printed) or 'nothing to compare'}{odd} {_small(each.refs)}",
                ]
            )
        head = ["Trial", "Counts", "Risk ratio", "Difference, points", "p (chi-square)", "Printed"]
        return table(head, lines, "Counts, recomputed, beside what is printed")


def entrants() -> Entrants:
    """Return who entered the large sham-controlled trials."""
    return Entrants(*baseline())


def counts(*ids: str) -> Counts:
    """Return these tables of counts, or all; an unknown id raises ValueError."""
    known = event_tables()
    refuse_unknown("table of counts", ids, known)
    return Counts(tuple(known[each] for each in ids or known))
