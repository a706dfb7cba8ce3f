"""psycopg 3: the extended protocol, statements prepared by their fifth execution, pipelines."""

import asyncio
import datetime
import logging
import os
import threading
import time
from contextlib import closing
from decimal import Decimal

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cases import (SESSIONS, TRANSACTIONS, async_fails, case, equal, fails, main, moved, together)


def connect(autocommit=False, **more):
    return psycopg.connect("", autocommit=autocommit, **more)


def value(connection, statement, parameters=None, **more):
    return connection.execute(statement, parameters, **more).fetchone()[0]


def fresh_table(name, columns):
    with closing(connect(autocommit=True)) as c:
        c.execute(f"drop table if exists {name}")
        c.execute(f"create table {name} ({columns})")


class Neighbours:
    """Two sessions that take turns at holding a transaction open, so that the transactions of a
    third one keep changing backends."""

    def __init__(self):
        self.holding, self.next = connect(), connect()

    def shift(self):
        value(self.next, "select 1", prepare=False)
        self.holding.rollback()
        self.holding, self.next = self.next, self.holding

    def close(self):
        self.holding.close()
        self.next.close()


@case
def connects_by_scram_over_tls():
    with closing(connect()) as c:
        equal(c.pgconn.ssl_in_use, True)
        equal(value(c, "select current_user::text"), os.environ["PGUSER"])
        equal(c.info.encoding, "utf-8")
    try:
        connect(password="wrong")
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error), error
    else:
        raise AssertionError("a wrong password is let in")


@case
def simple_statements():
    with closing(connect(autocommit=True)) as c:
        equal(c.execute("select g, g::text from generate_series(1, 3) g").fetchall(),
              [(1, "1"), (2, "2"), (3, "3")])
        cursor = c.execute("select 1; select 'last'")
        assert cursor.nextset()
        equal(cursor.fetchall(), [("last",)])
        fails("42601", lambda: c.execute("selec"))
        equal(psycopg.ClientCursor(c).execute("select %s", ("merged",)).fetchone(), ("merged",))


GIVEN = [7, "it's", datetime.date(2024, 2, 29), None, [1, 2], True, 1.5, bytes(range(256)),
         Decimal("1.50"), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)]


@case
def parameters_and_types():
    with closing(connect()) as c:
        marks = ", ".join(["%s"] * len(GIVEN))
        equal(list(c.execute(f"select {marks}", GIVEN).fetchone()), GIVEN)
        equal(value(c, "select %(a)s || %(b)s", {"a": "x", "b": "y"}), "xy")
        equal(value(c, "select %s -> 'a'", (Jsonb({"a": [1]}),)), [1])


@case
def binary_parameters_and_results():
    with closing(connect()) as c:
        cursor = c.cursor(binary=True)
        marks = ", ".join(["%b"] * len(GIVEN))
        for _ in range(8):
            equal(list(cursor.execute(f"select {marks}", GIVEN).fetchone()), GIVEN)
        equal(cursor.execute("select 1::int8, 'x'::text").pgresult.fformat(0), 1)


@case
def prepared_by_the_fifth_execution():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        pids = []
        for number in range(20):
            neighbours.shift()
            equal(value(c, "select %s::int * 2", (number,)), 2 * number)
            pids.append(value(c, "select pg_backend_pid()"))
            c.commit()
            # The same generated name, another statement.
            equal(value(other, "select %s::int * 3", (number,)), 3 * number)
            other.commit()
        moved(pids)
        assert c._prepared._names, "nothing was prepared"


@case
def prepared_on_demand_and_deallocated():
    with closing(connect()) as c, closing(Neighbours()) as neighbours:
        c.prepared_max = 3
        for number in range(30):
            neighbours.shift()
            statement = f"select %s::int + {number % 6}"
            equal(value(c, statement, (number,), prepare=True), number + number % 6)
            c.commit()
        equal(len(c._prepared._names), 3)
        # After a DROP or a ROLLBACK the driver forgets them all and sends DEALLOCATE ALL.
        c.execute("drop table if exists psycopg3_nothing")
        c.commit()
        equal(value(c, "select 1", prepare=False), 1)
        equal(len(c._prepared._names), 0)
        equal(value(c, "select count(*) from pg_prepared_statements where name like '\\_pg3\\_%'"),
              0)
        c.commit()
        for number in range(6):
            neighbours.shift()
            equal(value(c, "select %s::int + 1", (number,), prepare=True), number + 1)
            c.commit()


