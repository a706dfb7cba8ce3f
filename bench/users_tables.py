"""What bench/breaking-point prints of its rows, lines of JSON as users_phase.py makes them.

users_tables.py line ROWS      the last phase, on one line
users_tables.py gave ROWS      exits 0 if the last phase broke one of the limits of 5,000 users
users_tables.py runs ROWS      the commands
users_tables.py table ROWS     every phase
users_tables.py verdict ROWS   each limit and whether it holds; exits 1 if one does not
"""

import json
import sys

P95_MS, P99_MS, ERROR_SHARE = 95, 150, 0.0002
BACKENDS, PSS_MIB = 100, 512
NAMES = {"pool_timeout": "pool", "refused": "refused", "failed": "failed", "unanswered": "unanswered"}


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def phases(rows):
    found = [row for row in rows if row["kind"] == "phase"]
    return sorted(found, key=lambda row: (row["scenario"], row["target"]))  # stable: as they were run


def error_share(row):
    return row["errors"] / row["due"] if row["due"] else 0.0


def share_text(share):
    if share == 0:
        return "0"
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.3f} %"


def errors_text(row):
    kinds = [f"{NAMES[kind]} {share_text(row[kind] / row['due'])}" for kind in NAMES if row[kind]]
    return ", ".join(kinds) if kinds else "0"


def ms(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def mib(row):
    return row["most_pss"] / 2**20 if row["most_pss"] else None


def limits_broken(row):
    """Of the limits for 5,000 users, as text."""
    broken = []
    for name, limit in (("p95", P95_MS), ("p99", P99_MS)):
        if row[name] is None or row[name] >= limit:
            broken.append(f"{name} {ms(row[name])} ms, limit {limit} ms")
    if error_share(row) >= ERROR_SHARE:
        broken.append(f"errors {share_text(error_share(row))}, limit {share_text(ERROR_SHARE)}")
    return broken


def line(rows):
    row = [row for row in rows if row["kind"] == "phase"][-1]
    print(f"{row['due']} requests, {row['done_per_s']:g} done/s, errors: {errors_text(row)}; "
          f"p50 {ms(row['p50'])}, p95 {ms(row['p95'])}, p99 {ms(row['p99'])}, "
          f"longest {ms(row['max'])} ms")


def gave(rows):
    return 0 if limits_broken([row for row in rows if row["kind"] == "phase"][-1]) else 1


def runs(rows):
    for row in rows:
        if row["kind"] == "setup":
            print(f"- `{row['command']}`, {row['date']}, load average {row['load']} before; "
                  f"a request works {row['work_ms']} ms")


HEAD = ("", "phase", "target", "requests", "done/s", "errors", "p50 ms", "p95 ms", "p99 ms", "max ms",
        "connections", "backends", "pgweir MiB", "pgweir cores", "busy cores")
TEXTS = 3  # so many columns are no numbers


def cells(row):
    proxied = row["target"] == "pgweir"
    return [str(row["scenario"]), row["phase"], row["target"], f"{row['due']:,}", f"{row['done_per_s']:,.0f}",
            errors_text(row), ms(row["p50"]), ms(row["p95"]), ms(row["p99"]), ms(row["max"]),
            f"{row['most_open']:,}", str(row["most_backends"]), f"{mib(row):.0f}" if proxied else "",
            f"{row['cores_pgweir']:.2f}" if proxied else "", f"{row['cores_machine']:.2f}"]


def table(rows):
    lines = [HEAD] + [cells(row) for row in phases(rows)]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(HEAD))]
    rule = ["-" * width if i < TEXTS else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    for line in [HEAD, rule] + lines[1:]:
        padded = [cell.ljust(width) if i < TEXTS else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(line, widths))]
        print("| " + " | ".join(padded) + " |")


def cause(row, setup):
    """What was at its end, by what was seen."""
    if row["cores_machine"] + row["cores_stolen"] >= 0.93 * setup["cores"]:
        return "the machine's cores: none was left"
    if row["most_fds"] >= 0.95 * setup["file_limit"] or "open files" in row["first_error"]:
        return "file descriptors"
    if row["most_waiting"] and row["most_backends_at_work"] >= setup["backends"]:
        return "backends: all were at work while clients waited for one"
    if mib(row) > PSS_MIB:
        return "memory"
    return "none of cores, file descriptors, backends and memory"


