"""compare_page.py WORK DISTURBED [PAGE]: the tables of bench/compare, printed, and as a page.

WORK holds the rows, and as lines of two fields, separated by a tab, the facts of the run and what was
left out. DISTURBED is the share of the machine's CPU, in per cent, from which on other programs have
spoilt a round.
"""

import pathlib
import statistics
import sys

from compare_charts import CHARTS
from compare_limits import rows_of_limits
from compare_rows import SUBJECTS, read_rows, spread, targets_of
from tables import table


RATE_DIGITS = {"logins": 0, "results": 2}


def pairs_of(path):
    if not path.exists():
        return []
    return [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines()]


def by_load(loads, value, scale, digits):
    """A line a load, a column a target; targets and loads without a figure are left out."""
    rows, used = {}, set()
    for name, load in loads.items():
        cells = {t: load.values(t, value) for t in targets_of(loads)}
        if any(cells.values()):
            rows[name] = cells
            used.update(t for t, values in cells.items() if values)
    columns = [t for t in targets_of(loads) if t in used]
    lines = [[name + loads[name].mark] + [spread([v / scale for v in cells[t]], digits) for t in columns]
             for name, cells in rows.items()]
    return columns, lines


def to_base(loads, bases, value):
    """The same as ratios to the first of the bases that a load has."""
    columns = [t for t in targets_of(loads) if t != "direct"]
    lines = []
    for name, load in loads.items():
        base = next((each for each in bases if load.values(each, value)), None)
        cells = [spread(load.ratios(t, base, value), 2) if t != base else "1" for t in columns]
        if base and len(columns) > 1:
            lines.append([f"{name}{load.mark}, to {base}'s", *cells])
    return columns, lines


def added_latency(loads):
    single = {name: load for name, load in loads.items() if name.endswith(", 1 client")}
    return by_load(single, lambda run: run.seconds, 1e-6, 0)


def tables_of(name, loads):
    subject = SUBJECTS[name]
    if name == "idle":
        parts = [(subject.cpu_unit, by_load(loads, lambda r: r.memory, subject.cpu_scale, 2)),
                 ("The same as a ratio", to_base(loads, subject.bases, lambda r: r.memory))]
    else:
        parts = [
            (subject.cpu_unit, by_load(loads, lambda r: r.cpu, subject.cpu_scale,
                                       3 if name == "results" else 1)),
            ("The same as a ratio", to_base(loads, subject.bases, lambda r: r.cpu)),
            (subject.rate_unit[0].upper() + subject.rate_unit[1:],
             by_load(loads, lambda r: r.rate, subject.rate_scale, RATE_DIGITS.get(name, 1))),
            ("Latency, µs", added_latency(loads) if name == "protocols" else ([], [])),
            ("Memory, MB", by_load(loads, lambda r: r.memory, 1e6, 1)),
        ]
    for title, (columns, lines) in parts:
        if lines:
            yield f"**{title}**\n\n" + table(["", *columns], lines)


def disturbance(subjects, disturbed):
    """Memory does not mind other programs, so that idle clients are no part of it."""
    loads = [load for each in subjects.values() for load in each.values() if load.shares_of_others()]
    if not loads:
        return

    def share(chosen):
        shares = [share for load in chosen for share in load.shares_of_others()]
        return f"{100 * statistics.median(shares):.0f} % ({100 * max(shares):.0f} % at most)"

    marked = [load for load in loads if load.mark]
    calm = [load for load in loads if not load.mark]
    out = sum(load.disturbed for load in calm)
    yield (f"- a round of a load is left out when other programs took more than {disturbed:g} % of the "
           f"machine's CPU in one of its runs: {out} of {sum(load.rounds for load in calm)} were"
           + (f"; in the others they took {share(calm)}" if calm else ""))
    if marked:
        yield (f"- **†: there was no undisturbed round.** So it is with {len(marked)} of {len(loads)} loads, "
               f"whose figures are of all rounds: other programs took {share(marked)}. Other figures would "
               "come of a quiet machine.")


def page_of(work, disturbed, with_charts):
    subjects = read_rows(work / "rows", disturbed)
    yield "# pgweir beside its peers\n"
    yield "Written by `bench/compare`; [bench/README.md](../README.md) says how it measures.\n"
    yield "\n".join(f"- {name}: {text}" for name, text in pairs_of(work / "facts"))
    for name, text in dict(pairs_of(work / "left_out")).items():
        yield f"- left out: {name}: {text}"
    yield "\n".join(disturbance(subjects, disturbed)) + "\n"
    yield ("Figures are median (smallest–largest) of the rounds; ratios are taken within a round. CPU "
           "is the kernel's accounting of the proxy's processes, memory their proportional set size. "
           "`pgweir-2` has two workers, every other proxy one thread, pgpool-II a process a client.\n")
    limits = rows_of_limits(subjects)
    if limits:
        missed = sum(row[-1].startswith("**missed") for row in limits)
        met = sum(row[-1].startswith("met") for row in limits)
        yield f"## Limits\n\npgweir with one worker, where nothing else is said: {met} met, {missed} missed.\n"
        yield table(["", "load", "to whose", "limit", "measured", ""], limits) + "\n"
    about = dict(line.split(": ", 1) for line in (work / "subjects").read_text().splitlines())
    for name, loads in subjects.items():
        yield f"## {name.capitalize()}\n\n{about[name][0].upper() + about[name][1:]}.\n"
        for chart in CHARTS if with_charts else ():
            if chart.subject == name:
                yield f"![{chart.title}]({chart.file})\n"
        for text in tables_of(name, loads):
            yield text + "\n"


def main():
    work, disturbed = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    page = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    print("\n".join(page_of(work, disturbed, False)))
    if page:
        charts = (page.parent / CHARTS[0].file).exists()
        page.write_text("\n".join(page_of(work, disturbed, charts)).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
