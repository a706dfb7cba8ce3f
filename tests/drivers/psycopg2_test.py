"""psycopg2: libpq's simple protocol, parameters merged on the client's side."""

import datetime
import io
import os
import select
import threading
import time
from contextlib import closing

import psycopg2
import psycopg2.extensions
import psycopg2.extras

from cases import SESSIONS, TRANSACTIONS, case, equal, fails, main, moved, together


def connect(autocommit=False, **more):
    connection = psycopg2.connect("", **more)
    connection.autocommit = autocommit
    return connection


def value(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


def run(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def fresh_table(name, columns):
    with closing(connect(autocommit=True)) as c:
        run(c, f"drop table if exists {name}")
        run(c, f"create table {name} ({columns})")


class Neighbours:
    """Two sessions that take turns at holding a transaction open, so that the transactions of a
    third one keep changing backends."""

    def __init__(self):
        self.holding, self.next = connect(), connect()

    def shift(self):
        value(self.next, "select 1")
        self.holding.rollback()
        self.holding, self.next = self.next, self.holding

    def close(self):
        self.holding.close()
        self.next.close()


@case
def connects_by_scram_over_tls():
    with closing(connect()) as c:
        equal(c.info.ssl_in_use, True)
        equal(value(c, "select current_user::text"), os.environ["PGUSER"])
        equal(c.info.parameter_status("client_encoding"), "UTF8")
        assert c.info.server_version >= 150000
    try:
        connect(password="wrong")
    except psycopg2.OperationalError as error:
        assert "password authentication failed" in str(error), error
    else:
        raise AssertionError("a wrong password is let in")


@case
def startup_options_are_kept():
    with closing(connect(options="-c work_mem=2345kB", application_name="first")) as c, closing(
        connect(application_name="second")
    ) as other, closing(Neighbours()) as neighbours:
        for _ in range(6):
            neighbours.shift()
            equal(value(c, "show work_mem"), "2345kB")
            equal(value(c, "show application_name"), "first")
            c.rollback()
            equal(value(other, "show work_mem"), "4MB")
            equal(value(other, "show application_name"), "second")
            other.rollback()


@case
def simple_statements():
    with closing(connect(autocommit=True)) as c, c.cursor() as cursor:
        cursor.execute("select g, g::text from generate_series(1, 3) g")
        equal(cursor.fetchall(), [(1, "1"), (2, "2"), (3, "3")])
        cursor.execute("select 1; select 'last'")
        equal(cursor.fetchall(), [("last",)])
        fails("42601", lambda: cursor.execute("selec"))
        equal(value(c, "select 'still here'"), "still here")


@case
def parameters_and_types():
    today = datetime.date(2024, 2, 29)
    given = (7, "it's", today, None, [1, 2], True, 1.5, psycopg2.Binary(bytes(range(256))))
    with closing(connect()) as c, c.cursor() as cursor:
        cursor.execute("select %s, %s, %s, %s, %s, %s, %s, %s", given)
        row = cursor.fetchone()
        equal(row[:4] + row[4:6], given[:6])
        equal((float(row[6]), bytes(row[7])), (1.5, bytes(range(256))))
        cursor.execute("select %(a)s || %(b)s", {"a": "x", "b": "y"})
        equal(cursor.fetchone(), ("xy",))


@case
def statements_prepared_in_sql():
    with closing(connect(autocommit=True)) as c, closing(connect(autocommit=True)) as other, \
            closing(Neighbours()) as neighbours:
        run(c, "prepare doubled(int) as select $1 * 2")
        run(other, "prepare doubled(int) as select $1 * 3")
        for number in range(10):
            neighbours.shift()
            equal(value(c, "execute doubled(%s)", (number,)), 2 * number)
            equal(value(other, "execute doubled(%s)", (number,)), 3 * number)
        fails("42P05", lambda: run(c, "prepare doubled(int) as select 1"))
        run(c, "deallocate doubled")
        fails("26000", lambda: run(c, "execute doubled(1)"))
        equal(value(other, "execute doubled(5)"), 15)
        run(other, "deallocate all")
        fails("26000", lambda: run(other, "execute doubled(1)"))


@case
def commit_and_rollback():
    fresh_table("psycopg2_tx", "id int")
    with closing(connect()) as c:
        with c:
            run(c, "insert into psycopg2_tx values (1)")
        try:
            with c:
                run(c, "insert into psycopg2_tx values (2)")
                raise KeyError
        except KeyError:
            pass
        run(c, "insert into psycopg2_tx values (3)")
        c.rollback()
        equal(value(c, "select array_agg(id) from psycopg2_tx"), [1])


@case
def error_in_a_transaction_then_rollback():
    with closing(connect()) as c:
        fails("22012", lambda: value(c, "select 1/0"))
        equal(c.info.transaction_status, psycopg2.extensions.TRANSACTION_STATUS_INERROR)
        fails("25P02", lambda: value(c, "select 1"))
        c.rollback()
        equal(value(c, "select 1"), 1)


@case
def savepoints():
    with closing(connect()) as c:
        run(c, "create temp table kept (id int) on commit drop")
        run(c, "savepoint a; insert into kept values (1); savepoint b; insert into kept values (2)")
        fails("22012", lambda: value(c, "select 1/0"))
        run(c, "rollback to b")
        equal(value(c, "select count(*) from kept"), 1)
        run(c, "rollback to a; release a")
        equal(value(c, "select count(*) from kept"), 0)
        c.commit()


@case
def copy_in_and_out():
    fresh_table("psycopg2_copy", "id int, t text")
    text = "".join(f"{n}\trow {n}\n" for n in range(20000))
    with closing(connect()) as c, c.cursor() as cursor:
        cursor.copy_expert("copy psycopg2_copy from stdin", io.StringIO(text))
        equal(cursor.rowcount, 20000)
        cursor.copy_from(io.StringIO("-1,more\n"), "psycopg2_copy", sep=",")
        c.commit()
        out = io.StringIO()
        cursor.copy_expert("copy (select * from psycopg2_copy where id >= 0 order by id) to stdout",
                           out)
        equal(out.getvalue(), text)
        fails("22P02", lambda: cursor.copy_expert("copy psycopg2_copy from stdin",
                                                  io.StringIO("x\ty\n")))
        c.rollback()
        equal(value(c, "select count(*) from psycopg2_copy"), 20001)


@case
def cancel_of_a_running_statement():
    with closing(connect()) as c:
        for _ in range(3):
            timer = threading.Timer(0.2, c.cancel)
            timer.start()
            began = time.monotonic()
            fails("57014", lambda: run(c, "select pg_sleep(15)"))
            assert time.monotonic() - began < 5
            timer.join()
            c.rollback()
            equal(value(c, "select 1"), 1)
            c.rollback()


@case
def notifications_are_received():
    with closing(connect(autocommit=True)) as listener, closing(connect(autocommit=True)) as c:
        run(listener, "listen psycopg2_channel")
        for number in range(5):
            run(c, "select pg_notify('psycopg2_channel', %s)", (str(number),))
        deadline = time.monotonic() + 5
        while len(listener.notifies) < 5 and time.monotonic() < deadline:
            if select.select([listener], [], [], 0.2)[0]:
                listener.poll()
        equal([n.payload for n in listener.notifies], list("01234"))
        run(listener, "unlisten *")
        run(c, "notify psycopg2_channel, 'late'")
        equal(value(listener, "select 1"), 1)
        equal(len(listener.notifies), 5)


@case
def named_cursors():
    with closing(connect()) as c, closing(Neighbours()) as neighbours:
        with c.cursor("walk") as cursor:
            cursor.itersize = 100
            cursor.execute("select generate_series(1, 1000)")
            total = 0
            for number, row in enumerate(cursor):
                total += row[0]
                if number % 250 == 0:
                    neighbours.shift()
            equal(total, 500500)
        c.commit()
        cursor = c.cursor("held", withhold=True)
        cursor.execute("select generate_series(1, 100)")
        equal(cursor.fetchmany(10)[-1], (10,))
        c.commit()
        neighbours.shift()
        equal(cursor.fetchmany(10)[-1], (20,))
        c.commit()
        neighbours.shift()
        equal(len(cursor.fetchall()), 80)
        cursor.close()
        c.commit()
        fails("34000", lambda: run(c, "fetch from held"))


@case
def large_result():
    with closing(connect()) as c, c.cursor() as cursor:
        cursor.execute("select g, repeat('x', 1000) from generate_series(1, 30000) g")
        equal(sum(len(text) for _, text in cursor), 30_000_000)
        equal(value(c, "select length(%s)", ("y" * 5_000_000,)), 5_000_000)


SETTINGS = {
    "search_path": ("pg_catalog, public", '"$user", public'),
    "work_mem": ("7777kB", "4MB"),
    "statement_timeout": ("17s", "0"),
    "timezone": ("Asia/Tokyo", None),
    "app.tenant": ("blue", None),
}


def settings(connection):
    names = list(SETTINGS)
    with connection.cursor() as cursor:
        cursor.execute("select " + ", ".join(f"current_setting('{n}', true)" for n in names))
        return dict(zip(names, cursor.fetchone()))


@case
def settings_are_kept_and_never_met_by_others():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        before = settings(other)
        equal(before["app.tenant"], None)
        for name, (given, _) in SETTINGS.items():
            run(c, f"set {name} = {given if name == 'search_path' else repr(given)}")
        c.commit()
        pids = []
        for _ in range(12):
            neighbours.shift()
            equal(settings(c), {name: given for name, (given, _) in SETTINGS.items()})
            pids.append(value(c, "select pg_backend_pid()"))
            c.commit()
            equal(settings(other), before)
            other.commit()
        moved(pids)
        run(c, "reset work_mem")
        run(c, "set timezone to default")
        c.commit()
        for _ in range(4):
            neighbours.shift()
            now = settings(c)
            equal((now["work_mem"], now["timezone"], now["app.tenant"]),
                  ("4MB", before["timezone"], "blue"))
            c.commit()


@case
def settings_follow_their_transaction():
    with closing(connect()) as c, closing(Neighbours()) as neighbours:
        run(c, "set work_mem = '5MB'")
        c.commit()
        run(c, "set work_mem = '6MB'")
        c.rollback()
        neighbours.shift()
        equal(value(c, "show work_mem"), "5MB")
        run(c, "savepoint s; set work_mem = '7MB'; rollback to s; set local statement_timeout = 999")
        equal(value(c, "show statement_timeout"), "999ms")
        c.commit()
        neighbours.shift()
        equal(value(c, "show work_mem"), "5MB")
        equal(value(c, "show statement_timeout"), "0")
        equal(value(c, "select set_config('app.tenant', 'green', false)"), "green")
        c.commit()
        neighbours.shift()
        equal(value(c, "select current_setting('app.tenant')"), "green")
        c.rollback()


@case
def encoding_set_by_the_driver():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        c.set_client_encoding("LATIN1")
        for _ in range(4):
            neighbours.shift()
            equal(value(c, "select %s", ("naïve",)), "naïve")
            equal(value(c, "show client_encoding"), "LATIN1")
            c.commit()
            equal(value(other, "show client_encoding"), "UTF8")
            equal(value(other, "select %s", ("naïve €",)), "naïve €")
            other.commit()


@case
def role_is_kept():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        run(c, "set role pg_monitor")
        c.commit()
        for _ in range(4):
            neighbours.shift()
            equal(value(c, "select current_user::text"), "pg_monitor")
            c.commit()
            equal(value(other, "select current_user::text"), os.environ["PGUSER"])
            other.commit()
        run(c, "reset role")
        c.commit()
        neighbours.shift()
        equal(value(c, "select current_user::text"), os.environ["PGUSER"])


@case
def temporary_tables_stay_in_their_session():
    with closing(connect()) as c, closing(connect()) as other, closing(Neighbours()) as neighbours:
        for connection, name in ((c, "mine"), (other, "theirs")):
            run(connection, "create temp table psycopg2_temp as select %s as owner", (name,))
            connection.commit()
        for _ in range(3):
            equal(value(c, "select owner from psycopg2_temp"), "mine")
            c.commit()
            equal(value(other, "select owner from psycopg2_temp"), "theirs")
            other.commit()
        other.close()
        neighbours.shift()
        with closing(connect()) as third:
            fails("42P01", lambda: run(third, "select from psycopg2_temp"))


@case
def advisory_locks_stay_in_their_session():
    with closing(connect()) as c, closing(connect()) as other:
        equal(value(c, "select pg_try_advisory_lock(2)"), True)
        c.commit()
        for _ in range(4):
            equal(value(other, "select pg_try_advisory_lock(2)"), False)
            other.commit()
        equal(value(c, "select pg_advisory_unlock(2)"), True)
        c.commit()
        equal(value(other, "select pg_try_advisory_lock(2)"), True)
        other.commit()
        c.close()
        other.close()
    with closing(connect()) as c:
        deadline = time.monotonic() + 5
        while not value(c, "select pg_try_advisory_lock(2)"):
            assert time.monotonic() < deadline, "the lock outlives its session"
            c.rollback()


@case
def isolation_helpers():
    for autocommit in (False, True):
        with closing(connect(autocommit)) as c, closing(connect(autocommit)) as other, \
                closing(Neighbours()) as neighbours:
            c.set_session(isolation_level="SERIALIZABLE", readonly=True, deferrable=True)
            for _ in range(4):
                neighbours.shift()
                equal(value(c, "show transaction_isolation"), "serializable")
                equal(value(c, "show transaction_read_only"), "on")
                fails("25006", lambda: run(c, "create table psycopg2_never ()"))
                c.rollback()
                equal(value(other, "show transaction_isolation"), "read committed")
                equal(value(other, "show transaction_read_only"), "off")
                other.rollback()
            c.set_session(isolation_level="DEFAULT", readonly="DEFAULT", deferrable="DEFAULT")
            neighbours.shift()
            equal(value(c, "show transaction_read_only"), "off")


@case
def batches():
    fresh_table("psycopg2_batch", "id int, t text")
    rows = [(n, f"row {n}") for n in range(1000)]
    with closing(connect()) as c, c.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, "insert into psycopg2_batch values %s", rows)
        psycopg2.extras.execute_batch(cursor, "insert into psycopg2_batch values (%s, %s)", rows)
        cursor.executemany("insert into psycopg2_batch values (%s, %s)", rows[:50])
        c.commit()
        equal(value(c, "select count(*) from psycopg2_batch"), 2050)
        returned = psycopg2.extras.execute_values(
            cursor, "insert into psycopg2_batch values %s returning id", rows, fetch=True)
        equal(len(returned), 1000)
        c.rollback()


@case
def notices_and_large_objects():
    with closing(connect()) as c:
        run(c, "do $$ begin raise notice 'heard'; end $$")
        assert any("heard" in notice for notice in c.notices), c.notices
        large = c.lobject(0, "wb")
        large.write(b"z" * 100_000)
        oid = large.oid
        large.close()
        c.commit()
        equal(len(c.lobject(oid, "rb").read()), 100_000)
        c.lobject(oid).unlink()
        c.commit()


@case
def asynchronous_connection():
    c = psycopg2.connect("", async_=1)
    psycopg2.extras.wait_select(c)
    cursor = c.cursor()
    for number in range(20):
        cursor.execute("select %s", (number,))
        psycopg2.extras.wait_select(c)
        equal(cursor.fetchone(), (number,))
    c.close()


@case
def twenty_sessions():
    fresh_table("psycopg2_ledger", "session int, step int")

    def session(number):
        with closing(connect()) as c:
            run(c, "set app.tenant = %s", (str(number),))
            run(c, "set work_mem = %s", (f"{1000 + number}kB",))
            run(c, "prepare mine(int) as select $1 * %s", (number,))
            c.commit()
            for step in range(TRANSACTIONS):
                equal(value(c, "select current_setting('app.tenant') || current_setting('work_mem')"),
                      f"{number}{1000 + number}kB")
                if step % 5 == 0:
                    equal(value(c, "execute mine(%s)", (step,)), step * number)
                elif step % 5 == 1:
                    run(c, "insert into psycopg2_ledger values (%s, %s)", (number, step))
                elif step % 5 == 2:
                    run(c, "insert into psycopg2_ledger values (%s, %s)", (number, step))
                    c.rollback()
                elif step % 5 == 3:
                    fails("22012", lambda: value(c, "select 1/0"))
                    c.rollback()
                else:
                    run(c, "set local work_mem = '3MB'")
                    equal(value(c, "show work_mem"), "3MB")
                c.commit()
            equal(value(c, "select count(*) from psycopg2_ledger where session = %s", (number,)), 10)

    together(SESSIONS, session)


main()
