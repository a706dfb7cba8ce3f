"""asyncpg: every statement is prepared by name and kept in its cache, binary both ways."""

import asyncio
import datetime
import io
import os
import ssl
import time
from contextlib import asynccontextmanager
from decimal import Decimal

import asyncpg

from cases import SESSIONS, TRANSACTIONS, async_fails, case, equal, main, moved


def tls():
    if os.environ.get("PGSSLMODE") != "require":
        return False
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@asynccontextmanager
async def connected(count=1, **more):
    connections = []
    try:
        for _ in range(count):
            connections.append(await asyncpg.connect(ssl=tls(), **more))
        yield connections[0] if count == 1 else connections
    finally:
        for connection in connections:
            if not connection.is_closed():
                await connection.close()


async def fresh_table(name, columns):
    async with connected() as c:
        await c.execute(f"drop table if exists {name}; create table {name} ({columns})")


class Neighbours:
    """Two sessions that take turns at holding a transaction open, so that the transactions of a
    third one keep changing backends."""

    def __init__(self, one, two):
        self.holding, self.next = one, two

    async def shift(self):
        await self.next.execute("begin")
        await self.holding.execute("rollback")
        self.holding, self.next = self.next, self.holding


@case
async def connects_by_scram_over_tls():
    async with connected() as c:
        equal(await c.fetchval("select current_user::text"), os.environ["PGUSER"])
        equal(await c.fetchval("select $1::int + 1", 1), 2)
    await async_fails("28P01", asyncpg.connect(ssl=tls(), password="wrong"))


@case
async def simple_statements():
    async with connected() as c:
        equal(await c.execute("select 1; select 2"), "SELECT 1")
        await async_fails("42601", c.execute("selec"))
        await async_fails("42601", c.fetch("selec"))
        equal([tuple(r) for r in await c.fetch("select g, g::text from generate_series(1, 2) g")],
              [(1, "1"), (2, "2")])


GIVEN = {
    "int": 7, "int8": 2**40, "text": "it's", "date": datetime.date(2024, 2, 29), "bool": True,
    "float8": 1.5, "numeric": Decimal("1.50"), "bytea": bytes(range(256)), "int[]": [1, None, 3],
    "timestamptz": datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), "jsonb": "{}",
    "inet": None,
}


@case
async def binary_parameters_and_results():
    async with connected() as c:
        marks = ", ".join(f"${n}::{t}" for n, t in enumerate(GIVEN, 1))
        for _ in range(3):
            equal(list(await c.fetchrow(f"select {marks}", *GIVEN.values())), list(GIVEN.values()))


@case
async def types_of_ones_own_are_asked_for():
    async with connected() as c:
        await c.execute("drop type if exists asyncpg_mood, asyncpg_pair cascade")
        await c.execute("create type asyncpg_mood as enum ('sad', 'glad')")
        await c.execute("create type asyncpg_pair as (m asyncpg_mood, n int)")
        equal(tuple(await c.fetchval("select $1::asyncpg_pair", ("glad", 2))), ("glad", 2))
        equal(await c.fetchval("select $1::asyncpg_mood[]", ["sad"]), ["sad"])


@case
async def statement_cache_across_transactions():
    async with connected(4) as (c, other, one, two):
        neighbours = Neighbours(one, two)
        pids = []
        for number in range(20):
            await neighbours.shift()
            equal(await c.fetchval("select $1::int * 2", number), 2 * number)
            equal(await other.fetchval("select $1::int * 3", number), 3 * number)
            pids.append(await c.fetchval("select pg_backend_pid()"))
        moved(pids)
        for number in range(250):  # more than the cache holds: the oldest are closed
            equal(await c.fetchval(f"select $1::int + {number}", 1), number + 1)


@case
async def prepared_statements():
    async with connected(3) as (c, one, two):
        neighbours = Neighbours(one, two)
        statement = await c.prepare("select $1::int, $2::text")
        equal([p.name for p in statement.get_parameters()], ["int4", "text"])
        for number in range(10):
            await neighbours.shift()
            equal(tuple(await statement.fetchrow(number, "x")), (number, "x"))
        del statement
        equal(await c.fetchval("select 1"), 1)


