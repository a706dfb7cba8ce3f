"""SQLAlchemy 1.4, core and ORM, its pool at 10 + 20, over psycopg2 and over asyncpg."""

import asyncio
import os
import ssl

from sqlalchemy import (Column, ForeignKey, Integer, MetaData, String, Table, create_engine, event,
                        func, insert, select, text)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload
from sqlalchemy.pool import NullPool

from cases import async_fails, case, equal, fails, main, together

THREADS = 30
POOL = {"pool_size": 10, "max_overflow": 20, "pool_pre_ping": True}
Base = declarative_base()


class Account(Base):
    __tablename__ = "sqlalchemy_account"
    id = Column(Integer, primary_key=True)
    name = Column(String, unique=True)
    entries = relationship("Entry", back_populates="account", cascade="all, delete-orphan")


class Entry(Base):
    __tablename__ = "sqlalchemy_entry"
    id = Column(Integer, primary_key=True)
    amount = Column(Integer, nullable=False)
    account_id = Column(ForeignKey("sqlalchemy_account.id"))
    account = relationship("Account", back_populates="entries")


def url(driver):
    e = os.environ
    return (f"postgresql+{driver}://{e['PGUSER']}:{e['PGPASSWORD']}@{e['PGHOST']}:{e['PGPORT']}"
            f"/{e['PGDATABASE']}")


def engine(**more):
    return create_engine(url("psycopg2"), **{**POOL, **more})


def async_engine(**more):
    arguments = {}
    if os.environ.get("PGSSLMODE") == "require":
        arguments["ssl"] = ssl.create_default_context()
        arguments["ssl"].check_hostname = False
        arguments["ssl"].verify_mode = ssl.CERT_NONE
    return create_async_engine(url("asyncpg"), connect_args=arguments, **{**POOL, **more})


def fresh_tables():
    e = engine()
    Base.metadata.drop_all(e)
    Base.metadata.create_all(e)
    e.dispose()


@case
def psycopg2_core():
    e = engine()
    table = Table("sqlalchemy_core", MetaData(), Column("id", Integer, primary_key=True),
                  Column("t", String))
    table.drop(e, checkfirst=True)
    table.create(e)
    with e.begin() as c:
        c.execute(insert(table), [{"t": f"row {n}"} for n in range(500)])
        with c.begin_nested() as savepoint:
            c.execute(table.delete())
            savepoint.rollback()
        equal(c.execute(select(func.count()).select_from(table)).scalar(), 500)
    try:
        with e.begin() as c:
            c.execute(table.delete())
            c.execute(text("select 1/0"))
    except DBAPIError as error:
        equal(error.orig.pgcode, "22012")
    with e.connect().execution_options(stream_results=True) as c:
        equal(sum(1 for _ in c.execute(select(table))), 500)
    reflected = Table("sqlalchemy_core", MetaData(), autoload_with=e)
    equal(list(reflected.c.keys()), ["id", "t"])
    e.dispose()


@case
def psycopg2_orm():
    fresh_tables()
    e = engine()
    with Session(e) as session:
        session.add(Account(name="a", entries=[Entry(amount=n) for n in range(10)]))
        session.commit()
        account = session.execute(select(Account).options(selectinload(Account.entries))).scalar()
        equal(sum(entry.amount for entry in account.entries), 45)
        account.entries[0].amount = 100
        session.commit()
        equal(session.query(func.sum(Entry.amount)).scalar(), 145)
        session.add(Account(name="a"))
        try:
            session.commit()
            raise AssertionError("not unique")
        except IntegrityError:
            session.rollback()
        session.delete(account)
        session.commit()
        equal(session.query(Entry).count(), 0)
    e.dispose()


@case
def psycopg2_isolation_levels():
    e = engine()
    for _ in range(3):
        with e.connect().execution_options(isolation_level="SERIALIZABLE") as c:
            equal(c.execute(text("show transaction_isolation")).scalar(), "serializable")
        with e.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            equal(c.execute(text("show transaction_isolation")).scalar(), "read committed")
        with e.connect().execution_options(postgresql_readonly=True) as c:
            equal(c.execute(text("show transaction_read_only")).scalar(), "on")
        with e.connect() as c:
            equal(c.execute(text("show transaction_read_only")).scalar(), "off")
    e.dispose()