def evidence(row, setup):
    rest = row["cores_machine"] - sum(row[f"cores_{who}"] for who in ("drivers", "postgres", "pgweir"))
    return (f"{row['cores_machine']:.2f} of {setup['cores']} cores were busy (the load's drivers "
            f"{row['cores_drivers']:.2f}, PostgreSQL {row['cores_postgres']:.2f}, pgweir "
            f"{row['cores_pgweir']:.2f}, the kernel's own and other programs {rest:.2f}; beside them niced "
            f"ones {row['cores_niced']:.2f}); at most "
            f"{row['most_waiting']:,} of {row['most_clients']:,} clients waited for a backend, the longest "
            f"{ms(row['most_maxwait_ms'])} ms; {row['most_backends']} backends, "
            f"{row['most_backends_at_work']} at work at once; {row['most_fds']:,} of {setup['file_limit']:,} "
            f"file descriptors; {mib(row):.0f} MiB")


class Verdict:
    def __init__(self):
        self.broken = False

    def say(self, what, holds, found):
        self.broken = self.broken or not holds
        print(f"- {'holds' if holds else 'BROKEN'}: {what}: {found}")


def say_direct(rows):
    """Also over all phases of a scenario, as the report that started this counted."""
    rows = [row for row in rows if row["target"] == "direct"]
    broken = [row for row in rows if row["scenario"] == 1 and row["errors"]]
    if broken:
        print(f"- direct: errors from {broken[0]['phase']} on ({share_text(error_share(broken[0]))} there, "
              f"{share_text(error_share(broken[-1]))} at {broken[-1]['phase']}); never more than "
              f"{max(row['done_per_s'] for row in rows):.0f} requests a second are done")
    for scenario in sorted({row["scenario"] for row in rows}):
        mine = [row for row in rows if row["scenario"] == scenario and row["offered"] >= 60]
        errors, due = sum(row["errors"] for row in mine), sum(row["due"] for row in mine)
        if due:
            print(f"- direct: scenario {scenario}, from 60 a second on: {share_text(errors / due)} of "
                  f"{due:,} requests failed")


def say_writes(verdict, rows):
    for target in ("direct", "pgweir"):
        mine = [row for row in rows if row["kind"] == "writes" and row["target"] == target]
        confirmed, missing, twice = (sum(row[key] for row in mine) for key in ("confirmed", "missing", "twice"))
        if confirmed:
            verdict.say(f"confirmed writes, {target}", not missing and not twice,
                        f"{confirmed:,}, of which {missing} are missing; {twice} were done twice")


def say_limit(rows, setup):
    steps = [row for row in rows if row["scenario"] == 5]
    for row in steps:
        broken = limits_broken(row)
        if broken:
            print(f"- beyond: at {row['phase']} {'; '.join(broken)}. Because of "
                  f"{cause(row, setup)}: {evidence(row, setup)}")
            return
    if steps:
        print(f"- beyond: nothing gave up to {steps[-1]['phase']}")


def verdict(rows):
    setup = next(row for row in rows if row["kind"] == "setup")
    found, result = phases(rows), Verdict()
    through = [row for row in found if row["target"] == "pgweir" and row["scenario"] <= 4]
    say_direct(found)
    for scenario in sorted({row["scenario"] for row in through}):
        mine = [row for row in through if row["scenario"] == scenario]
        result.say(f"scenario {scenario} through pgweir, errors", not any(row["errors"] for row in mine),
                   f"{sum(row['errors'] for row in mine)} of {sum(row['due'] for row in mine):,} requests")
    for row in through:
        if row["scenario"] == 4:
            broken = limits_broken(row)
            result.say(f"{row['phase']}: p95 < {P95_MS} ms, p99 < {P99_MS} ms, errors < 0.02 %", not broken,
                       f"p95 {ms(row['p95'])} ms, p99 {ms(row['p99'])} ms")
            if broken:
                print(f"  - because of {cause(row, setup)}: {evidence(row, setup)}")
    if through:
        backends, memory = max(row["most_backends"] for row in through), max(mib(row) for row in through)
        result.say(f"backends < {BACKENDS}", backends < BACKENDS, f"at most {backends}")
        result.say(f"pgweir's memory < {PSS_MIB} MiB", memory < PSS_MIB, f"at most {memory:.0f} MiB")
    say_writes(result, rows)
    say_limit(found, setup)
    return 1 if result.broken else 0


if __name__ == "__main__":
    commands = {"line": line, "gave": gave, "runs": runs, "table": table, "verdict": verdict}
    sys.exit(commands[sys.argv[1]](read_rows(sys.argv[2])))
