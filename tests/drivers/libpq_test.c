// libpq in C: every way of sending a statement, pipeline mode, COPY, cancel, notifications.
//
// Takes the connection from libpq's environment variables and the names of the cases to run from
// its arguments (none = all); prints "ok NAME" or "FAILED NAME: why" for each.

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kSessions = 20, kTransactions = 50, kCaseSeconds = 15, kConnections = 8 };

// What one case, or one thread of it, has opened, and where it goes when something is wrong.
typedef struct Run {
  PGconn* opened[kConnections];
  int count;
  jmp_buf failed;
  char why[500];
} Run;

static _Thread_local Run* run;
static bool pooled;  // the sessions share few backends

static void Fail(int line, const char* format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char* c = text; *c != '\0'; ++c) {
    if (*c == '\n') *c = ' ';
  }
  snprintf(run->why, sizeof run->why, "line %d: %s", line, text);
  longjmp(run->failed, 1);
}

#define EXPECT(condition, ...)                     \
  do {                                             \
    if (!(condition)) Fail(__LINE__, __VA_ARGS__); \
  } while (0)

static void Ignore(void* argument, const char* message) {
  (void)argument;
  (void)message;
}

static PGconn* ConnectLine(int line, const char* more) {
  PGconn* connection = PQconnectdb(more);
  run->opened[run->count++] = connection;
  if (PQstatus(connection) != CONNECTION_OK) Fail(line, "%s", PQerrorMessage(connection));
  PQsetNoticeProcessor(connection, Ignore, NULL);
  return connection;
}
#define Connect() ConnectLine(__LINE__, "")

static const char* State(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == NULL ? "" : state;
}

// Takes the result, which must be of this status, or of this SQLSTATE where one is expected.
static void TakeLine(int line, PGconn* connection, PGresult* result, const char* state) {
  char got[6];
  snprintf(got, sizeof got, "%s", State(result));
  ExecStatusType status = PQresultStatus(result);
  PQclear(result);
  if (strcmp(got, state) != 0) {
    Fail(line, "SQLSTATE \"%s\", expected \"%s\": %s", got, state, PQerrorMessage(connection));
  }
  if (state[0] == '\0' && (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE)) {
    Fail(line, "%s", PQerrorMessage(connection));
  }
}
#define Exec(connection, sql) TakeLine(__LINE__, connection, PQexec(connection, sql), "")
#define ExecFails(connection, sql, state) \
  TakeLine(__LINE__, connection, PQexec(connection, sql), state)

// The first value of the result must be this one.
static void ValueLine(int line, PGconn* connection, PGresult* result, const char* expected) {
  char got[100] = "";
  if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) < 1) {
    PQclear(result);
    Fail(line, "no row: %s", PQerrorMessage(connection));
  }
  bool null = PQgetisnull(result, 0, 0) != 0;
  snprintf(got, sizeof got, "%s", null ? "NULL" : PQgetvalue(result, 0, 0));
  PQclear(result);
  if (strcmp(got, expected) != 0) Fail(line, "got \"%s\", expected \"%s\"", got, expected);
}
#define Value(connection, sql, expected) \
  ValueLine(__LINE__, connection, PQexec(connection, sql), expected)

static PGresult* ExecInt(PGconn* connection, const char* sql, int number) {
  char text[12];
  snprintf(text, sizeof text, "%d", number);
  const char* values[] = {text};
  return PQexecParams(connection, sql, 1, NULL, values, NULL, NULL, 0);
}

static PGresult* ExecPreparedInt(PGconn* connection, const char* name, int number) {
  char text[12];
  snprintf(text, sizeof text, "%d", number);
  const char* values[] = {text};
  return PQexecPrepared(connection, name, 1, values, NULL, NULL, 0);
}

static const char* Number(int number) {
  static _Thread_local char text[12];
  snprintf(text, sizeof text, "%d", number);
  return text;
}

