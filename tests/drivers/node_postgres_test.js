// node-postgres: unnamed and named prepared statements, a pool of connections, events.
'use strict';

const assert = require('assert').strict;
const { Client, Pool, Query } = require('pg');

const SESSIONS = 20;
const TRANSACTIONS = 50;
const CASE_MS = 15000;
const POOLED = process.env.DRIVERS_POOLED === '1';

const options = () => ({
  ssl: process.env.PGSSLMODE === 'require' ? { rejectUnauthorized: false } : false,
});

async function connect(more = {}) {
  const client = new Client({ ...options(), ...more });
  client.on('error', () => {});
  await client.connect();
  return client;
}

// Runs body with this many connections and closes them whatever happens.
async function withClients(count, body, more = {}) {
  const clients = [];
  try {
    for (let i = 0; i < count; i++) clients.push(await connect(more));
    return await body(...clients);
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

async function value(client, text, values, name) {
  const result = await client.query({ text, values, name, rowMode: 'array' });
  return result.rows[0][0];
}

async function fails(code, promise) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, error.message);
    return true;
  });
}

async function freshTable(name, columns) {
  await withClients(1, (c) => c.query(`drop table if exists ${name}; create table ${name} (${columns})`));
}

// Two sessions that take turns at holding a transaction open, so that the transactions of others
// keep changing backends.
class Neighbours {
  constructor(one, two) {
    this.holding = one;
    this.next = two;
  }
  async shift() {
    await this.next.query('begin');
    await this.holding.query('rollback');
    [this.holding, this.next] = [this.next, this.holding];
  }
}

function moved(pids) {
  const distinct = new Set(pids).size;
  if (POOLED) assert.ok(distinct > 1, 'the session never changed its backend');
  else assert.equal(distinct, 1);
}

