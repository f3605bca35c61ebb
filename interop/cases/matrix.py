"""The matrix: case × peer × direction."""

from .run import CASES, FROM, TO

PASSED, FAILED, LEFT_OUT = "passed", "FAILED", "left out"
MARKS = {PASSED: "✓", FAILED: "**✗**", LEFT_OUT: "n/a"}


class Cell:
    """What came of one case with one peer in one direction."""

    def __init__(self, case, theirs, direction, result, text, seconds):
        self.case = case
        self.theirs = theirs
        self.direction = direction
        self.result = result
        self.text = text
        self.seconds = seconds

    def line(self):
        """One line for the log."""
        return "{:9} {:26} {:10} {:11} {:6.1f} s  {}".format(
            self.result, self.case, self.theirs, self.direction, self.seconds, self.text)


def printed(cells, names):
    """The matrix for a terminal."""
    columns = _columns(cells, names)
    width = max(map(len, (case.name for case in CASES))) + 2
    lines = ["".ljust(width) + "  ".join(
        "{} {}".format(theirs, "←" if direction == TO else "→") for theirs, direction in columns)]
    found = {(cell.case, cell.theirs, cell.direction): cell for cell in cells}
    for case in _cases(cells):
        marks = []
        for theirs, direction in columns:
            cell = found.get((case.name, theirs, direction))
            mark = {PASSED: "ok", FAILED: "FAILED", LEFT_OUT: "n/a"}[cell.result] if cell else "-"
            marks.append(mark.ljust(len(theirs) + 2))
        lines.append(case.name.ljust(width) + "  ".join(marks))
    lines.append("← our client, → our server")
    return "\n".join(lines)


def markdown(cells, names, facts, versions, seconds, at_once):
    """The matrix and the counts as a page."""
    columns = _columns(cells, names)
    found = {(cell.case, cell.theirs, cell.direction): cell for cell in cells}
    failed = sum(cell.result == FAILED for cell in cells)
    passed = sum(cell.result == PASSED for cell in cells)
    lines = [
        "# Results of the interop cases", "",
        "Written by `interop/run`; what the cases are is in [README.md](README.md). ✓ passed, "
        "**✗** failed, n/a cannot be had where this ran, – does not apply.", "",
        "{} cells passed, {} failed, in {:.0f} s, {} at once; {}.".format(
            passed, failed, seconds, at_once, facts), ""]
    lines += ["- {}: {}".format(name, what) for name, what in versions.items()]
    lines += ["", "## Matrix", "",
              "| case | " + " | ".join(
                  "{} ↔ {}".format(direction, theirs) for theirs, direction in columns) + " |",
              "|---|" + ":-:|" * len(columns)]
    for case in _cases(cells):
        marks = []
        for theirs, direction in columns:
            cell = found.get((case.name, theirs, direction))
            marks.append(MARKS[cell.result] if cell else "–")
        lines.append("| {} | {} |".format(case.name, " | ".join(marks)))
    lines += ["", "## What happened to each call", "",
              "| case | peer | direction | counts | time |", "|---|---|---|---|---:|"]
    for cell in cells:
        if cell.text or cell.result != PASSED:
            lines.append("| {} | {} | {} | {} | {:.1f} s |".format(
                cell.case, cell.theirs, cell.direction,
                cell.text.splitlines()[0] if cell.text else cell.result, cell.seconds))
    lines += ["", "## What must happen", ""]
    lines += ["- **{}.** {}".format(case.name, case.text) for case in _cases(cells)]
    return "\n".join(lines) + "\n"


def _columns(cells, names):
    seen = {(cell.theirs, cell.direction) for cell in cells}
    return [(theirs, direction) for theirs in names for direction in (TO, FROM)
            if (theirs, direction) in seen]


def _cases(cells):
    seen = {cell.case for cell in cells}
    return [case for case in CASES if case.name in seen]
