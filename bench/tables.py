"""Turns bench/readiness's rows into the tables that it prints, and draws tables for others.

tables.py readiness ROWS CALLS TARGETS   CPU and system calls a query, CPU also as a ratio to the
                                         first target's

TARGETS is the order of the tables' lines, separated by blanks.
Ratios are taken round by round, since neighbours in time share the machine's mood, and given, like
everything else, as median (smallest-largest).
"""

import statistics
import sys


def read_rows(path):
    """{load: {target: [run, ...]}}, a target's runs in the order of the rounds."""
    loads = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            load, target, count, rate, nanoseconds, user, system = line.rstrip("\n").split("\t")
            ticks = int(user) + int(system)
            loads.setdefault(load, {}).setdefault(target, []).append(
                {
                    "rate": float(rate),
                    "cpu": int(nanoseconds) / int(count) / 1000,
                    "user_share": int(user) / ticks if ticks else 0.0,
                }
            )
    return loads


def spread(values, digits):
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def ratios(runs, base_runs, key):
    return [run[key] / base[key] for run, base in zip(runs, base_runs) if base[key]]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def print_table(head, rows):
    print(table(head, rows))


def readiness(rows_path, calls_path, order):
    calls = {}
    with open(calls_path, encoding="utf-8") as file:
        for line in file:
            load, target, count, total = line.rstrip("\n").split("\t")
            calls[load, target] = f"{int(total) / int(count):.2f}"
    for load, targets in read_rows(rows_path).items():
        base = order.split()[0]
        rows = []
        for target in order.split():
            runs = targets[target]
            user = statistics.mean(run["cpu"] * run["user_share"] for run in runs)
            rows.append(
                [
                    target,
                    spread([run["cpu"] for run in runs], 1),
                    spread(ratios(runs, targets[base], "cpu"), 2),
                    f"{user:.1f}",
                    calls.get((load, target), "–"),
                    spread([run["rate"] / 1000 for run in runs], 1),
                ]
            )
        print(f"\n**{load}**\n")
        print_table(
            ["reactor", "CPU µs a query", f"to {base}'s", "in user mode", "system calls a query",
             "thousand queries a second"],
            rows,
        )


if __name__ == "__main__":
    {"readiness": readiness}[sys.argv[1]](*sys.argv[2:])
