"""What the Python programs share: cases that are registered by name and run one after another.

A program takes its connection from libpq's environment variables and the names of the cases to run
from its arguments (none = all), prints "ok NAME" or "FAILED NAME: why" for each, and exits with 1
when one failed.
"""

import asyncio
import inspect
import os
import sys
import threading
import traceback

CASE_SECONDS = 15
SESSIONS = 20
TRANSACTIONS = 50

# Set where the sessions share few backends: then those that should move between them must have.
POOLED = os.environ.get("DRIVERS_POOLED") == "1"

_cases = []


def case(function):
    _cases.append(function)
    return function


def equal(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r}, expected {expected!r}")


def fails(sqlstate, action):
    """Runs what must fail with this SQLSTATE, whatever attribute the driver keeps it in."""
    try:
        action()
    except Exception as error:
        equal(state_of(error), sqlstate)
        return error
    raise AssertionError(f"no error, expected {sqlstate}")


async def async_fails(sqlstate, awaitable):
    try:
        await awaitable
    except Exception as error:
        equal(state_of(error), sqlstate)
        return error
    raise AssertionError(f"no error, expected {sqlstate}")


def state_of(error):
    error = getattr(error, "orig", None) or error
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or repr(error)


def moved(pids):
    """What a session saw of pg_backend_pid() while its neighbours shifted it about."""
    if POOLED:
        assert len(set(pids)) > 1, "the session never changed its backend"
    else:
        equal(len(set(pids)), 1)


def together(count, body):
    """Runs body(0) … body(count - 1) at the same time; the first error is raised."""
    errors = []

    def guarded(number):
        try:
            body(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _run_one(function):
    outcome = ["still runs after %d s" % CASE_SECONDS]

    def body():
        try:
            if inspect.iscoroutinefunction(function):
                asyncio.run(function())
            else:
                function()
            outcome[0] = None
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)
            program = os.path.abspath(sys.argv[0])
            lines = [str(f.lineno) for f in where if os.path.abspath(f.filename) == program]
            text = " ".join(str(error).split())
            outcome[0] = f"line {' '.join(lines)}: {type(error).__name__}: {text}"

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(CASE_SECONDS)
    return outcome[0]


def main():
    wanted = sys.argv[1:]
    unknown = set(wanted) - {function.__name__ for function in _cases}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    status = 0
    for function in _cases:
        if wanted and function.__name__ not in wanted:
            continue
        why = _run_one(function)
        print(f"ok {function.__name__}" if why is None else f"FAILED {function.__name__}: {why}",
              flush=True)
        status = status if why is None else 1
    sys.stdout.flush()
    os._exit(status)  # a case that hangs must not keep the program