const cases = {
  async connects_by_scram_over_tls() {
    await withClients(1, async (c) => {
      if (process.env.PGSSLMODE === 'require') assert.ok(c.connection.stream.encrypted);
      assert.equal(await value(c, 'select current_user::text'), process.env.PGUSER);
    });
    await fails('28P01', connect({ password: 'wrong' }));
  },

  async simple_statements() {
    await withClients(1, async (c) => {
      const results = await c.query("select 1 as a; select 'x' as b, 2 as c");
      assert.deepEqual(results.map((r) => r.rows), [[{ a: 1 }], [{ b: 'x', c: 2 }]]);
      await fails('42601', c.query('selec'));
      assert.equal(await value(c, 'select 1'), 1);
      assert.equal((await c.query('')).rows.length, 0);
    });
  },

  async parameters_and_types() {
    await withClients(1, async (c) => {
      const date = new Date('2024-02-29T12:00:00Z');
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const given = [7, "it's", null, true, [1, 2], { a: [1] }, date, bytes];
      const types = ['int', 'text', 'text', 'bool', 'int[]', 'jsonb', 'timestamptz', 'bytea'];
      const { rows } = await c.query({
        text: 'select ' + types.map((type, i) => `$${i + 1}::${type}`).join(', '),
        values: given,
        rowMode: 'array',
      });
      assert.deepEqual(rows[0], given);
    });
  },

  async named_statements_across_transactions() {
    await withClients(4, async (c, other, one, two) => {
      const neighbours = new Neighbours(one, two);
      const pids = [];
      for (let i = 0; i < 20; i++) {
        await neighbours.shift();
        assert.equal(await value(c, 'select $1::int * 2', [i], 'multiply'), 2 * i);
        assert.equal(await value(other, 'select $1::int * 3', [i], 'multiply'), 3 * i);
        pids.push(await value(c, 'select pg_backend_pid()', [], 'pid'));
      }
      moved(pids);
    });
  },

  async many_named_statements() {
    await withClients(3, async (c, one, two) => {
      const neighbours = new Neighbours(one, two);
      for (let i = 0; i < 300; i++) {
        if (i % 20 === 0) await neighbours.shift();
        assert.equal(await value(c, `select $1::int + ${i}`, [1], `plus_${i}`), i + 1);
      }
      for (let i = 0; i < 300; i += 7) {
        assert.equal(await value(c, `select $1::int + ${i}`, [2], `plus_${i}`), i + 2);
      }
    });
  },

  async schema_changes_between_executions() {
    await freshTable('node_schema', 'id int');
    await withClients(4, async (c, other, one, two) => {
      const neighbours = new Neighbours(one, two);
      await c.query('insert into node_schema values (1)');
      const read = (client) => client.query({ name: 'all', text: 'select * from node_schema where id = $1', values: [1] });
      for (let i = 0; i < 3; i++) assert.deepEqual((await read(c)).rows, [{ id: 1 }]);
      await other.query("alter table node_schema add column t text default 'new'");
      // On one session of PostgreSQL the statement stays bad: the driver never forgets a name.
      try {
        await read(c);
      } catch (error) {
        assert.equal(error.code, '0A000', error.message);
      }
      for (let i = 0; i < 3; i++) {
        await neighbours.shift();
        assert.deepEqual((await read(other)).rows, [{ id: 1, t: 'new' }]);
        assert.equal(await value(c, 'select 1'), 1);
      }
    });
  },

  async commit_and_rollback() {
    await freshTable('node_tx', 'id int');
    await withClients(1, async (c) => {
      for (const [id, end] of [[1, 'commit'], [2, 'rollback']]) {
        await c.query('begin');
        await c.query('insert into node_tx values ($1)', [id]);
        await c.query(end);
      }
      await c.query('begin');
      await fails('22012', c.query('select 1/$1::int', [0]));
      await fails('25P02', c.query('select 1'));
      assert.equal((await c.query('commit')).command, 'ROLLBACK');
      assert.deepEqual(await value(c, 'select array_agg(id) from node_tx'), [1]);
    });
  },

  async savepoints() {
    await withClients(1, async (c) => {
      await c.query('begin');
      await c.query('create temp table node_savepoint (id int) on commit drop');
      await c.query('savepoint a');
      await c.query('insert into node_savepoint values ($1)', [1]);
      await fails('22012', c.query('select 1/$1::int', [0]));
      await c.query('rollback to a');
      assert.equal(await value(c, 'select count(*)::int from node_savepoint'), 0);
      await c.query('commit');
    });
  },

  async copy_in_and_out() {
    await freshTable('node_copy', 'id int, t text');
    await withClients(1, async (c) => {
      const rows = Array.from({ length: 5000 }, (_, i) => `${i}\trow ${i}\n`);
      await copyIn(c, 'copy node_copy from stdin', rows);
      const out = await copyOut(c, 'copy (select * from node_copy order by id) to stdout');
      assert.equal(out, rows.join(''));
      await fails('22P02', copyIn(c, 'copy node_copy from stdin', ['x\ty\n']));
      assert.equal(await value(c, 'select count(*)::int from node_copy'), 5000);
    });
  },

  async cancel_of_a_running_statement() {
    await withClients(1, async (c) => {
      for (let i = 0; i < 3; i++) {
        const began = Date.now();
        let outcome;
        const query = new Query('select pg_sleep(15)', (error) => outcome(error));
        const ended = new Promise((resolve) => (outcome = resolve));
        c.query(query);
        setTimeout(() => new Client({ ...options(), ssl: false }).cancel(c, query), 200);
        const error = await ended;
        assert.equal(error && error.code, '57014');
        assert.ok(Date.now() - began < 5000);
        assert.equal(await value(c, 'select 1'), 1);
      }
    });
  },

  async notifications_are_received() {
    await withClients(2, async (listener, c) => {
      const heard = [];
      const all = new Promise((resolve) => {
        listener.on('notification', (n) => {
          heard.push(n.payload);
          if (heard.length === 5) resolve();
        });
      });
      await listener.query('listen node_channel');
      for (const n of '01234') await c.query('select pg_notify($1, $2)', ['node_channel', n]);
      await all;
      assert.deepEqual(heard, [...'01234']);
    });
  },

  async queued_statements() {
    await withClients(3, async (c, one, two) => {
      const neighbours = new Neighbours(one, two);
      for (let turn = 0; turn < 4; turn++) {
        await neighbours.shift();
        const answers = Array.from({ length: 50 }, (_, i) =>
          i % 10 === 9 ? c.query('select 1/$1::int', [0]).catch((e) => e.code) : value(c, 'select $1::int', [i]));
        assert.deepEqual(await Promise.all(answers), Array.from({ length: 50 }, (_, i) => (i % 10 === 9 ? '22012' : i)));
      }
    });
  },

  async cursors() {
    await withClients(3, async (c, one, two) => {
      const neighbours = new Neighbours(one, two);
      await c.query('begin');
      await c.query('declare held cursor with hold for select generate_series(1, 100)');
      await c.query('commit');
      for (let i = 0; i < 10; i++) {
        await neighbours.shift();
        assert.equal((await c.query('fetch 10 from held')).rows[9].generate_series, 10 * i + 10);
      }
      await c.query('close held');
      // Execute with a row limit, the portal going on from where it stopped.
      const paged = await c.query({ text: 'select generate_series(1, 50)', rows: 7 });
      assert.ok(paged.rows.length >= 7);
    });
  },

  async large_result() {
    await withClients(1, async (c) => {
      const { rows } = await c.query("select repeat('x', 1000) as t from generate_series(1, $1) g", [20000]);
      assert.equal(rows.reduce((sum, row) => sum + row.t.length, 0), 20_000_000);
      assert.equal(await value(c, 'select length($1)', ['y'.repeat(5_000_000)]), 5_000_000);
    });
  },

  async settings_are_kept_and_never_met_by_others() {
    await withClients(4, async (c, other, one, two) => {
      const neighbours = new Neighbours(one, two);
      const given = ['pg_catalog, public', '7777kB', '17s', 'Asia/Tokyo', 'blue'];
      const text = "select current_setting('search_path'), current_setting('work_mem'), " +
        "current_setting('statement_timeout'), current_setting('timezone'), current_setting('app.tenant', true)";
      const settings = async (client) => (await client.query({ text, rowMode: 'array', name: 'settings' })).rows[0];
      const before = await settings(other);
      assert.equal(before[4], null);
      await c.query("set search_path = pg_catalog, public; set work_mem = '7777kB'; set statement_timeout = '17s'; " +
        "set timezone = 'Asia/Tokyo'; set app.tenant = 'blue'");
      const pids = [];
      for (let i = 0; i < 12; i++) {
        await neighbours.shift();
        assert.deepEqual(await settings(c), given);
        pids.push(await value(c, 'select pg_backend_pid()'));
        assert.deepEqual(await settings(other), before);
      }
      moved(pids);
    });
  },

  async options_of_the_connection() {
    await withClients(1, async (c) => withClients(2, async (one, two) => {
      const neighbours = new Neighbours(one, two);
      for (let i = 0; i < 4; i++) {
        await neighbours.shift();
        assert.equal(await value(c, 'show statement_timeout'), '12345ms');
        assert.equal(await value(c, 'show application_name'), 'node');
        assert.equal(await value(one, 'show statement_timeout'), '0');
      }
    }), { statement_timeout: 12345, application_name: 'node' });
  },

  async temporary_tables_stay_in_their_session() {
    await withClients(2, async (c, other) => {
      for (const [client, name] of [[c, 'mine'], [other, 'theirs']]) {
        await client.query('create temp table node_temp (owner text)');
        await client.query('insert into node_temp values ($1)', [name]);
      }
      for (let i = 0; i < 8; i++) {
        assert.equal(await value(c, 'select owner from node_temp', [], 'owner'), 'mine');
        assert.equal(await value(other, 'select owner from node_temp', [], 'owner'), 'theirs');
      }
    });
  },

  async advisory_locks_stay_in_their_session() {
    await withClients(2, async (c, other) => {
      assert.equal(await value(c, 'select pg_try_advisory_lock($1)', [4]), true);
      for (let i = 0; i < 8; i++) {
        assert.equal(await value(other, 'select pg_try_advisory_lock($1)', [4]), false);
      }
      assert.equal(await value(c, 'select pg_advisory_unlock($1)', [4]), true);
      assert.equal(await value(other, 'select pg_try_advisory_lock($1)', [4]), true);
    });
  },

  async pool_of_the_driver() {
    const pool = new Pool({ ...options(), max: 10 });
    try {
      const answers = Array.from({ length: 200 }, (_, i) =>
        pool.query({ name: `pool_${i % 7}`, text: `select $1::int + ${i % 7}`, values: [i], rowMode: 'array' }));
      const results = await Promise.all(answers);
      assert.deepEqual(results.map((r) => r.rows[0][0]), Array.from({ length: 200 }, (_, i) => i + (i % 7)));
    } finally {
      await pool.end();
    }
  },

  async twenty_sessions() {
    await freshTable('node_ledger', 'session int, step int');
    const session = (number) => withClients(1, async (c) => {
      await c.query(`set app.tenant = '${number}'`);
      await c.query(`set work_mem = '${1000 + number}kB'`);
      const state = "select current_setting('app.tenant') || current_setting('work_mem')";
      for (let step = 0; step < TRANSACTIONS; step++) {
        await c.query('begin');
        assert.equal(await value(c, state, [], 'state'), `${number}${1000 + number}kB`);
        let end = 'commit';
        if (step % 5 === 0) {
          assert.equal(await value(c, `select $1::int * ${number}`, [step], 'mine'), step * number);
        } else if (step % 5 === 1 || step % 5 === 2) {
          await c.query('insert into node_ledger values ($1, $2)', [number, step]);
          if (step % 5 === 2) end = 'rollback';
        } else if (step % 5 === 3) {
          await fails('22012', c.query('select 1/$1::int', [0]));
          end = 'rollback';
        } else {
          await c.query("set local work_mem = '3MB'");
          assert.equal(await value(c, 'show work_mem'), '3MB');
        }
        await c.query(end);
      }
      assert.equal(await value(c, 'select count(*)::int from node_ledger where session = $1', [number]), 10);
    });
    await Promise.all(Array.from({ length: SESSIONS }, (_, number) => session(number)));
  },
};