@case
def psycopg2_settings_at_connect():
    e = engine()

    @event.listens_for(e, "connect")
    def set_path(connection, _):
        with connection.cursor() as cursor:
            cursor.execute("set search_path = public, pg_catalog")
        connection.commit()

    def body(number):
        for _ in range(10):
            with e.begin() as c:
                equal(c.execute(text("show search_path")).scalar(), "public, pg_catalog")

    together(THREADS, body)
    plain = create_engine(url("psycopg2"), poolclass=NullPool)
    for _ in range(10):
        with plain.connect() as c:
            equal(c.execute(text("show search_path")).scalar(), '"$user", public')
    e.dispose()


@case
def psycopg2_thirty_threads():
    fresh_tables()
    e = engine()

    def body(number):
        for step in range(20):
            with Session(e) as session, session.begin():
                session.execute(text("set local app.tenant = '%d'" % number))
                session.add(Account(name=f"{number}-{step}", entries=[Entry(amount=number)]))
                session.flush()
                equal(session.execute(text("select current_setting('app.tenant')")).scalar(),
                      str(number))
            if step % 4 == 0:
                with e.connect() as c:
                    fails("22012", lambda: c.execute(text("select 1/0")))

    together(THREADS, body)
    with Session(e) as session:
        equal(session.query(Account).count(), 20 * THREADS)
        equal(session.query(func.sum(Entry.amount)).scalar(), 20 * sum(range(THREADS)))
    e.dispose()


@case
async def asyncpg_core():
    e = async_engine()
    table = Table("sqlalchemy_async_core", MetaData(), Column("id", Integer, primary_key=True),
                  Column("t", String))
    async with e.begin() as c:
        await c.run_sync(lambda sync: table.drop(sync, checkfirst=True))
        await c.run_sync(table.create)
        await c.execute(insert(table), [{"t": f"row {n}"} for n in range(500)])
    async with e.begin() as c:
        async with c.begin_nested() as savepoint:
            await c.execute(table.delete())
            await savepoint.rollback()
        equal((await c.execute(select(func.count()).select_from(table))).scalar(), 500)
    async with e.connect() as c:
        await async_fails("22012", c.execute(text("select 1/0")))
        await c.rollback()
        rows = await c.stream(select(table))
        equal(len([row async for row in rows]), 500)
    await e.dispose()


@case
async def asyncpg_schema_changes():
    e = async_engine()
    async with e.begin() as c:
        await c.execute(text("drop table if exists sqlalchemy_schema"))
        await c.execute(text("create table sqlalchemy_schema as select 1 as id"))
    async with e.connect() as c:
        equal((await c.execute(text("select * from sqlalchemy_schema"))).all(), [(1,)])
        await c.rollback()
        async with e.begin() as other:
            await other.execute(text("alter table sqlalchemy_schema add column t text"))
        # The dialect forgets its statements with DDL of its own process only; elsewhere the
        # first execution may fail with 0A000 and the next one is right.
        try:
            equal((await c.execute(text("select * from sqlalchemy_schema"))).all(), [(1, None)])
        except DBAPIError as error:
            equal(error.orig.sqlstate, "0A000")
        await c.rollback()
        equal((await c.execute(text("select * from sqlalchemy_schema"))).all(), [(1, None)])
    await e.dispose()


@case
async def asyncpg_thirty_tasks():
    fresh_tables()
    e = async_engine()

    async def body(number):
        for step in range(20):
            async with AsyncSession(e) as session, session.begin():
                await session.execute(text("set local app.tenant = '%d'" % number))
                session.add(Account(name=f"{number}-{step}", entries=[Entry(amount=number)]))
                await session.flush()
                tenant = await session.execute(text("select current_setting('app.tenant')"))
                equal(tenant.scalar(), str(number))
            if step % 4 == 0:
                async with e.connect() as c:
                    await async_fails("22012", c.execute(text("select 1/0")))

    await asyncio.gather(*(body(number) for number in range(THREADS)))
    async with AsyncSession(e) as session:
        equal((await session.execute(select(func.count()).select_from(Account))).scalar(),
              20 * THREADS)
    await e.dispose()


main()