@case
async def schema_changes_between_executions():
    await fresh_table("asyncpg_schema", "id int")
    async with connected(4) as (c, other, one, two):
        neighbours = Neighbours(one, two)
        await c.execute("insert into asyncpg_schema values (1)")
        for _ in range(3):
            equal(tuple(await c.fetchrow("select * from asyncpg_schema where id = $1", 1)), (1,))
        await other.execute("alter table asyncpg_schema add column t text default 'new'")
        for _ in range(3):
            # Outside a transaction the driver itself prepares anew.
            await neighbours.shift()
            equal(tuple(await c.fetchrow("select * from asyncpg_schema where id = $1", 1)),
                  (1, "new"))


@case
async def transactions_and_savepoints():
    await fresh_table("asyncpg_tx", "id int")
    async with connected() as c:
        async with c.transaction():
            await c.execute("insert into asyncpg_tx values ($1)", 1)
            try:
                async with c.transaction():
                    await c.execute("insert into asyncpg_tx values ($1)", 2)
                    await c.fetchval("select 1/$1::int", 0)
            except asyncpg.DivisionByZeroError:
                pass
        transaction = c.transaction()
        await transaction.start()
        await c.execute("insert into asyncpg_tx values ($1)", 3)
        await async_fails("22012", c.fetchval("select 1/$1::int", 0))
        await async_fails("25P02", c.fetchval("select 1"))
        await transaction.rollback()
        equal(await c.fetchval("select array_agg(id) from asyncpg_tx"), [1])


@case
async def isolation_of_a_transaction():
    async with connected(2) as (c, other):
        async with c.transaction(isolation="serializable", readonly=True, deferrable=True):
            equal(await c.fetchval("show transaction_isolation"), "serializable")
        equal(await other.fetchval("show transaction_isolation"), "read committed")
        equal(await c.fetchval("show transaction_read_only"), "off")


@case
async def copy_in_and_out():
    await fresh_table("asyncpg_copy", "id int, t text")
    rows = [(n, f"row {n}") for n in range(10000)]
    async with connected() as c:
        equal(await c.copy_records_to_table("asyncpg_copy", records=rows), "COPY 10000")
        out = io.BytesIO()
        await c.copy_from_query("select * from asyncpg_copy where id < $1 order by id", 10000,
                                output=out)
        equal(out.getvalue(), "".join(f"{n}\t{t}\n" for n, t in rows).encode())
        out.seek(0)
        equal(await c.copy_to_table("asyncpg_copy", source=out), "COPY 10000")
        await async_fails("22P02",
                          c.copy_to_table("asyncpg_copy", source=io.BytesIO(b"x\ty\n")))
        equal(await c.fetchval("select count(*) from asyncpg_copy"), 20000)


@case
async def cancel_of_a_running_statement():
    async with connected() as c:
        for _ in range(3):
            began = time.monotonic()
            try:
                await c.fetchval("select pg_sleep($1)", 15.0, timeout=0.2)
                raise AssertionError("no time-out")
            except asyncio.TimeoutError:
                pass
            assert time.monotonic() - began < 5
            equal(await c.fetchval("select $1::int", 1), 1)


@case
async def notifications_are_received():
    async with connected(2) as (listener, c):
        heard = asyncio.Queue()
        await listener.add_listener("asyncpg_channel", lambda *got: heard.put_nowait(got[3]))
        for number in range(5):
            await c.execute("select pg_notify('asyncpg_channel', $1)", str(number))
        for number in range(5):
            equal(await asyncio.wait_for(heard.get(), 5), str(number))


@case
async def cursors():
    async with connected(3) as (c, one, two):
        neighbours = Neighbours(one, two)
        async with c.transaction():
            total = 0
            async for row in c.cursor("select generate_series(1, $1::int)", 500, prefetch=20):
                total += row[0]
            equal(total, 125250)
            cursor = await c.cursor("select generate_series(1, 100)")
            equal((await cursor.fetch(10))[-1][0], 10)
            await neighbours.shift()
            await cursor.forward(5)
            equal((await cursor.fetchrow())[0], 16)


@case
async def batches():
    await fresh_table("asyncpg_batch", "id int primary key, t text")
    async with connected() as c:
        await c.executemany("insert into asyncpg_batch values ($1, $2)",
                            [(n, f"row {n}") for n in range(2000)])
        equal(await c.fetchval("select count(*) from asyncpg_batch"), 2000)
        await async_fails("23505", c.executemany("insert into asyncpg_batch values ($1, $2)",
                                                 [(n, "again") for n in range(3000, 1000, -1)]))
        equal(await c.fetchval("select count(*) from asyncpg_batch"), 2000)


