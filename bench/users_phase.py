"""Turns one phase of bench/breaking-point into a line of JSON.

users_phase.py FOLDER RAMP KEY=VALUE...

Reads FOLDER/driver-*.out, what the drivers printed, FOLDER/latencies-*, FOLDER/watch, and
FOLDER/began, when the phase began. What is said of the machine is from the ramp's end (at least two
seconds) to the last second in which requests became due; what is said of the most of something is
from the whole phase. KEY=VALUE goes into the line as it is; seconds= must be among them.
"""

import json
import math
import pathlib
import sys

KINDS = ("pool_timeout", "refused", "failed", "unanswered")


def read_drivers(folder):
    """The drivers' last lines, each a dictionary, and {second: requests done till then} of all."""
    ends, done_at = [], {}
    for path in sorted(pathlib.Path(folder).glob("driver-*.out")):
        for line in path.read_text(errors="replace").splitlines():
            kind, _, rest = line.partition(" ")
            rest, _, first_error = rest.partition(" first_error=")
            if kind not in ("progress", "users"):
                continue
            values = dict(pair.split("=") for pair in rest.split())
            if kind == "users":
                ends.append(values | {"first_error": first_error})
            else:
                second = int(values["second"])
                done_at[second] = done_at.get(second, 0) + int(values["done"])
    return ends, done_at


def percentiles(folder):
    latencies = []
    for path in pathlib.Path(folder).glob("latencies-*"):
        latencies.extend(map(int, path.read_text().split()))
    latencies.sort()

    def at(share):  # nearest rank
        rank = max(1, math.ceil(share * len(latencies)))
        return round(latencies[rank - 1] / 1000, 2) if latencies else None

    return {"p50": at(0.50), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)}


def cores(looks, key):
    """How many were busy with it, on average."""
    looks = [look for look in looks if key in look]
    if len(looks) < 2 or looks[-1]["at"] == looks[0]["at"]:
        return None
    took = looks[-1]["at"] - looks[0]["at"]
    return round((looks[-1][key] - looks[0][key]) / took, 3)


def watched(folder, settled, seconds):
    began = float(pathlib.Path(folder, "began").read_text())
    lines = pathlib.Path(folder, "watch").read_text().splitlines()
    looks = [look for look in map(json.loads, lines) if look["at"] >= began]
    steady = [look for look in looks if began + settled <= look["at"] <= began + seconds + 0.5]

    def most(key):
        return max((look[key] for look in looks if key in look), default=None)

    row = {f"most_{key}": most(key) for key in
           ("backends", "backends_at_work", "clients", "waiting", "maxwait_ms", "pss", "fds")}
    for key in ("machine", "niced", "stolen", "postgres", "drivers", "pgweir"):
        row[f"cores_{key}"] = cores(steady, f"cpu_{key}")
    return row


def main(folder, ramp, *pairs):
    row = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        row[key] = json.loads(value) if value.replace(".", "", 1).isdigit() else value
    seconds, settled = row["seconds"], max(2, int(ramp))
    ends, done_at = read_drivers(folder)
    for key in ("due", "done", "confirmed", "most_open", *KINDS):
        row[key] = sum(int(end[key]) for end in ends)
    row["errors"] = sum(row[kind] for kind in KINDS)
    row["served_ms"] = max(float(end["served_ms"]) for end in ends)
    row["first_error"] = next((end["first_error"] for end in ends if end["first_error"]), "")
    steady = done_at.get(seconds, row["done"]) - done_at.get(settled, 0)
    row["done_per_s"] = round(steady / (seconds - settled), 1)
    row |= percentiles(folder) | watched(folder, settled, seconds)
    print(json.dumps(row))


if __name__ == "__main__":
    main(*sys.argv[1:])