// Two sessions that take turns at holding a transaction open, so that the transactions of a third
// one keep changing backends.
typedef struct Neighbours {
  PGconn* holding;
  PGconn* next;
} Neighbours;

static Neighbours MeetNeighbours(void) {
  Neighbours result;
  result.holding = Connect();
  result.next = Connect();
  return result;
}

static void Shift(Neighbours* neighbours) {
  Exec(neighbours->next, "begin");
  Exec(neighbours->holding, "rollback");
  PGconn* holding = neighbours->holding;
  neighbours->holding = neighbours->next;
  neighbours->next = holding;
}

typedef struct Moves {
  int first;
  bool moved;
} Moves;

static void Note(Moves* moves, PGconn* connection) {
  PGresult* result = PQexec(connection, "select pg_backend_pid()");
  int pid = atoi(PQgetvalue(result, 0, 0));
  PQclear(result);
  if (moves->first == 0) moves->first = pid;
  if (pid != moves->first) moves->moved = true;
}
#define ExpectMoved(moves) \
  EXPECT((moves).moved == pooled, pooled ? "the session never changed its backend" : "it moved")

// --- the cases ---

static void connects_by_scram_over_tls(void) {
  PGconn* c = Connect();
  const char* mode = getenv("PGSSLMODE");
  if (mode != NULL && strcmp(mode, "require") == 0) EXPECT(PQsslInUse(c), "no TLS");
  EXPECT(PQconnectionUsedPassword(c), "no password was asked for");
  Value(c, "select current_user", getenv("PGUSER"));
  PGconn* wrong = PQconnectdb("password=wrong");
  run->opened[run->count++] = wrong;
  EXPECT(PQstatus(wrong) == CONNECTION_BAD, "a wrong password is let in");
  EXPECT(strstr(PQerrorMessage(wrong), "password authentication failed") != NULL, "%s",
         PQerrorMessage(wrong));
}

static void simple_statements(void) {
  PGconn* c = Connect();
  Value(c, "select 1; select 'last'", "last");
  ExecFails(c, "selec", "42601");
  PGresult* empty = PQexec(c, "");
  EXPECT(PQresultStatus(empty) == PGRES_EMPTY_QUERY, "not empty");
  PQclear(empty);
  Value(c, "select 'still here'", "still here");
}

static void parameters_text_and_binary(void) {
  PGconn* c = Connect();
  for (int n = 0; n < 10; ++n) {
    ValueLine(__LINE__, c, ExecInt(c, "select $1::int * 2", n), Number(2 * n));
  }
  const char bytes[] = {0, 1, '\\', '\'', (char)255};
  const char* values[] = {bytes, NULL};
  const int lengths[] = {sizeof bytes, 0};
  const int formats[] = {1, 1};
  const Oid types[] = {17, 23};
  PGresult* result =
      PQexecParams(c, "select $1, $2, 258::int4", 2, types, values, lengths, formats, 1);
  bool same = PQntuples(result) == 1 && PQgetlength(result, 0, 0) == sizeof bytes &&
              memcmp(PQgetvalue(result, 0, 0), bytes, sizeof bytes) == 0 &&
              PQgetisnull(result, 0, 1) && memcmp(PQgetvalue(result, 0, 2), "\0\0\1\2", 4) == 0;
  PQclear(result);
  EXPECT(same, "binary values changed on the way");
}

