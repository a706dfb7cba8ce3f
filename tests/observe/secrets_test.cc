#include "observe/secrets.h"

#include <gtest/gtest.h>

namespace pgweir::observe {
namespace {

TEST(Secrets, AreSuspectedWhereAStatementCanCarryOne) {
  for (const char* sql : {
           "ALTER ROLE app PASSWORD 'hunter2'",
           "create user x with encrypted PassWord 'hunter2'",
           "CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'u', key 'hunter2')",
           "ALTER SUBSCRIPTION s CONNECTION 'service=x'",
           "SELECT dblink_connect('host=h')",
           "SET app.secret = 'hunter2'",
           "SET LOCAL \"app.api_key\" = 'hunter2'",
           "SELECT set_config('app.user_passwd', $1, true)",
           "SELECT crypt($1, gen_salt('bf'))",
           "SELECT pgp_sym_encrypt($1, 'hunter2')",
           "ALTER SYSTEM SET primary_conninfo = 'host=h'",
           "SELECT f('postgres://app:hunter2@db/market')",
           "ALTER ROLE app /* a */ PASSWORD 'unterminated",
       }) {
    EXPECT_TRUE(MayHoldSecret(sql)) << sql;
  }
}

TEST(Secrets, AreNotSuspectedElsewhere) {
  for (const char* sql : {
           "",
           "p",
           "SELECT * FROM trades WHERE symbol = 'BTCUSDT' AND price > $1::numeric",
           "SELECT 'https://example.com:80/a@b', 'http://example.com'",
           "SELECT pass, sec, app FROM t WHERE a::text = 'x@y'",
       }) {
    EXPECT_FALSE(MayHoldSecret(sql)) << sql;
  }
}

TEST(Secrets, MayBeQuotedByErrorsAboutValues) {
  EXPECT_TRUE(MayQuoteValues("22P02"));
  EXPECT_TRUE(MayQuoteValues("23505"));
  EXPECT_TRUE(MayQuoteValues("42601"));
  EXPECT_TRUE(MayQuoteValues("P0001"));
  EXPECT_FALSE(MayQuoteValues("57014"));
  EXPECT_FALSE(MayQuoteValues("40001"));
  EXPECT_FALSE(MayQuoteValues("42P01"));
}

}  // namespace
}  // namespace pgweir::observe