@case
def prepared_inside_a_transaction_that_is_rolled_back():
    with closing(connect()) as c, closing(Neighbours()) as neighbours:
        for _ in range(3):
            for number in range(7):
                equal(value(c, "select %s::text", (str(number),)), str(number))
            fails("22012", lambda: c.execute("select 1/%s", (0,), prepare=True))
            c.rollback()
            neighbours.shift()


@case
def schema_changes_between_executions():
    fresh_table("psycopg3_schema", "id int")
    with closing(connect(autocommit=True)) as c, closing(connect(autocommit=True)) as other, \
            closing(Neighbours()) as neighbours:
        c.execute("insert into psycopg3_schema values (1)")
        for _ in range(7):
            equal(c.execute("select * from psycopg3_schema where id = %s", (1,)).fetchone(), (1,))
        other.execute("alter table psycopg3_schema add column t text default 'new'")
        # On one session of PostgreSQL the driver meets the error, until a rollback or a DROP makes
        # it forget the statement.
        try:
            c.execute("select * from psycopg3_schema where id = %s", (1,))
        except psycopg.Error as error:
            equal(error.sqlstate, "0A000")
            c.execute("drop table if exists psycopg3_nothing")
        for _ in range(4):
            neighbours.shift()
            equal(c.execute("select * from psycopg3_schema where id = %s", (1,)).fetchone(),
                  (1, "new"))


@case
def commit_and_rollback():
    fresh_table("psycopg3_tx", "id int")
    with closing(connect(autocommit=True)) as c:
        with c.transaction():
            c.execute("insert into psycopg3_tx values (1)")
            try:
                with c.transaction():
                    c.execute("insert into psycopg3_tx values (2)")
                    c.execute("select 1/0")
            except psycopg.errors.DivisionByZero:
                pass
            with c.transaction():
                c.execute("insert into psycopg3_tx values (3)")
                raise psycopg.Rollback()
        equal(value(c, "select array_agg(id) from psycopg3_tx"), [1])