static void prepared_across_transactions(void) {
  PGconn* c = Connect();
  PGconn* other = Connect();
  Neighbours neighbours = MeetNeighbours();
  TakeLine(__LINE__, c, PQprepare(c, "s", "select $1::int * 2", 0, NULL), "");
  TakeLine(__LINE__, other, PQprepare(other, "s", "select $1::int * 3", 0, NULL), "");
  Moves moves = {0};
  for (int n = 0; n < 20; ++n) {
    Shift(&neighbours);
    ValueLine(__LINE__, c, ExecPreparedInt(c, "s", n), Number(2 * n));
    Note(&moves, c);
    ValueLine(__LINE__, other, ExecPreparedInt(other, "s", n), Number(3 * n));
  }
  ExpectMoved(moves);
  PGresult* described = PQdescribePrepared(c, "s");
  int parameters = PQnparams(described);
  PQclear(described);
  EXPECT(parameters == 1, "Describe tells of %d parameters", parameters);
  TakeLine(__LINE__, c, PQprepare(c, "s", "select 1", 0, NULL), "42P05");
  Exec(c, "deallocate s");
  TakeLine(__LINE__, c, ExecPreparedInt(c, "s", 1), "26000");
  TakeLine(__LINE__, c, PQprepare(c, "s", "select $1::int * 4", 0, NULL), "");
  Shift(&neighbours);
  ValueLine(__LINE__, c, ExecPreparedInt(c, "s", 2), "8");
  ValueLine(__LINE__, other, ExecPreparedInt(other, "s", 2), "6");
  Exec(c, "discard all");
  TakeLine(__LINE__, c, ExecPreparedInt(c, "s", 1), "26000");
  TakeLine(__LINE__, c, PQdescribePrepared(c, "never"), "26000");
  TakeLine(__LINE__, c, PQdescribePortal(c, "never"), "34000");
}

static void prepared_in_sql_and_by_protocol(void) {
  PGconn* c = Connect();
  Neighbours neighbours = MeetNeighbours();
  Exec(c, "prepare by_sql(int) as select $1 + 1");
  TakeLine(__LINE__, c, PQprepare(c, "by_protocol", "select $1::int + 2", 0, NULL), "");
  for (int n = 0; n < 6; ++n) {
    Shift(&neighbours);
    ValueLine(__LINE__, c, ExecPreparedInt(c, "by_sql", n), Number(n + 1));
    Value(c, "execute by_protocol(40)", "42");
    // Behind a pooler the statements have names of its own.
    if (!pooled) {
      Value(c, "select string_agg(name, ',' order by name) from pg_prepared_statements",
            "by_protocol,by_sql");
    }
  }
}

static void schema_changes_between_executions(void) {
  PGconn* c = Connect();
  PGconn* other = Connect();
  Exec(c, "drop table if exists libpq_schema; create table libpq_schema as select 1 as id");
  TakeLine(__LINE__, c, PQprepare(c, "all", "select * from libpq_schema", 0, NULL), "");
  TakeLine(__LINE__, c, PQexecPrepared(c, "all", 0, NULL, NULL, NULL, 0), "");
  Exec(other, "alter table libpq_schema add column t text");
  // PostgreSQL itself says 0A000 on a session; a pooler may prepare anew.
  PGresult* result = PQexecPrepared(c, "all", 0, NULL, NULL, NULL, 0);
  bool good = (PQresultStatus(result) == PGRES_TUPLES_OK && PQnfields(result) == 2) ||
              (!pooled && strcmp(State(result), "0A000") == 0);
  char text[100];
  snprintf(text, sizeof text, "%s", PQresultErrorMessage(result));
  PQclear(result);
  EXPECT(good, "%s", text);
  Value(c, "select 1", "1");
}

static void transactions(void) {
  PGconn* c = Connect();
  Exec(c, "drop table if exists libpq_tx; create table libpq_tx (id int)");
  Exec(c, "begin; insert into libpq_tx values (1); commit");
  Exec(c, "begin; insert into libpq_tx values (2)");
  EXPECT(PQtransactionStatus(c) == PQTRANS_INTRANS, "no transaction");
  Exec(c, "rollback");
  Exec(c, "begin");
  TakeLine(__LINE__, c, ExecInt(c, "select 1/$1::int", 0), "22012");
  EXPECT(PQtransactionStatus(c) == PQTRANS_INERROR, "no failed transaction");
  ExecFails(c, "select 1", "25P02");
  Exec(c, "rollback");
  Exec(c, "begin; insert into libpq_tx values (3); savepoint a; insert into libpq_tx values (4)");
  ExecFails(c, "select 1/0", "22012");
  Exec(c, "rollback to a");
  Exec(c, "commit");
  // One implicit transaction: the error ends it whole.
  ExecFails(c, "insert into libpq_tx values (5); select 1/0", "22012");
  Value(c, "select string_agg(id::text, ',') from libpq_tx", "1,3");
}

