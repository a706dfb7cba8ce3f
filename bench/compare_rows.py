"""The rows of bench/compare, and what they say: see bench/rounds.sh for the format."""

import statistics
from typing import NamedTuple

TARGETS = ("direct", "relay", "haproxy", "pgbouncer", "pgbouncer-new", "pgpool", "pgweir", "pgweir-2",
           "cached", "echo", "one-shard", "four-shards", "fresh", "seasoned")


class Subject(NamedTuple):
    piece: str         # what is counted
    rate_unit: str
    rate_scale: float
    cpu_unit: str
    cpu_scale: float   # nanoseconds
    bases: tuple       # whose figures the others' are held against: the first that was measured


def _per_thousand(piece, plural, *bases):
    return Subject(piece, f"thousand {plural} a second", 1e3, f"CPU µs a {piece}", 1e3, bases)


SUBJECTS = {
    "protocols": _per_thousand("query", "queries", "pgbouncer", "relay"),
    "pipelines": _per_thousand("statement", "statements", "relay"),
    "logins": Subject("login", "logins a second", 1, "CPU µs a login", 1e3, ("pgbouncer", "relay")),
    "results": Subject("gigabyte", "gigabytes a second", 1, "CPU s a gigabyte", 1e9, ("relay",)),
    "idle": Subject("client", "", 1, "KB a client", 1e3, ("pgbouncer",)),
    "cache": _per_thousand("query", "queries", "pgbouncer", "pgweir"),
    "routing": _per_thousand("query", "queries", "pgweir"),
    "distinct": _per_thousand("query", "queries", "fresh"),
}


class Run:
    """One run of a load through a target."""

    def __init__(self, fields):
        values = dict(field.split("=") for field in fields.split())
        self.count = float(values["count"])
        self.rate = float(values.get("rate", 0))
        self.others = float(values["others"]) if "others" in values else None
        self.memory = float(values["memory"]) / self.count if "memory" in values else None
        cpu = float(values.get("cpu", 0))
        self.cpu = cpu / self.count if cpu else None  # nanoseconds a piece

    @property
    def seconds(self):
        """Of one piece where one client does one after the other."""
        return 1 / self.rate


class Load:
    """The runs of one load: {target: {round: Run}}, without disturbed rounds, or, where all are, with
    all of them, and with a mark."""

    def __init__(self):
        self.runs = {}
        self.rounds = 0
        self.disturbed = 0  # rounds
        self.mark = ""

    def leave_out_disturbed(self, most):
        worst = {}
        for runs in self.runs.values():
            for number, run in runs.items():
                if run.others is not None:
                    worst[number] = max(worst.get(number, 0), run.others)
        disturbed = {number for number, share in worst.items() if share > most}
        self.rounds = len(worst)
        self.disturbed = len(disturbed)
        if disturbed and self.disturbed == self.rounds:
            self.mark = " †"
            return
        self.runs = {
            target: {number: run for number, run in runs.items() if number not in disturbed}
            for target, runs in self.runs.items()
        }

    def values(self, target, value):
        """value(run) of each round that has one."""
        found = (value(run) for run in self.runs.get(target, {}).values())
        return [each for each in found if each]

    def ratios(self, target, base, value):
        """value(run) to the base's in the same round, since neighbours share the machine's mood."""
        runs, bases = self.runs.get(target, {}), self.runs.get(base, {})
        pairs = ((value(runs[number]), value(bases[number])) for number in runs if number in bases)
        return [own / other for own, other in pairs if own and other]

    def shares_of_others(self):
        found = (run.others for runs in self.runs.values() for run in runs.values())
        return [share for share in found if share is not None]


def read_rows(path, disturbed_percent):
    """{subject: {load: Load}}, in the order of the file."""
    subjects = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            subject, load, target, number, fields = line.rstrip("\n").split("\t")
            found = subjects.setdefault(subject, {}).setdefault(load, Load())
            found.runs.setdefault(target, {})[int(number)] = Run(fields)
    for loads in subjects.values():
        for load in loads.values():
            load.leave_out_disturbed(disturbed_percent / 100)
    return subjects


def targets_of(loads):
    """Those that any of the loads has, in the order of the tables."""
    found = {target for load in loads.values() for target in load.runs}
    return [target for target in TARGETS if target in found]


def spread(values, digits):
    """Median (smallest-largest)."""
    if not values:
        return "–"
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
