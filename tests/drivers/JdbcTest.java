// PostgreSQL's JDBC driver: the extended protocol, statements prepared by name at their fifth
// execution, batches.
//
// Takes the connection from libpq's environment variables and the names of the cases to run from
// its arguments (none = all); prints "ok NAME" or "FAILED NAME: why" for each.

import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.ArrayList;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

public class JdbcTest {
  static final int SESSIONS = 20;
  static final int TRANSACTIONS = 50;
  static final int CASE_SECONDS = 15;
  // The sessions share few backends.
  static final boolean POOLED = "1".equals(System.getenv("DRIVERS_POOLED"));

  interface Body {
    void run() throws Exception;
  }

  static Connection connect(String... more) throws SQLException {
    Map<String, String> env = System.getenv();
    Properties properties = new Properties();
    properties.setProperty("user", env.get("PGUSER"));
    properties.setProperty("password", env.get("PGPASSWORD"));
    properties.setProperty("sslmode", env.getOrDefault("PGSSLMODE", "prefer"));
    for (int i = 0; i < more.length; i += 2) properties.setProperty(more[i], more[i + 1]);
    return DriverManager.getConnection(
        "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/"
            + env.get("PGDATABASE"),
        properties);
  }

  static void run(Connection c, String sql) throws SQLException {
    try (Statement statement = c.createStatement()) {
      statement.execute(sql);
    }
  }