static void copy_in_and_out(void) {
  PGconn* c = Connect();
  Exec(c, "drop table if exists libpq_copy; create table libpq_copy (id int, t text)");
  PGresult* result = PQexec(c, "copy libpq_copy from stdin");
  EXPECT(PQresultStatus(result) == PGRES_COPY_IN, "%s", PQerrorMessage(c));
  PQclear(result);
  char line[50];
  for (int n = 0; n < 20000; ++n) {
    int size = snprintf(line, sizeof line, "%d\trow %d\n", n, n);
    EXPECT(PQputCopyData(c, line, size) == 1, "%s", PQerrorMessage(c));
  }
  EXPECT(PQputCopyEnd(c, NULL) == 1, "%s", PQerrorMessage(c));
  TakeLine(__LINE__, c, PQgetResult(c), "");
  EXPECT(PQgetResult(c) == NULL, "more results");

  PQclear(PQexec(c, "copy libpq_copy from stdin"));
  EXPECT(PQputCopyEnd(c, "given up") == 1, "%s", PQerrorMessage(c));
  TakeLine(__LINE__, c, PQgetResult(c), "57014");
  EXPECT(PQgetResult(c) == NULL, "more results");

  PQclear(PQexec(c, "copy libpq_copy to stdout"));
  int rows = 0;
  char* row = NULL;
  while (PQgetCopyData(c, &row, 0) > 0) {
    ++rows;
    PQfreemem(row);
  }
  TakeLine(__LINE__, c, PQgetResult(c), "");
  EXPECT(PQgetResult(c) == NULL, "more results");
  EXPECT(rows == 20000, "%d rows", rows);
}

static void cancel_of_a_running_statement(void) {
  PGconn* c = Connect();
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT(PQsendQuery(c, "select pg_sleep(15)") == 1, "%s", PQerrorMessage(c));
    usleep(200000);
    PGcancel* cancel = PQgetCancel(c);
    char why[256] = "";
    int sent = PQcancel(cancel, why, sizeof why);
    PQfreeCancel(cancel);
    EXPECT(sent == 1, "%s", why);
    TakeLine(__LINE__, c, PQgetResult(c), "57014");
    EXPECT(PQgetResult(c) == NULL, "more results");
    Value(c, "select 1", "1");
  }
}

static void notifications_are_received(void) {
  PGconn* listener = Connect();
  PGconn* c = Connect();
  Exec(listener, "listen libpq_channel");
  for (int n = 0; n < 5; ++n) {
    ValueLine(__LINE__, c, ExecInt(c, "select pg_notify('libpq_channel', $1)", n), "");
  }
  for (int heard = 0; heard < 5;) {
    PGnotify* notification = PQnotifies(listener);
    if (notification != NULL) {
      bool right = atoi(notification->extra) == heard;
      PQfreemem(notification);
      EXPECT(right, "out of order");
      ++heard;
      continue;
    }
    struct pollfd wait = {PQsocket(listener), POLLIN, 0};
    EXPECT(poll(&wait, 1, 5000) == 1, "%d of 5 notifications", heard);
    EXPECT(PQconsumeInput(listener) == 1, "%s", PQerrorMessage(listener));
  }
}

