"""The project's limits, and whether a run of bench/compare meets them."""

import statistics
from typing import NamedTuple

from compare_rows import spread


class Limit(NamedTuple):
    what: str
    subject: str
    load: str
    target: str
    base: str
    metric: str      # cpu, rate, memory or latency added to direct's
    bound: float
    at_least: bool = False


def _limits():
    for clients in (16, 64):
        for protocol in ("simple", "extended"):
            load = f"{protocol}, {clients} clients"
            yield Limit("CPU a query", "protocols", load, "pgweir", "pgbouncer", "cpu", 0.95)
        load = f"prepared, {clients} clients"
        yield Limit("CPU a query", "protocols", load, "pgweir", "relay", "cpu", 1.15)
    for clients in (16, 64):
        for protocol in ("simple", "extended"):
            load = f"{protocol}, {clients} clients"
            yield Limit("throughput", "protocols", load, "pgweir", "pgbouncer", "rate", 1.0, True)
        load = f"prepared, {clients} clients"
        yield Limit("throughput", "protocols", load, "pgweir", "pgbouncer-new", "rate", 1.0, True)
    for protocol in ("simple", "extended"):
        load = f"{protocol}, 1 client"
        yield Limit("latency added", "protocols", load, "pgweir", "pgbouncer", "latency", 1.0)
    load = "prepared, 1 client"
    yield Limit("latency added", "protocols", load, "pgweir", "pgbouncer-new", "latency", 1.0)
    for clients in (64, 500):
        for protocol in ("simple", "extended"):
            load = f"{protocol}, {clients} clients"
            yield Limit("throughput, two workers", "protocols", load, "pgweir-2", "pgbouncer",
                        "rate", 1.15, True)
    for protocol in ("simple", "extended", "prepared"):
        load = f"{protocol}, 16 clients"
        yield Limit("CPU a routed query", "routing", load, "one-shard", "pgweir", "cpu", 1.08)
    yield Limit("CPU a login", "logins", "SCRAM, 32 at once", "pgweir", "pgbouncer", "cpu", 1.0)
    for clients in (5000, 10000):
        yield Limit("memory an idle client", "idle", f"{clients} clients", "pgweir", "pgbouncer",
                    "memory", 2.0)
    yield Limit("CPU a gigabyte", "results", "10 MB results", "pgweir", "relay", "cpu", 1.15)
    yield Limit("CPU a statement of a pipeline of 20", "pipelines", "prepared, 16 clients", "pgweir",
                "relay", "cpu", 1.6)


def _added_latency(load, target, base):
    direct = load.runs.get("direct", {})
    own, other = load.runs.get(target, {}), load.runs.get(base, {})
    found = []
    for number in own:
        if number not in other or number not in direct:
            continue
        below = other[number].seconds - direct[number].seconds
        if below > 0:
            found.append((own[number].seconds - direct[number].seconds) / below)
    return found


def _ratios(limit, load):
    if load is None:
        return []
    if limit.metric == "latency":
        return _added_latency(load, limit.target, limit.base)
    return load.ratios(limit.target, limit.base, lambda run: getattr(run, limit.metric))


def rows_of_limits(subjects):
    """[what, load, to whose, limit, measured, verdict]; only of subjects that were run."""
    rows = []
    for limit in _limits():
        if limit.subject not in subjects:
            continue
        load = subjects[limit.subject].get(limit.load)
        ratios = _ratios(limit, load)
        verdict = "not measured"
        if ratios:
            median = statistics.median(ratios)
            met = median >= limit.bound if limit.at_least else median <= limit.bound
            verdict = ("met" if met else "**missed**") + load.mark
        bound = f"{'at least' if limit.at_least else 'at most'} {limit.bound:.2f}"
        rows.append([limit.what, limit.load, limit.base, bound, spread(ratios, 2), verdict])
    return rows