  static String value(Connection c, String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = c.prepareStatement(sql)) {
      return value(statement, parameters);
    }
  }

  static String value(PreparedStatement statement, Object... parameters) throws SQLException {
    for (int i = 0; i < parameters.length; i++) statement.setObject(i + 1, parameters[i]);
    try (ResultSet rows = statement.executeQuery()) {
      rows.next();
      return rows.getString(1);
    }
  }

  static void equal(Object got, Object expected) {
    if (!Objects.equals(got, expected)) {
      throw new AssertionError("got " + got + ", expected " + expected);
    }
  }

  static SQLException fails(String state, Body body) throws Exception {
    try {
      body.run();
    } catch (SQLException error) {
      if (!state.equals(error.getSQLState())) throw error;
      return error;
    }
    throw new AssertionError("no error, expected " + state);
  }

  static void moved(Set<String> pids) {
    if (POOLED && pids.size() < 2) throw new AssertionError("the session never changed its backend");
    if (!POOLED) equal(pids.size(), 1);
  }

  static void freshTable(String name, String columns) throws SQLException {
    try (Connection c = connect()) {
      run(c, "drop table if exists " + name);
      run(c, "create table " + name + " (" + columns + ")");
    }
  }

  // Two sessions that take turns at holding a transaction open, so that the transactions of a
  // third one keep changing backends.
  static class Neighbours implements AutoCloseable {
    Connection holding = connect();
    Connection next = connect();

    Neighbours() throws SQLException {
      holding.setAutoCommit(false);
      next.setAutoCommit(false);
    }

    void shift() throws SQLException {
      run(next, "select 1");
      holding.rollback();
      Connection last = holding;
      holding = next;
      next = last;
    }

    @Override
    public void close() throws SQLException {
      holding.close();
      next.close();
    }
  }

  static void connectsByScramOverTls() throws Exception {
    try (Connection c = connect()) {
      equal(value(c, "select current_user::text"), System.getenv("PGUSER"));
      equal(c.isValid(5), true);
      equal(c.getMetaData().getDatabaseMajorVersion() >= 15, true);
    }
    fails("28P01", () -> connect("password", "wrong").close());
  }

  static void simpleStatements() throws Exception {
    try (Connection c = connect(); Statement s = c.createStatement()) {
      s.execute("select 1; select 'last'");
      equal(s.getMoreResults(), true);
      s.getResultSet().next();
      equal(s.getResultSet().getString(1), "last");
      fails("42601", () -> s.execute("selec"));
      equal(value(c, "select 'still here'"), "still here");
    }
    try (Connection c = connect("preferQueryMode", "simple")) {
      equal(value(c, "select ?::int + 1", 1), "2");
    }
  }

  static void parametersAndBinary() throws Exception {
    byte[] bytes = new byte[256];
    for (int i = 0; i < 256; i++) bytes[i] = (byte) i;
    try (Connection c = connect();
        PreparedStatement s = c.prepareStatement("select ?::int, ?::text, ?::numeric, ?::bytea, "
            + "?::int8, ?::float8, ?::timestamptz, ?::int[]")) {
      // From the fifth execution on by name, and its results binary.
      for (int n = 0; n < 10; n++) {
        s.setInt(1, n);
        s.setString(2, "it's");
        s.setBigDecimal(3, new BigDecimal("1.50"));
        s.setBytes(4, bytes);
        s.setNull(5, java.sql.Types.BIGINT);
        s.setDouble(6, 1.5);
        s.setTimestamp(7, new java.sql.Timestamp(1_700_000_000_000L));
        s.setArray(8, c.createArrayOf("int4", new Object[] {1, 2, 3}));
        try (ResultSet row = s.executeQuery()) {
          row.next();
          equal(row.getInt(1), n);
          equal(row.getString(2), "it's");
          equal(row.getBigDecimal(3), new BigDecimal("1.50"));
          equal(Arrays.equals(row.getBytes(4), bytes), true);
          equal(row.getObject(5), null);
          equal(row.getDouble(6), 1.5);
          equal(row.getTimestamp(7).getTime(), 1_700_000_000_000L);
          equal(Arrays.asList((Object[]) row.getArray(8).getArray()), List.of(1, 2, 3));
        }
      }
    }
  }

  static void preparedByTheFifthExecution() throws Exception {
    try (Connection c = connect(); Connection other = connect();
        Neighbours neighbours = new Neighbours();
        PreparedStatement twice = c.prepareStatement("select ?::int * 2");
        PreparedStatement pid = c.prepareStatement("select pg_backend_pid()");
        PreparedStatement thrice = other.prepareStatement("select ?::int * 3")) {
      Set<String> pids = new HashSet<>();
      for (int n = 0; n < 20; n++) {
        neighbours.shift();
        equal(value(twice, n), String.valueOf(2 * n));
        pids.add(value(pid));
        equal(value(thrice, n), String.valueOf(3 * n));
      }
      moved(pids);
      String prepared = value(c,
          "select count(*) from pg_prepared_statements where statement = 'select $1::int * 2'");
      equal(prepared, "1");
    }
  }

  static void preparedInTransactionsThatFail() throws Exception {
    try (Connection c = connect(); Neighbours neighbours = new Neighbours();
        PreparedStatement divide = c.prepareStatement("select 10 / ?::int")) {
      c.setAutoCommit(false);
      for (int n = 0; n < 16; n++) {
        neighbours.shift();
        equal(value(divide, 5), "2");
        fails("22012", () -> value(divide, 0));
        fails("25P02", () -> value(divide, 5));
        c.rollback();
      }
    }
  }

  static void manyStatements() throws Exception {
    // More than the driver's cache holds: it closes the oldest.
    try (Connection c = connect(); Neighbours neighbours = new Neighbours()) {
      for (int n = 0; n < 300; n++) {
        if (n % 25 == 0) neighbours.shift();
        try (PreparedStatement s = c.prepareStatement("select ?::int + " + n)) {
          for (int turn = 0; turn < 6; turn++) equal(value(s, turn), String.valueOf(turn + n));
        }
      }
    }
  }

  static void schemaChangesBetweenExecutions() throws Exception {
    freshTable("jdbc_schema", "id int");
    try (Connection c = connect(); Connection other = connect();
        Neighbours neighbours = new Neighbours();
        PreparedStatement s = c.prepareStatement("select * from jdbc_schema where id = ?")) {
      run(c, "insert into jdbc_schema values (1)");
      for (int n = 0; n < 8; n++) equal(value(s, 1), "1");
      run(other, "alter table jdbc_schema add column t text default 'new'");
      for (int n = 0; n < 8; n++) {
        // Outside a transaction the driver itself prepares anew.
        neighbours.shift();
        s.setInt(1, 1);
        try (ResultSet row = s.executeQuery()) {
          row.next();
          // On a backend that lacked the statement nothing told the driver (docs/sessions.md).
          if (row.getMetaData().getColumnCount() == 1) break;
          equal(row.getMetaData().getColumnCount(), 2);
          equal(row.getString(2), "new");
        }
      }
    }
  }

  static void transactionsAndSavepoints() throws Exception {
    freshTable("jdbc_tx", "id int");
    try (Connection c = connect()) {
      c.setAutoCommit(false);
      run(c, "insert into jdbc_tx values (1)");
      c.commit();
      run(c, "insert into jdbc_tx values (2)");
      c.rollback();
      run(c, "insert into jdbc_tx values (3)");
      Savepoint savepoint = c.setSavepoint("a");
      run(c, "insert into jdbc_tx values (4)");
      fails("22012", () -> run(c, "select 1/0"));
      c.rollback(savepoint);
      c.commit();
      equal(value(c, "select string_agg(id::text, ',') from jdbc_tx"), "1,3");
      c.rollback();
    }
    try (Connection c = connect("autosave", "always")) {
      c.setAutoCommit(false);
      for (int n = 0; n < 8; n++) {
        equal(value(c, "select ?::int", n), String.valueOf(n));
        fails("22012", () -> value(c, "select 1 / ?::int", 0));
      }
      equal(value(c, "select 'goes on'"), "goes on");
      c.commit();
    }
  }

  static void isolationHelpers() throws Exception {
    try (Connection c = connect(); Connection other = connect();
        Neighbours neighbours = new Neighbours()) {
      c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      c.setReadOnly(true);
      for (int n = 0; n < 6; n++) {
        neighbours.shift();
        equal(c.getTransactionIsolation(), Connection.TRANSACTION_SERIALIZABLE);
        equal(value(c, "show transaction_isolation"), "serializable");
        c.setAutoCommit(false);
        equal(value(c, "show transaction_read_only"), "on");
        fails("25006", () -> run(c, "create table jdbc_never ()"));
        c.rollback();
        c.setAutoCommit(true);
        equal(value(other, "show transaction_isolation"), "read committed");
        equal(value(other, "show transaction_read_only"), "off");
      }
      c.setReadOnly(false);
      neighbours.shift();
      run(c, "create temp table jdbc_now ()");
    }
  }

  static void copyInAndOut() throws Exception {
    freshTable("jdbc_copy", "id int, t text");
    StringBuilder text = new StringBuilder();
    for (int n = 0; n < 20000; n++) text.append(n).append("\trow ").append(n).append('\n');
    try (Connection c = connect()) {
      var copy = c.unwrap(PGConnection.class).getCopyAPI();
      equal(copy.copyIn("copy jdbc_copy from stdin", new StringReader(text.toString())), 20000L);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      copy.copyOut("copy (select * from jdbc_copy order by id) to stdout", out);
      equal(out.toString().equals(text.toString()), true);
      fails("22P02", () -> copy.copyIn("copy jdbc_copy from stdin", new StringReader("x\ty\n")));
      var given_up = copy.copyIn("copy jdbc_copy from stdin");
      given_up.cancelCopy();
      equal(value(c, "select count(*) from jdbc_copy"), "20000");
    }
  }

  static void cancelOfARunningStatement() throws Exception {
    try (Connection c = connect(); PreparedStatement s = c.prepareStatement("select pg_sleep(?)")) {
      for (int n = 0; n < 3; n++) {
        Thread cancel = new Thread(() -> {
          try {
            Thread.sleep(200);
            s.cancel();
          } catch (Exception error) {
            throw new RuntimeException(error);
          }
        });
        cancel.start();
        s.setDouble(1, 15);
        fails("57014", s::executeQuery);
        cancel.join();
        equal(value(c, "select 1"), "1");
      }
      s.setQueryTimeout(1);
      s.setDouble(1, 15);
      fails("57014", s::executeQuery);
      equal(value(c, "select 1"), "1");
    }
  }

  static void notificationsAreReceived() throws Exception {
    try (Connection listener = connect(); Connection c = connect()) {
      run(listener, "listen jdbc_channel");
      for (int n = 0; n < 5; n++) value(c, "select pg_notify('jdbc_channel', ?)", String.valueOf(n));
      List<String> heard = new ArrayList<>();
      for (int tries = 0; heard.size() < 5 && tries < 10; tries++) {
        PGNotification[] got = listener.unwrap(PGConnection.class).getNotifications(1000);
        if (got == null) continue;
        for (PGNotification n : got) heard.add(n.getParameter());
      }
      equal(heard, List.of("0", "1", "2", "3", "4"));
    }
  }

  static void cursorsByFetchSize() throws Exception {
    try (Connection c = connect(); Neighbours neighbours = new Neighbours()) {
      c.setAutoCommit(false);
      for (int turn = 0; turn < 7; turn++) {
        try (PreparedStatement s = c.prepareStatement("select generate_series(1, ?::int)")) {
          s.setFetchSize(100);
          s.setInt(1, 1000);
          long sum = 0;
          try (ResultSet rows = s.executeQuery()) {
            while (rows.next()) sum += rows.getInt(1);
          }
          equal(sum, 500500L);
        }
        c.commit();
        neighbours.shift();
      }
      try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE,
          ResultSet.CONCUR_READ_ONLY, ResultSet.HOLD_CURSORS_OVER_COMMIT)) {
        ResultSet rows = s.executeQuery("select generate_series(1, 100)");
        c.commit();
        equal(rows.absolute(50), true);
        equal(rows.getInt(1), 50);
      }
    }
  }

  static void batches() throws Exception {
    for (String rewrite : new String[] {"false", "true"}) {
      freshTable("jdbc_batch", "id int primary key, t text");
      try (Connection c = connect("reWriteBatchedInserts", rewrite);
          PreparedStatement s = c.prepareStatement("insert into jdbc_batch values (?, ?)")) {
        for (int turn = 0; turn < 3; turn++) {
          for (int n = 0; n < 300; n++) {
            s.setInt(1, turn * 300 + n);
            s.setString(2, "row " + n);
            s.addBatch();
          }
          equal(s.executeBatch().length, 300);
        }
        equal(value(c, "select count(*) from jdbc_batch"), "900");
        s.setInt(1, 1000);
        s.setString(2, "new");
        s.addBatch();
        s.setInt(1, 5);
        s.addBatch();
        fails("23505", s::executeBatch);
        equal(value(c, "select count(*) from jdbc_batch"), "900");
      }
      try (Connection c = connect(); Statement s = c.createStatement()) {
        for (int n = 0; n < 20; n++) s.addBatch("update jdbc_batch set t = 'x' where id = " + n);
        equal(Arrays.stream(s.executeBatch()).sum(), 20);
      }
      try (Connection c = connect(); PreparedStatement s = c.prepareStatement(
          "insert into jdbc_batch values (?, 'k')", Statement.RETURN_GENERATED_KEYS)) {
        for (int n = 2000; n < 2050; n++) {
          s.setInt(1, n);
          s.addBatch();
        }
        s.executeBatch();
        int keys = 0;
        try (ResultSet rows = s.getGeneratedKeys()) {
          while (rows.next()) keys++;
        }
        equal(keys, 50);
      }
    }
  }

  static void largeResult() throws Exception {
    try (Connection c = connect(); Statement s = c.createStatement()) {
      long size = 0;
      try (ResultSet rows =
          s.executeQuery("select repeat('x', 1000) from generate_series(1, 20000)")) {
        while (rows.next()) size += rows.getString(1).length();
      }
      equal(size, 20_000_000L);
      equal(value(c, "select length(?)", "y".repeat(5_000_000)), "5000000");
    }
  }

  static void settingsAreKeptAndNeverMetByOthers() throws Exception {
    String settings = "select concat_ws('|', current_setting('search_path'), "
        + "current_setting('work_mem'), current_setting('statement_timeout'), "
        + "coalesce(current_setting('app.tenant', true), 'none'))";
    try (Connection c = connect(); Connection other = connect();
        Neighbours neighbours = new Neighbours()) {
      String before = value(other, settings);
      equal(before.endsWith("|none"), true);
      run(c, "set search_path = pg_catalog, public");
      run(c, "set work_mem = '7777kB'; set statement_timeout = '17s'");
      run(c, "set app.tenant = 'blue'");
      Set<String> pids = new HashSet<>();
      for (int n = 0; n < 12; n++) {
        neighbours.shift();
        equal(value(c, settings), "pg_catalog, public|7777kB|17s|blue");
        pids.add(value(c, "select pg_backend_pid()"));
        equal(value(other, settings), before);
      }
      moved(pids);
      c.setSchema("pg_catalog");
      neighbours.shift();
      equal(c.getSchema(), "pg_catalog");
    }
    try (Connection c = connect("currentSchema", "pg_catalog", "options", "-c work_mem=2345kB",
            "ApplicationName", "jdbc");
        Neighbours neighbours = new Neighbours()) {
      for (int n = 0; n < 6; n++) {
        neighbours.shift();
        equal(value(c, "select concat_ws('|', current_schema(), current_setting('work_mem'), "
            + "current_setting('application_name'))"), "pg_catalog|2345kB|jdbc");
        equal(value(neighbours.holding, "show work_mem"), "4MB");
      }
    }
  }

  static void temporaryTablesAndAdvisoryLocks() throws Exception {
    try (Connection c = connect(); Connection other = connect()) {
      run(c, "create temp table jdbc_temp as select 'mine' as owner");
      run(other, "create temp table jdbc_temp as select 'theirs' as owner");
      equal(value(c, "select pg_try_advisory_lock(8)"), "t");
      for (int n = 0; n < 8; n++) {
        equal(value(c, "select owner from jdbc_temp"), "mine");
        equal(value(other, "select owner from jdbc_temp"), "theirs");
        equal(value(other, "select pg_try_advisory_lock(8)"), "f");
      }
      equal(value(c, "select pg_advisory_unlock(8)"), "t");
    }
  }

  static void oneSession(int number) throws Exception {
    try (Connection c = connect()) {
      run(c, "set app.tenant = '" + number + "'");
      run(c, "set work_mem = '" + (1000 + number) + "kB'");
      c.setAutoCommit(false);
      for (int step = 0; step < TRANSACTIONS; step++) {
        equal(value(c, "select current_setting('app.tenant') || current_setting('work_mem')"),
            number + "" + (1000 + number) + "kB");
        equal(value(c, "select ?::int * " + number, step), String.valueOf(step * number));
        boolean keep = step % 5 == 1;
        if (step % 5 == 1 || step % 5 == 2) {
          try (PreparedStatement s = c.prepareStatement("insert into jdbc_ledger values (?)")) {
            s.setInt(1, number);
            s.executeUpdate();
          }
        } else if (step % 5 == 3) {
          fails("22012", () -> value(c, "select 1 / ?::int", 0));
        } else if (step % 5 == 4) {
          run(c, "set local work_mem = '3MB'");
          equal(value(c, "show work_mem"), "3MB");
        }
        if (keep) {
          c.commit();
        } else {
          c.rollback();
        }
      }
      equal(value(c, "select count(*) from jdbc_ledger where session = ?", number), "10");
    }
  }

  static void twentySessions() throws Exception {
    freshTable("jdbc_ledger", "session int");
    ExecutorService threads = Executors.newFixedThreadPool(SESSIONS, JdbcTest::daemon);
    List<Future<?>> sessions = new ArrayList<>();
    for (int n = 0; n < SESSIONS; n++) {
      int number = n;
      sessions.add(threads.submit(() -> {
        oneSession(number);
        return null;
      }));
    }
    for (Future<?> session : sessions) session.get();
    threads.shutdown();
  }

  static Thread daemon(Runnable body) {
    Thread thread = new Thread(body);
    thread.setDaemon(true);
    return thread;
  }

  static Map<String, Body> cases() {
    Map<String, Body> cases = new LinkedHashMap<>();
    cases.put("connects_by_scram_over_tls", JdbcTest::connectsByScramOverTls);
    cases.put("simple_statements", JdbcTest::simpleStatements);
    cases.put("parameters_and_binary", JdbcTest::parametersAndBinary);
    cases.put("prepared_by_the_fifth_execution", JdbcTest::preparedByTheFifthExecution);
    cases.put("prepared_in_transactions_that_fail", JdbcTest::preparedInTransactionsThatFail);
    cases.put("many_statements", JdbcTest::manyStatements);
    cases.put("schema_changes_between_executions", JdbcTest::schemaChangesBetweenExecutions);
    cases.put("transactions_and_savepoints", JdbcTest::transactionsAndSavepoints);
    cases.put("isolation_helpers", JdbcTest::isolationHelpers);
    cases.put("copy_in_and_out", JdbcTest::copyInAndOut);
    cases.put("cancel_of_a_running_statement", JdbcTest::cancelOfARunningStatement);
    cases.put("notifications_are_received", JdbcTest::notificationsAreReceived);
    cases.put("cursors_by_fetch_size", JdbcTest::cursorsByFetchSize);
    cases.put("batches", JdbcTest::batches);
    cases.put("large_result", JdbcTest::largeResult);
    cases.put("settings_are_kept_and_never_met_by_others",
        JdbcTest::settingsAreKeptAndNeverMetByOthers);
    cases.put("temporary_tables_and_advisory_locks", JdbcTest::temporaryTablesAndAdvisoryLocks);
    cases.put("twenty_sessions", JdbcTest::twentySessions);
    return cases;
  }

  // Null, or why it failed.
  static String outcome(Body body) throws InterruptedException {
    ExecutorService thread = Executors.newSingleThreadExecutor(JdbcTest::daemon);
    Future<?> running = thread.submit(() -> {
      body.run();
      return null;
    });
    try {
      running.get(CASE_SECONDS, TimeUnit.SECONDS);
      return null;
    } catch (TimeoutException late) {
      return "still runs after " + CASE_SECONDS + " s";
    } catch (ExecutionException failed) {
      Throwable cause = failed.getCause();
      while (cause instanceof ExecutionException) cause = cause.getCause();
      String line = "?";
      for (StackTraceElement frame : cause.getStackTrace()) {
        if (frame.getMethodName().startsWith("lambda$outcome")) break;
        if (frame.getClassName().startsWith("JdbcTest")) line = String.valueOf(frame.getLineNumber());
      }
      String state = cause instanceof SQLException ? ((SQLException) cause).getSQLState() + " " : "";
      return "line " + line + ": " + state + String.valueOf(cause.getMessage()).replace('\n', ' ');
    } finally {
      thread.shutdown();
    }
  }

  public static void main(String[] wanted) throws Exception {
    int status = 0;
    for (Map.Entry<String, Body> one : cases().entrySet()) {
      if (wanted.length > 0 && !Arrays.asList(wanted).contains(one.getKey())) continue;
      String why = outcome(one.getValue());
      System.out.println(why == null ? "ok " + one.getKey() : "FAILED " + one.getKey() + ": " + why);
      if (why != null) status = 1;
    }
    System.exit(status);
  }
}