// Results of one statement of a pipeline: the first value, or the SQLSTATE, or "aborted", "sync".
static const char* NextOfPipeline(PGconn* c) {
  static char text[100];
  PGresult* result = PQgetResult(c);
  EXPECT(result != NULL, "no result: %s", PQerrorMessage(c));
  ExecStatusType status = PQresultStatus(result);
  snprintf(text, sizeof text, "%s",
           status == PGRES_PIPELINE_SYNC      ? "sync"
           : status == PGRES_PIPELINE_ABORTED ? "aborted"
           : status == PGRES_TUPLES_OK        ? PQgetvalue(result, 0, 0)
           : status == PGRES_COMMAND_OK       ? "done"
                                              : State(result));
  PQclear(result);
  if (status != PGRES_PIPELINE_SYNC) EXPECT(PQgetResult(c) == NULL, "a second result");
  return text;
}

static void ExpectNext(int line, PGconn* c, const char* expected) {
  const char* got = NextOfPipeline(c);
  if (strcmp(got, expected) != 0) Fail(line, "got \"%s\", expected \"%s\"", got, expected);
}

static void pipelines(void) {
  PGconn* c = Connect();
  Neighbours neighbours = MeetNeighbours();
  for (int turn = 0; turn < 5; ++turn) {
    Shift(&neighbours);
    EXPECT(PQenterPipelineMode(c) == 1, "%s", PQerrorMessage(c));
    const char* values[] = {"5"};
    if (turn == 0) PQsendPrepare(c, "p", "select $1::int * 7", 0, NULL);
    for (int n = 0; n < 50; ++n) PQsendQueryPrepared(c, "p", 1, values, NULL, NULL, 0);
    PQpipelineSync(c);
    PQsendQueryPrepared(c, "p", 1, values, NULL, NULL, 0);
    PQsendQueryParams(c, "select 1/0", 0, NULL, NULL, NULL, NULL, 0);
    PQsendPrepare(c, "never", "select 1", 0, NULL);
    PQsendQueryPrepared(c, "p", 1, values, NULL, NULL, 0);
    PQpipelineSync(c);
    PQsendQueryPrepared(c, "never", 0, NULL, NULL, NULL, 0);
    PQpipelineSync(c);
    PQsendQueryPrepared(c, "p", 1, values, NULL, NULL, 0);
    PQpipelineSync(c);
    if (turn == 0) ExpectNext(__LINE__, c, "done");
    for (int n = 0; n < 50; ++n) ExpectNext(__LINE__, c, "35");
    static const char* const kRest[] = {"sync", "35",    "22012", "aborted", "aborted",
                                        "sync", "26000", "sync",  "35",      "sync"};
    for (size_t n = 0; n < sizeof kRest / sizeof *kRest; ++n) ExpectNext(__LINE__, c, kRest[n]);
    EXPECT(PQexitPipelineMode(c) == 1, "%s", PQerrorMessage(c));
  }
}

static void flush_inside_a_pipeline(void) {
  PGconn* c = Connect();
  EXPECT(PQenterPipelineMode(c) == 1, "%s", PQerrorMessage(c));
  const char* values[] = {"5"};
  for (int turn = 0; turn < 5; ++turn) {
    PQsendQueryParams(c, "select $1::int", 1, NULL, values, NULL, NULL, 0);
    PQsendFlushRequest(c);
    PQflush(c);
    ExpectNext(__LINE__, c, "5");
  }
  PQpipelineSync(c);
  ExpectNext(__LINE__, c, "sync");
  EXPECT(PQexitPipelineMode(c) == 1, "%s", PQerrorMessage(c));
}

static void cursors(void) {
  PGconn* c = Connect();
  Neighbours neighbours = MeetNeighbours();
  Exec(c, "begin; declare walk cursor for select generate_series(1, 100)");
  Exec(c, "move 10 in walk");
  Value(c, "fetch walk", "11");
  Exec(c, "commit");
  ExecFails(c, "fetch walk", "34000");
  Exec(c, "declare held cursor with hold for select generate_series(1, 100)");
  for (int n = 1; n <= 6; ++n) {
    Shift(&neighbours);
    Value(c, "fetch held", Number(n));
  }
  Exec(c, "close held");
}