@case
def error_in_a_transaction_then_rollback():
    with closing(connect()) as c:
        fails("22012", lambda: c.execute("select 1/%s", (0,)))
        equal(c.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
        fails("25P02", lambda: c.execute("select 1"))
        c.rollback()
        equal(value(c, "select 1"), 1)


@case
def copy_in_and_out():
    fresh_table("psycopg3_copy", "id int, t text")
    rows = [(n, f"row {n}") for n in range(5000)]
    with closing(connect()) as c, c.cursor() as cursor:
        for copy_format in ("", " (format binary)"):
            with cursor.copy(f"copy psycopg3_copy from stdin{copy_format}") as copy:
                copy.set_types(["int4", "text"])
                for row in rows:
                    copy.write_row(row)
            with cursor.copy(f"copy psycopg3_copy to stdout{copy_format}") as copy:
                copy.set_types(["int4", "text"])
                equal(list(copy.rows()), rows)
            c.rollback()
        def give_up():
            with cursor.copy("copy psycopg3_copy from stdin") as copy:
                copy.write("1\tx\n")
                raise KeyError

        fails("57014", give_up)
        c.rollback()
        equal(value(c, "select count(*) from psycopg3_copy"), 0)


@case
def cancel_of_a_running_statement():
    with closing(connect()) as c:
        for _ in range(3):
            timer = threading.Timer(0.2, c.cancel)
            timer.start()
            began = time.monotonic()
            fails("57014", lambda: c.execute("select pg_sleep(%s)", (15,)))
            assert time.monotonic() - began < 5
            timer.join()
            c.rollback()
            equal(value(c, "select 1"), 1)
            c.rollback()


@case
def notifications_are_received():
    with closing(connect(autocommit=True)) as listener, closing(connect(autocommit=True)) as c:
        listener.execute("listen psycopg3_channel")
        for number in range(5):
            c.execute("select pg_notify('psycopg3_channel', %s)", (str(number),))
        heard = []
        for notification in listener.notifies():
            heard.append(notification.payload)
            if len(heard) == 5:
                break
        equal(heard, list("01234"))


@case
def pipelines():
    fresh_table("psycopg3_pipeline", "id int primary key")
    with closing(connect(autocommit=True)) as c, closing(Neighbours()) as neighbours:
        for turn in range(4):
            neighbours.shift()
            with c.pipeline():
                cursors = [c.execute("select %s::int + 1", (n,)) for n in range(50)]
            equal([cursor.fetchone()[0] for cursor in cursors], list(range(1, 51)))
            with c.pipeline(), c.transaction():
                c.execute("insert into psycopg3_pipeline values (%s)", (turn,))
        with c.pipeline() as pipeline:
            first = c.execute("select 1")
            pipeline.sync()
            equal(first.fetchone(), (1,))

        def broken():
            # One error undoes and ends everything up to the sync.
            with c.pipeline():
                for number in (100, 0, 101):
                    c.execute("insert into psycopg3_pipeline values (%s)", (number,))

        logging.getLogger("psycopg").setLevel(logging.ERROR)
        fails("23505", broken)
        equal(value(c, "select array_agg(id order by id) from psycopg3_pipeline"), [0, 1, 2, 3])


@case
def batches():
    fresh_table("psycopg3_batch", "id int, t text")
    with closing(connect()) as c, c.cursor() as cursor:
        cursor.executemany("insert into psycopg3_batch values (%s, %s)",
                           [(n, f"row {n}") for n in range(1000)])
        equal(cursor.rowcount, 1000)
        c.commit()
        cursor.executemany("insert into psycopg3_batch values (%s, %s) returning id",
                           [(n, "more") for n in range(100)], returning=True)
        ids = []
        while True:
            ids.append(cursor.fetchone()[0])
            if not cursor.nextset():
                break
        equal(ids, list(range(100)))
        c.rollback()
        equal(value(c, "select count(*) from psycopg3_batch"), 1000)


@case
def server_side_cursors():
    with closing(connect()) as c, closing(Neighbours()) as neighbours:
        with c.cursor("walk") as cursor:
            cursor.itersize = 100
            cursor.execute("select generate_series(1, %s)", (1000,))
            equal(sum(row[0] for row in cursor), 500500)
        c.commit()
        with c.cursor("held", withhold=True, scrollable=True) as cursor:
            cursor.execute("select generate_series(1, 100)")
            c.commit()
            neighbours.shift()
            equal(cursor.fetchmany(10)[-1], (10,))
            cursor.scroll(50, mode="absolute")
            c.commit()
            neighbours.shift()
            equal(cursor.fetchone(), (51,))
        c.commit()


@case
def large_result():
    with closing(connect()) as c, c.cursor() as cursor:
        cursor.execute("select g, repeat('x', 1000) from generate_series(1, %s) g", (30000,))
        equal(sum(len(text) for _, text in cursor), 30_000_000)
        streamed = cursor.stream("select generate_series(1, 2000)")
        equal(sum(row[0] for row in streamed), 2001000)
        equal(value(c, "select length(%s)", ("y" * 5_000_000,)), 5_000_000)


SETTINGS = {
    "search_path": "pg_catalog, public",
    "work_mem": "7777kB",
    "statement_timeout": "17s",
    "timezone": "Asia/Tokyo",
    "app.tenant": "blue",
}


def settings(connection):
    columns = sql.SQL(", ").join(
        sql.SQL("current_setting({}, true)").format(sql.Literal(name)) for name in SETTINGS)
    row = connection.execute(sql.SQL("select {}").format(columns)).fetchone()
    return dict(zip(SETTINGS, row))


@case
def settings_are_kept_and_never_met_by_others():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        before = settings(other)
        equal(before["app.tenant"], None)
        other.commit()
        for name, given in SETTINGS.items():
            c.execute("select set_config(%s, %s, false)", (name, given))
        c.commit()
        pids = []
        for _ in range(12):
            neighbours.shift()
            equal(settings(c), SETTINGS)
            equal(c.info.timezone.key, "Asia/Tokyo")
            pids.append(value(c, "select pg_backend_pid()"))
            c.commit()
            equal(settings(other), before)
            other.commit()
        moved(pids)


@case
def plain_set_is_kept():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        c.execute("set work_mem = '5MB'")
        c.execute("set app.tenant = 'red'")
        c.commit()
        c.execute("set work_mem = '6MB'")
        c.rollback()
        pids = []
        for _ in range(8):
            neighbours.shift()
            equal(value(c, "show work_mem"), "5MB")
            equal(value(c, "select current_setting('app.tenant')"), "red")
            pids.append(value(c, "select pg_backend_pid()"))
            c.commit()
            equal(value(other, "show work_mem"), "4MB")
            equal(value(other, "select current_setting('app.tenant', true)"), None)
            other.commit()
        moved(pids)


@case
def temporary_tables_stay_in_their_session():
    with closing(connect()) as c, closing(connect()) as other:
        for connection, name in ((c, "mine"), (other, "theirs")):
            connection.execute("create temp table psycopg3_temp (owner text)")
            connection.execute("insert into psycopg3_temp values (%s)", (name,))
            connection.commit()
        for _ in range(8):
            equal(value(c, "select owner from psycopg3_temp"), "mine")
            c.commit()
            equal(value(other, "select owner from psycopg3_temp"), "theirs")
            other.commit()


@case
def advisory_locks_stay_in_their_session():
    with closing(connect()) as c, closing(connect()) as other:
        equal(value(c, "select pg_try_advisory_lock(%s)", (3,)), True)
        c.commit()
        for _ in range(8):
            equal(value(other, "select pg_try_advisory_lock(%s)", (3,)), False)
            other.commit()
        equal(value(c, "select pg_advisory_unlock(%s)", (3,)), True)
        c.commit()
        equal(value(other, "select pg_try_advisory_xact_lock(%s)", (3,)), True)


@case
def isolation_helpers():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        c.isolation_level = IsolationLevel.REPEATABLE_READ
        c.read_only = True
        c.deferrable = True
        for _ in range(4):
            neighbours.shift()
            equal(value(c, "show transaction_isolation"), "repeatable read")
            fails("25006", lambda: c.execute("create table psycopg3_never ()"))
            c.rollback()
            equal(value(other, "show transaction_read_only"), "off")
            other.rollback()


@case
def asyncio_connections():
    async def session(number):
        async with await psycopg.AsyncConnection.connect("", row_factory=dict_row) as c:
            for step in range(20):
                row = await (await c.execute("select %s::int as n", (number * step,))).fetchone()
                equal(row, {"n": number * step})
                await c.commit()
            await async_fails("22012", c.execute("select 1/%s", (0,)))
            await c.rollback()

    async def sessions():
        await asyncio.gather(*(session(number) for number in range(6)))

    asyncio.run(sessions())


@case
def two_phase_commit():
    fresh_table("psycopg3_two_phase", "id int")
    with closing(connect()) as c:
        if value(c, "show max_prepared_transactions") == "0":
            c.rollback()
            return
        c.rollback()
        c.tpc_begin(c.xid(1, "psycopg3", "branch"))
        c.execute("insert into psycopg3_two_phase values (1)")
        c.tpc_prepare()
        c.tpc_commit()
        equal(value(c, "select count(*) from psycopg3_two_phase"), 1)


@case
def twenty_sessions():
    fresh_table("psycopg3_ledger", "session int, step int")

    def session(number):
        with closing(connect()) as c:
            c.execute("select set_config('app.tenant', %s, false)", (str(number),))
            c.execute(f"set work_mem = '{1000 + number}kB'")
            c.commit()
            for step in range(TRANSACTIONS):
                equal(value(c, "select current_setting('app.tenant') || current_setting('work_mem')"),
                      f"{number}{1000 + number}kB")
                if step % 6 == 0:
                    # One name in all sessions, a statement of its own in each.
                    equal(value(c, f"select %s::int * {number}", (step,)), step * number)
                elif step % 6 == 1:
                    c.execute("insert into psycopg3_ledger values (%s, %s)", (number, step))
                elif step % 6 == 2:
                    c.execute("insert into psycopg3_ledger values (%s, %s)", (number, step))
                    c.rollback()
                elif step % 6 == 3:
                    fails("22012", lambda: c.execute("select 1/%s", (0,)))
                    c.rollback()
                elif step % 6 == 4:
                    with c.pipeline():
                        cursors = [c.execute("select %s::int", (number + n,)) for n in range(5)]
                    equal([x.fetchone()[0] for x in cursors], [number + n for n in range(5)])
                else:
                    c.execute("set local work_mem = '3MB'")
                    equal(value(c, "show work_mem"), "3MB")
                c.commit()
            equal(value(c, "select count(*) from psycopg3_ledger where session = %s", (number,)), 9)

    together(SESSIONS, session)


main()
