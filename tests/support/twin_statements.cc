#include "tests/support/twin_statements.h"

namespace pgweir::test {

std::string ForClient(std::string_view sql, size_t client) {
  std::string text(sql);
  for (size_t at = 0; (at = text.find("{c}", at)) != std::string::npos;) {
    text.replace(at, 3, std::to_string(client));
  }
  return text;
}

const std::vector<TwinText> kTwinTexts = {
    {"select $1::int4 + {c} as sum", "i"},
    {"select 'client {c}: ' || $1::text as said", "t"},
    {"select id, v from t{c} where id = $1::int4", "i"},
    {"select id, v from public.t{c} where id < $1::int4 order by id", "i"},
    {"insert into t{c}(id, v) values ($1::int4, $2::text) returning id, v", "it"},
    {"update public.t{c} set v = $2::text where id = $1::int4", "it"},
    {"delete from t{c} where id = $1::int4", "i"},
    {"with moved as (delete from t{c} where id = $1::int4 returning v) select v from moved", "i"},
    {"select name from place", ""},
    {"select current_user, session_user", ""},
    {"select current_setting('app.tenant', true), current_setting('work_mem')", ""},
    {"show TimeZone", ""},
    {"show application_name", ""},
    {"select n from generate_series(1, $1::int4) as n", "i"},
    {"select to_timestamp(86400.5 * $1::int4), make_interval(days => $1, hours => 5), "
     "decode('01ff41', 'hex'), 0.1::float8 * $1::int4",
     "i"},
    {"select 10 / $1::int4 as quotient", "i"},
    {"select $1 as anything", "t"},
    {"values ($1::int4, $2::text), (0, null)", "it"},
    {"", ""},
    {"/* nothing of client {c} */", ""},
};

const std::vector<TwinText> kTwinAnalysed = {
    {"select timestamptz '2024-03-01 12:00' as noon", "", true},
    {"select date '03/04/2024' as day", "", true},
    {"select 'h\xc3\xa9' as accent, length('h\xc3\xa9')", "", true},
    {"select * from place", ""},
};

const std::vector<std::string_view> kTwinErrors = {
    "selec 1",
    "select 1/0",
    "select 1 from nowhere",
    "insert into public.t{c} values (1, 'again'), (1, 'again')",
    "insert into public.t{c} values (77, null)",
    "select no_such_function({c})",
    "select 'x'::int4",
    "select 'unterminated",
    "set work_mem = 'nonsense'",
    "set no_such_setting = 1",
    "update public.t{c} set nothing = 1",
    "do $$ begin raise exception 'client {c}' using errcode = 'P0777', detail = 'd', hint = 'h'; "
    "end $$",
    "rollback to nowhere",
    "deallocate nothing_of_this_name",
    "execute nothing_of_this_name",
    "close nothing_of_this_name",
};

const std::vector<std::string_view> kTwinMulti = {
    "select 1; select {c}",
    "begin; update public.t{c} set v = 'in one' where id = 1; commit",
    "begin; update public.t{c} set v = 'undone' where id = 1; rollback; select v from public.t{c} "
    "where id = 1",
    "update public.t{c} set v = 'half' where id = 2; select 1/0; select 'never'",
    "set work_mem = '7MB'; select 1/0",
    "set work_mem = '8MB'; show work_mem",
    "begin; set work_mem = '9MB'; rollback; show work_mem",
    "set local work_mem = '3MB'; show work_mem",
    "select 1; begin; select 2; commit; select 3",
    "begin; select 1/0; commit; show work_mem",
    "commit; select {c}",
    "select ';' as semicolon; /* ; */ select $$;$$ -- ;\n; select 3",
    ";;",
    "",
    "-- only a comment",
    "/* tenant {c} */ select {c};",
    "prepare q1 as select {c}; execute q1; deallocate q1",
    "begin; set local time zone 'Asia/Tokyo'; select to_timestamp(0); commit",
    "savepoint a; select 1",
    "begin; savepoint a; set work_mem = '6MB'; rollback to a; show work_mem; commit",
};

const std::vector<TwinSetting> kTwinReported = {
    {"TimeZone", {"'UTC'", "'Asia/Tokyo'", "'America/New_York'", "default"}},
    {"DateStyle", {"'German'", "'SQL, DMY'", "'ISO'", "'ISO, YMD'", "default"}},
    {"application_name", {"'app of {c}'", "'it''s {c}'", "''", "default"}},
    {"IntervalStyle", {"'iso_8601'", "'postgres'", "'sql_standard'"}},
    {"client_encoding", {"'UTF8'", "'LATIN1'", "default"}},
    {"standard_conforming_strings", {"on", "off"}},
    {"default_transaction_read_only", {"off", "on"}},
};

const std::vector<TwinSetting> kTwinUnreported = {
    {"work_mem", {"'5MB'", "'1{c}MB'", "65536", "default"}},
    {"statement_timeout", {"'31s'", "'1min'", "0"}},
    {"search_path", {"alpha", "beta, public", "public", "\"$user\", public", "''", "default"}},
    {"default_transaction_isolation", {"'repeatable read'", "'read committed'"}},
    {"extra_float_digits", {"0", "1", "-2"}},
    {"bytea_output", {"'escape'", "'hex'"}},
    {"lock_timeout", {"'29s'", "0"}},
    {"enable_seqscan", {"off", "on", "default"}},
    {"app.tenant", {"'tenant {c}'", "'other {c}'", "''"}},
    {"app.only{c}", {"'mine'", "'{c}'"}},
};

}  // namespace pgweir::test