static void large_result(void) {
  PGconn* c = Connect();
  EXPECT(PQsendQuery(c, "select repeat('x', 1000) from generate_series(1, 20000)") == 1, "%s",
         PQerrorMessage(c));
  EXPECT(PQsetSingleRowMode(c) == 1, "no single row mode");
  long size = 0;
  for (PGresult* result; (result = PQgetResult(c)) != NULL; PQclear(result)) {
    if (PQntuples(result) == 1) size += PQgetlength(result, 0, 0);
  }
  EXPECT(size == 20000000, "%ld bytes", size);
}

static void settings_are_kept_and_never_met_by_others(void) {
  static const char kSettings[] =
      "select concat_ws('|', current_setting('search_path'), current_setting('work_mem'), "
      "current_setting('statement_timeout'), current_setting('timezone'), "
      "coalesce(current_setting('app.tenant', true), 'none'))";
  PGconn* c = Connect();
  PGconn* other = Connect();
  Neighbours neighbours = MeetNeighbours();
  char before[100];
  PGresult* result = PQexec(other, kSettings);
  snprintf(before, sizeof before, "%s", PQgetvalue(result, 0, 0));
  PQclear(result);
  EXPECT(strstr(before, "|none") != NULL, "another session's setting: %s", before);
  Exec(c, "set search_path = pg_catalog, public");
  Exec(c, "set work_mem = '7777kB'; set statement_timeout = '17s'");
  Exec(c, "set timezone = 'Asia/Tokyo'");
  Exec(c, "begin; set app.tenant = 'blue'; commit");
  Exec(c, "begin; set app.tenant = 'red'; rollback");
  Moves moves = {0};
  for (int turn = 0; turn < 12; ++turn) {
    Shift(&neighbours);
    Value(c, kSettings, "pg_catalog, public|7777kB|17s|Asia/Tokyo|blue");
    EXPECT(strcmp(PQparameterStatus(c, "TimeZone"), "Asia/Tokyo") == 0, "%s",
           PQparameterStatus(c, "TimeZone"));
    Note(&moves, c);
    Value(other, kSettings, before);
  }
  ExpectMoved(moves);
}

static void temporary_tables_and_advisory_locks(void) {
  PGconn* c = Connect();
  PGconn* other = Connect();
  Exec(c, "create temp table libpq_temp as select 'mine' as owner");
  Exec(other, "create temp table libpq_temp as select 'theirs' as owner");
  Value(c, "select pg_try_advisory_lock(6)", "t");
  for (int turn = 0; turn < 8; ++turn) {
    Value(c, "select owner from libpq_temp", "mine");
    Value(other, "select owner from libpq_temp", "theirs");
    Value(other, "select pg_try_advisory_lock(6)", "f");
  }
  Value(c, "select pg_advisory_unlock(6)", "t");
  Value(other, "select pg_try_advisory_lock(6)", "t");
}

static void OneSession(int number) {
  char sql[120];
  char state[40];
  PGconn* c = Connect();
  snprintf(sql, sizeof sql, "set app.tenant = '%d'; set work_mem = '%dkB'", number, 1000 + number);
  Exec(c, sql);
  snprintf(sql, sizeof sql, "select $1::int * %d", number);
  TakeLine(__LINE__, c, PQprepare(c, "mine", sql, 0, NULL), "");
  snprintf(state, sizeof state, "%d %dkB", number, 1000 + number);
  for (int step = 0; step < kTransactions; ++step) {
    Exec(c, "begin");
    Value(c, "select current_setting('app.tenant') || ' ' || current_setting('work_mem')", state);
    ValueLine(__LINE__, c, ExecPreparedInt(c, "mine", step), Number(step * number));
    bool keep = step % 5 == 1;
    if (step % 5 == 1 || step % 5 == 2) {
      TakeLine(__LINE__, c, ExecInt(c, "insert into libpq_ledger values ($1)", number), "");
    } else if (step % 5 == 3) {
      ExecFails(c, "select 1/0", "22012");
    } else if (step % 5 == 4) {
      Exec(c, "set local work_mem = '3MB'");
      Value(c, "show work_mem", "3MB");
    }
    Exec(c, keep ? "commit" : "rollback");
  }
  ValueLine(__LINE__, c, ExecInt(c, "select count(*) from libpq_ledger where session = $1", number),
            "10");
}

