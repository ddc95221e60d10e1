"""What an import did, in numbers and places, never in values."""

import re
from collections import Counter
from dataclasses import dataclass, field

from app.spaces.merged import SHOWN, Finding, Merged, Stored

ACCOUNTS = 500
"""How many kinds of elements a person is shown."""

Rejection = Finding
"""A row that was not taken: file, line, column and reason."""


@dataclass(slots=True)
class Account:
    """What became of one kind of element of one file. INVARIANT: met = stored + used + left out."""

    met: int = 0
    lends: bool = False  # its content goes into other records; the graph has none of its own
    reasons: Counter[str] = field(default_factory=Counter)  # why elements were left out, and how many

    @property
    def left_out(self) -> int:
        """How many were left out."""
        return self.reasons.total()

    @property
    def stored(self) -> int:
        """How many are records of the space now."""
        return 0 if self.lends else self.met - self.left_out

    @property
    def used(self) -> int:
        """How many went into other records."""
        return self.met - self.left_out if self.lends else 0


@dataclass(slots=True)
class Report:
    """What one import met and what became of it."""

    counts_in: dict[str, int] = field(default_factory=dict)  # by type: the rows met, rejected ones too
    stored: dict[str, Stored] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)  # the first thousand
    rejections: int = 0
    noted: list[Finding] = field(default_factory=list)  # taken, but for a reference or file that was left out
    notes: int = 0
    elements: dict[tuple[str, str], Account] = field(default_factory=dict)  # by file and kind of element
    ssns_met: int = 0
    ssns_stored: int = 0
    dry_run: bool = False

    def count(self, type_: str, rows: int = 1) -> None:
        """Count rows that were met."""
        self.counts_in[type_] = self.counts_in.get(type_, 0) + rows

    def reject(self, file: str, line: int, column: str | None, reason: str) -> None:
        """List a row that is not taken."""
        self.rejections += 1
        if len(self.rejected) < SHOWN:
            self.rejected.append(Rejection(file, line, column, reason))

    def note(self, file: str, line: int, column: str | None, reason: str) -> None:
        """List something that was left out without costing a row."""
        self.notes += 1
        if len(self.noted) < SHOWN:
            self.noted.append(Finding(file, line, column, reason))

    def meet(self, file: str, kind: str, *, lends: bool = False) -> None:
        """Count an element that was met."""
        account = self.elements.get((file, kind))
        if account is None:
            account = self.elements[file, kind] = Account(lends=lends)
        account.met += 1

    def leave_out(self, file: str, kind: str, reason: str, elements: int = 1) -> None:
        """Count elements, among those met, that are left out."""
        self.elements[file, kind].reasons[reason] += elements

    def add(self, merged: Merged) -> None:
        """Take in what the space made of the rows."""
        self.stored = merged.stored
        self.rejections += merged.rejections
        self.rejected = sorted([*self.rejected, *merged.rejected], key=_place)[:SHOWN]
        self.notes += merged.notes
        self.noted = sorted([*self.noted, *merged.noted], key=_place)[:SHOWN]
        self.ssns_stored = merged.ssns_stored
        for (file, kind, reason), elements in merged.left_out.items():
            self.leave_out(file, kind, reason, elements)

    @property
    def changed(self) -> bool:
        """Whether the space is other than it was."""
        return any(one.created or one.updated or one.deleted for one in self.stored.values())

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "read": self.counts_in,
            "stored": {
                type_: {
                    "created": one.created,
                    "updated": one.updated,
                    "unchanged": one.unchanged,
                    "deleted": one.deleted,
                }
                for type_, one in self.stored.items()
            },
            "rejections": self.rejections,
            "rejected": [_finding(one) for one in self.rejected],
            "notes": self.notes,
            "noted": [_finding(one) for one in self.noted],
            "elements": [
                {
                    "file": file,
                    "element": kind,
                    "met": one.met,
                    "stored": one.stored,
                    "used": one.used,
                    "leftOut": [{"elements": count, "reason": reason} for reason, count in one.reasons.items()],
                }
                for (file, kind), one in self.elements.items()
            ],
            "ssns": {"met": self.ssns_met, "stored": self.ssns_stored},
            "dryRun": self.dry_run,
        }

    def as_text(self) -> str:
        """The report as a person reads it."""
        lines = [f"{'':28}{'read':>9}{'created':>10}{'updated':>10}{'unchanged':>11}{'deleted':>10}"]
        for type_ in sorted(self.counts_in.keys() | self.stored.keys(), key=_order):
            one = self.stored.get(type_, Stored())
            if not (self.counts_in.get(type_) or one.created or one.updated or one.unchanged or one.deleted):
                continue
            numbers = f"{one.created:>10,}{one.updated:>10,}{one.unchanged:>11,}{one.deleted:>10,}"
            lines.append(f"{plural(type_):28}{self.counts_in.get(type_, 0):>9,}{numbers}")
        kept = f"{self.ssns_stored:,} stored" if self.ssns_stored else "none stored"
        lines.append(f"social security numbers: {self.ssns_met:,} met, {kept}")
        lines += _listing(self.rejected, self.rejections, "rows not taken, or not whole", "row not taken, or not whole")
        lines += _listing(self.noted, self.notes, "things left out", "thing left out")
        lines += _accounts(self.elements)
        if self.dry_run:
            lines.append("This was a dry run: the space is as it was.")
        elif not self.changed:
            lines.append("The space had all of this already: nothing was changed.")
        return "\n".join(lines)


def plural(type_: str) -> str:
    """A type's name as a person counts it: `section enrollments`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_).lower()
    return words if words in {"staff", "demographics"} else f"{words}s"


def _order(type_: str) -> tuple[int, str]:
    from app.spaces.tables import BY_TYPE

    names = list(BY_TYPE)
    return (names.index(type_) if type_ in names else len(names), type_)


def _place(one: Finding) -> tuple[str, int]:
    return (one.file, one.line)


def _finding(one: Finding) -> dict[str, object]:
    return {"file": one.file, "line": one.line, "column": one.column, "reason": one.reason}


def _listing(found: list[Finding], total: int, many: str, single: str) -> list[str]:
    if not total:
        return []
    lines = [f"{total:,} {single if total == 1 else many}:"]
    for one in found[:50]:
        place = f"{one.file}:{one.line}" if one.line else one.file
        lines.append(f"  {place}: {one.column}: {one.reason}" if one.column else f"  {place}: {one.reason}")
    if total > 50:
        lines.append(f"  … and {total - 50:,} more; `--format json` lists the first {SHOWN:,}.")
    return lines


def _accounts(elements: dict[tuple[str, str], Account]) -> list[str]:
    """File by file, what was met and what became of it."""
    if not elements:
        return []
    lines = [f"{'elements of the files':46}{'met':>9}{'stored':>9}{'used':>9}{'left out':>10}"]
    shown = None
    for number, ((file, kind), one) in enumerate(elements.items()):
        if number == ACCOUNTS:
            lines.append(f"  … and {len(elements) - ACCOUNTS:,} more kinds; `--format json` has all of them.")
            break
        if file != shown:
            lines.append(file)
            shown = file
        reasons = one.reasons.most_common()
        only = f"  {reasons[0][0]}" if len(reasons) == 1 else ""
        lines.append(f"  {kind:44}{one.met:>9,}{one.stored:>9,}{one.used:>9,}{one.left_out:>10,}{only}")
        lines += (f"{count:>82,}  {reason}" for reason, count in reasons if not only)
    return lines
