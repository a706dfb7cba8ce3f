#pragma once

#include <string_view>

namespace pgweir::observe {

// Whether a statement may carry a password or key in its text or its parameters: ALTER ROLE …
// PASSWORD, CREATE USER MAPPING, CREATE SUBSCRIPTION … CONNECTION, dblink, crypt, a SET of
// app.secret, a URL with a user's password. Goes by words anywhere in the text, whatever they are
// there, so it is true of many statements that hold none: with literals and parameters left out
// those lose little.
bool MayHoldSecret(std::string_view sql);

// Whether the message of an error may quote values of its statement: all do but those that speak of
// the server's state, or name what the statement names.
bool MayQuoteValues(std::string_view sqlstate);

}  // namespace pgweir::observe