@case
async def large_result():
    async with connected() as c:
        rows = await c.fetch("select repeat('x', 1000) from generate_series(1, $1) g", 20000)
        equal(sum(len(row[0]) for row in rows), 20_000_000)
        equal(await c.fetchval("select length($1)", "y" * 5_000_000), 5_000_000)


SETTINGS = {"search_path": "pg_catalog, public", "work_mem": "7777kB", "statement_timeout": "17s",
            "timezone": "Asia/Tokyo", "app.tenant": "blue"}


async def settings(connection):
    columns = ", ".join(f"current_setting('{name}', true)" for name in SETTINGS)
    return dict(zip(SETTINGS, await connection.fetchrow(f"select {columns}")))


@case
async def settings_are_kept_and_never_met_by_others():
    async with connected(4) as (c, other, one, two):
        neighbours = Neighbours(one, two)
        before = await settings(other)
        equal(before["app.tenant"], None)
        for name, given in SETTINGS.items():
            await c.execute("select set_config($1, $2, false)", name, given)
        pids = []
        for _ in range(12):
            await neighbours.shift()
            equal(await settings(c), SETTINGS)
            pids.append(await c.fetchval("select pg_backend_pid()"))
            equal(await settings(other), before)
        moved(pids)


@case
async def server_settings_of_the_connection():
    async with connected(2) as (one, two):
        neighbours = Neighbours(one, two)
        async with connected(server_settings={"work_mem": "2345kB",
                                              "application_name": "asyncpg"}) as c:
            for _ in range(4):
                await neighbours.shift()
                equal(await c.fetchval("show work_mem"), "2345kB")
                equal(await c.fetchval("show application_name"), "asyncpg")
                equal(await neighbours.holding.fetchval("show work_mem"), "4MB")


@case
async def temporary_tables_stay_in_their_session():
    async with connected(2) as (c, other):
        for connection, name in ((c, "mine"), (other, "theirs")):
            await connection.execute("create temp table asyncpg_temp (owner text)")
            await connection.execute("insert into asyncpg_temp values ($1)", name)
        for _ in range(8):
            equal(await c.fetchval("select owner from asyncpg_temp"), "mine")
            equal(await other.fetchval("select owner from asyncpg_temp"), "theirs")


@case
async def advisory_locks_stay_in_their_session():
    async with connected(2) as (c, other):
        equal(await c.fetchval("select pg_try_advisory_lock($1)", 5), True)
        for _ in range(8):
            equal(await other.fetchval("select pg_try_advisory_lock($1)", 5), False)
        equal(await c.fetchval("select pg_advisory_unlock($1)", 5), True)
        equal(await other.fetchval("select pg_try_advisory_lock($1)", 5), True)


@case
async def pool_of_the_driver():
    # What the pool does at each release: unlisten, close, unlock and reset all.
    async with asyncpg.create_pool(ssl=tls(), min_size=5, max_size=10) as pool:
        async def one(number):
            async with pool.acquire() as c:
                equal(await c.fetchval("select current_setting('app.tenant', true)") or "", "")
                await c.execute(f"set app.tenant = '{number}'")
                equal(await c.fetchval("select current_setting('app.tenant')"), str(number))

        await asyncio.gather(*(one(number) for number in range(60)))


@case
async def twenty_sessions():
    await fresh_table("asyncpg_ledger", "session int, step int")

    async def step_of(c, number, step):
        async with c.transaction():
            equal(await c.fetchval(
                "select current_setting('app.tenant') || current_setting('work_mem')"),
                f"{number}{1000 + number}kB")
            if step % 5 == 0:
                equal(await c.fetchval(f"select $1::int * {number}", step), step * number)
            elif step % 5 in (1, 2):
                await c.execute("insert into asyncpg_ledger values ($1, $2)", number, step)
                if step % 5 == 2:
                    raise KeyError
            elif step % 5 == 3:
                await c.fetchval("select 1/$1::int", 0)
            else:
                await c.execute("set local work_mem = '3MB'")
                equal(await c.fetchval("show work_mem"), "3MB")

    async def session(number):
        async with connected() as c:
            await c.execute(f"set app.tenant = '{number}'")
            await c.execute(f"set work_mem = '{1000 + number}kB'")
            for step in range(TRANSACTIONS):
                try:
                    await step_of(c, number, step)
                except (KeyError, asyncpg.DivisionByZeroError):
                    equal(step % 5 in (2, 3), True)
            equal(await c.fetchval("select count(*) from asyncpg_ledger where session = $1", number),
                  10)

    await asyncio.gather(*(session(number) for number in range(SESSIONS)))


main()