// Runs body as a case of its own; "" or why it failed.
static void Guarded(void (*body)(int), int number, Run* own) {
  run = own;
  memset(own, 0, sizeof *own);
  if (setjmp(own->failed) == 0) body(number);
  for (int n = 0; n < own->count; ++n) PQfinish(own->opened[n]);
}

typedef struct Thread {
  pthread_t thread;
  int number;
  Run run;
} Thread;

static void* ThreadMain(void* argument) {
  Thread* thread = argument;
  Guarded(OneSession, thread->number, &thread->run);
  return NULL;
}

static void twenty_sessions(void) {
  static Thread threads[kSessions];
  PGconn* c = Connect();
  Exec(c, "drop table if exists libpq_ledger; create table libpq_ledger (session int)");
  for (int n = 0; n < kSessions; ++n) {
    threads[n].number = n;
    pthread_create(&threads[n].thread, NULL, ThreadMain, &threads[n]);
  }
  for (int n = 0; n < kSessions; ++n) pthread_join(threads[n].thread, NULL);
  for (int n = 0; n < kSessions; ++n) {
    EXPECT(threads[n].run.why[0] == '\0', "session %d: %s", n, threads[n].run.why);
  }
}

typedef struct Case {
  const char* name;
  void (*body)(void);
} Case;

#define CASE(name) {#name, name}
static const Case kCases[] = {
    CASE(connects_by_scram_over_tls),
    CASE(simple_statements),
    CASE(parameters_text_and_binary),
    CASE(prepared_across_transactions),
    CASE(prepared_in_sql_and_by_protocol),
    CASE(schema_changes_between_executions),
    CASE(transactions),
    CASE(copy_in_and_out),
    CASE(cancel_of_a_running_statement),
    CASE(notifications_are_received),
    CASE(pipelines),
    CASE(flush_inside_a_pipeline),
    CASE(cursors),
    CASE(large_result),
    CASE(settings_are_kept_and_never_met_by_others),
    CASE(temporary_tables_and_advisory_locks),
    CASE(twenty_sessions),
};
enum { kCaseCount = sizeof kCases / sizeof *kCases };

static void RunNumber(int number) { kCases[number].body(); }

static bool Wanted(int argc, char** argv, const char* name) {
  for (int n = 1; n < argc; ++n) {
    if (strcmp(argv[n], name) == 0) return true;
  }
  return argc == 1;
}

// A case in a process of its own: one that hangs is ended by its alarm.
static bool RunInChild(int number) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    static Run own;
    alarm(kCaseSeconds);
    Guarded(RunNumber, number, &own);
    if (own.why[0] == '\0') {
      printf("ok %s\n", kCases[number].name);
    } else {
      printf("FAILED %s: %s\n", kCases[number].name, own.why);
    }
    fflush(stdout);
    _exit(own.why[0] == '\0' ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    printf("FAILED %s: ended by signal %d\n", kCases[number].name, WTERMSIG(status));
  }
  return status == 0;
}

int main(int argc, char** argv) {
  const char* setting = getenv("DRIVERS_POOLED");
  pooled = setting != NULL && strcmp(setting, "1") == 0;
  int failed = 0;
  for (int n = 0; n < kCaseCount; ++n) {
    if (Wanted(argc, argv, kCases[n].name) && !RunInChild(n)) failed = 1;
  }
  return failed;
}
