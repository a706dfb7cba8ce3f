"""Looks at PostgreSQL, pgweir and the machine twice a second while bench/breaking-point runs.

users_watch.py FOLDER POSTGRES_PORT POSTGRES_PID PGWEIR_PORT PGWEIR_PID

Appends a line of JSON a look to FOLDER/watch. CPU is in seconds since the start of each. FOLDER/drivers
has the process ids of the drivers' parents. PGWEIR_PID is 0 when there is none.
"""

import json
import os
import pathlib
import sys
import time

import psycopg2

TICK = os.sysconf("SC_CLK_TCK")
BACKENDS = """SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity
              WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""


def cpu_of(pid, with_reaped=False):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15 if with_reaped else 13]) / TICK


def children_cpu(pid):
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return sum(cpu_of(child) for child in children)


def machine_cpu():
    """Seconds on a core that were used, all programs taken together; those that niced programs used,
    who yield; and those that the host took away."""
    times = pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    user, nice, system, _, _, irq, softirq, steal = (int(time) / TICK for time in times)
    return user + system + irq + softirq, nice, steal


def pss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def pgweir_now(pid, console):
    console.execute("SHOW POOLS")
    names = [column.name for column in console.description]
    pools = [dict(zip(names, row)) for row in console.fetchall()]
    mine = [pool for pool in pools if pool["database"] == "market"]
    return {
        "clients": sum(int(pool["cl_active"]) + int(pool["cl_waiting"]) for pool in mine),
        "waiting": sum(int(pool["cl_waiting"]) for pool in mine),
        "maxwait_ms": max((int(pool["maxwait"]) * 1000 + int(pool["maxwait_us"]) / 1000
                           for pool in mine), default=0),
        "sv_active": sum(int(pool["sv_active"]) for pool in mine),
        "pss": pss_bytes(pid),
        "fds": len(os.listdir(f"/proc/{pid}/fd")),
        "cpu_pgweir": cpu_of(pid),
    }


def look(folder, server, postgres_pid, console, pgweir_pid):
    server.execute(BACKENDS)
    backends, at_work = server.fetchone()
    busy, niced, stolen = machine_cpu()
    drivers = pathlib.Path(folder, "drivers").read_text().split()
    seen = {
        "at": time.time(),
        "backends": backends,
        "backends_at_work": at_work,
        "cpu_machine": busy,
        "cpu_niced": niced,
        "cpu_stolen": stolen,
        "cpu_postgres": cpu_of(postgres_pid, with_reaped=True) + children_cpu(postgres_pid),
        "cpu_drivers": sum(children_cpu(pid) for pid in drivers),
    }
    return seen | (pgweir_now(pgweir_pid, console) if console else {})


def cursor(**where):
    connection = psycopg2.connect(host="127.0.0.1", user="postgres", sslmode="disable", **where)
    connection.autocommit = True
    return connection.cursor()


def main(folder, postgres_port, postgres_pid, pgweir_port, pgweir_pid):
    server = cursor(port=postgres_port, dbname="postgres")
    console = cursor(port=pgweir_port, dbname="pgweir") if int(pgweir_pid) else None
    with open(f"{folder}/watch", "a", encoding="utf-8") as file:
        while True:
            seen = look(folder, server, postgres_pid, console, pgweir_pid)
            print(json.dumps(seen), file=file, flush=True)
            time.sleep(0.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