// The driver leaves COPY to its users: a query object of one's own speaks it.
function copy(client, text, handlers) {
  return new Promise((resolve, reject) => {
    client.query({
      submit(connection) {
        connection.query(text);
      },
      handleCommandComplete() {},
      handleError: reject,
      handleReadyForQuery: resolve,
      ...handlers,
    });
  });
}

function copyIn(client, text, rows) {
  return copy(client, text, {
    handleCopyInResponse(connection) {
      for (const row of rows) connection.sendCopyFromChunk(Buffer.from(row));
      connection.endCopyFrom();
    },
  });
}

async function copyOut(client, text) {
  const chunks = [];
  await copy(client, text, {
    handleCopyData(message) {
      chunks.push(Buffer.from(message.chunk));
    },
  });
  return Buffer.concat(chunks).toString();
}

async function runOne(body) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still runs after ${CASE_MS} ms`)), CASE_MS);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function main() {
  const wanted = process.argv.slice(2);
  let status = 0;
  for (const [name, body] of Object.entries(cases)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    try {
      await runOne(body);
      console.log(`ok ${name}`);
    } catch (error) {
      const where = (error.stack || '').split('\n').find((l) => l.includes(__filename)) || '';
      console.log(`FAILED ${name}: ${String(error.message).replace(/\s+/g, ' ')} ${where.trim()}`);
      status = 1;
    }
  }
  process.exit(status);
}

process.on('unhandledRejection', (error) => console.log(`unhandled: ${error.message}`));
main();
