// The generator's features of the extended protocol. (PostgreSQL documentation, "Extended Query",
// "Pipelining"; "COPY Operations")

#include <iterator>

#include "fmt/format.h"
#include "tests/support/twin_generator.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kNames[] = {"s1", "s2", "s3", "s4"};

void Append(std::vector<std::string>& messages, std::vector<std::string> more) {
  messages.insert(messages.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

// Parse, Bind, Describe and Execute of an unnamed statement, each a message.
std::vector<std::string> Unprepared(std::string_view sql) {
  return {fe::Parse("", sql), fe::Bind("", ""), fe::Describe('P', ""), fe::Execute("")};
}

}  // namespace

const TwinText& TwinGenerator::PickText() {
  if (choice_.Allows("analysis") && random_.Chance(8)) return random_.Pick(kTwinAnalysed);
  return random_.Pick(kTwinTexts);
}

// Parameters as the text has them, binary at times; of none, no parameters.
std::string TwinGenerator::BindTo(std::string_view portal, std::string_view statement,
                                  const TwinText* text) {
  bool binary = choice_.Allows("binary") && random_.Chance(30);
  std::vector<std::optional<std::string>> values;
  for (char kind : text == nullptr ? "" : text->parameters) {
    if (random_.Chance(6)) {
      values.emplace_back(std::nullopt);
    } else if (kind == 't') {
      values.emplace_back(random_.Chance(20) ? "h\xc3\xa9" : fmt::format("p{}", random_.Below(9)));
    } else {
      int value = random_.Below(15);
      values.emplace_back(binary ? fe::Int32(static_cast<uint32_t>(value)) : std::to_string(value));
    }
  }
  std::vector<int> result;
  if (choice_.Allows("binary") && random_.Chance(30)) result = {1};
  return fe::BindFormats(portal, statement, binary ? std::vector<int>{1} : std::vector<int>{},
                         values, result);
}

void TwinGenerator::Named(Client& client) {
  std::string_view name = random_.Pick(kNames);
  auto known = client.statements.find(name);
  std::vector<std::string> messages;
  const TwinText* text = known == client.statements.end() ? nullptr : known->second;
  if (random_.Chance(known == client.statements.end() ? 85 : 10)) {
    // At times the name is in use: 42P05.
    const TwinText& parsed = PickText();
    messages.push_back(fe::Parse(name, Sql(parsed.sql, client)));
    if (text == nullptr) text = client.statements[std::string(name)] = &parsed;
  } else if (known != client.statements.end() && random_.Chance(15)) {
    messages.push_back(fe::Close('S', name));
    client.statements.erase(known);
    if (random_.Chance(50)) {
      const TwinText& parsed = PickText();
      messages.push_back(fe::Parse(name, Sql(parsed.sql, client)));
      text = client.statements[std::string(name)] = &parsed;
    }
  }
  if (random_.Chance(30)) messages.push_back(fe::Describe('S', name));
  for (int i = random_.Below(4); i > 0; --i) {
    messages.push_back(BindTo("", name, text));
    if (random_.Chance(50)) messages.push_back(fe::Describe('P', ""));
    messages.push_back(fe::Execute(""));
  }
  if (text != nullptr && text->for_one_batch) {
    messages.push_back(fe::Close('S', name));
    client.statements.erase(std::string(name));
  }
  if (random_.Chance(10)) messages.push_back(fe::Flush());
  messages.push_back(fe::Sync());
  Add(client, std::move(messages));
}

void TwinGenerator::Unnamed(Client& client) {
  auto known = client.statements.find("");
  std::vector<std::string> messages;
  const TwinText* text = known == client.statements.end() ? nullptr : known->second;
  // In a batch of its own, to be bound in a later one.
  bool only_parse = random_.Chance(40);
  if (text == nullptr || text->for_one_batch || only_parse || random_.Chance(50)) {
    text = client.statements[""] = &PickText();
    only_parse = only_parse && !text->for_one_batch;
    messages.push_back(fe::Parse("", Sql(text->sql, client)));
    if (random_.Chance(40)) messages.push_back(fe::Describe('S', ""));
  }
  if (!only_parse) {
    messages.push_back(BindTo("", "", text));
    messages.push_back(fe::Describe('P', ""));
    messages.push_back(fe::Execute(""));
  }
  if (random_.Chance(5)) messages.push_back(fe::Close('S', ""));
  messages.push_back(fe::Sync());
  Add(client, std::move(messages));
}

void TwinGenerator::BadBatch(Client& client) {
  std::string_view name = random_.Pick(kNames);
  std::vector<std::string> messages;
  if (random_.Chance(40)) {
    messages = {fe::Parse("ok", "select 1"), fe::Bind("", "ok"), fe::Execute("")};
  }
  switch (random_.Below(8)) {
    case 0:
      messages.push_back(fe::Bind("", "unknown"));
      break;
    case 1:
      messages.push_back(fe::Describe('S', "unknown"));
      break;
    case 2:
      messages.push_back(fe::Execute("unknown"));
      break;
    case 3:
      messages.push_back(fe::Describe('P', "unknown"));
      break;
    case 4:
      messages.push_back(fe::Parse(name, "selec wrong"));
      break;
    case 5:
      messages.push_back(fe::Parse("", "select 1 from nowhere"));
      break;
    case 6:
      messages.push_back(fe::Bind("", name, {"1", "2", "3", "4"}));
      break;
    default:
      messages.push_back(fe::Parse("two", "select 1; select 2"));
      break;
  }
  // Behind the error all is skipped, up to the Sync: none of these names comes to be.
  Append(messages, {fe::Parse("skipped", "select 'never'"), fe::Close('S', "ok"),
                    fe::Bind("", "skipped"), fe::Execute("")});
  messages.push_back(fe::Sync());
  if (random_.Chance(50)) {
    Append(messages, {fe::Close('S', "ok"), fe::Bind("", "skipped"), fe::Sync()});
  }
  client.statements.erase("");
  Add(client, std::move(messages));
}

void TwinGenerator::Portals(Client& client) {
  std::vector<std::string> messages;
  messages = {fe::Parse("", Sql("select n, {c} from generate_series(1, 7) n", client)),
              fe::Bind("", ""),
              fe::Bind("p1", ""),
              fe::Describe('P', "p1"),
              fe::Execute("p1", 3),
              fe::Execute("p1", 3)};
  client.statements.erase("");
  if (random_.Chance(50)) messages.push_back(fe::Execute("p1", 0));
  if (random_.Chance(30)) messages.push_back(fe::Bind("p1", ""));  // 42P03
  if (random_.Chance(30)) messages.push_back(fe::Close('P', "p1"));
  messages.push_back(fe::Sync());
  // Within a transaction the portal is still there.
  if (random_.Chance(60)) Append(messages, {fe::Execute("p1", 2), fe::Sync()});
  if (random_.Chance(40)) Append(messages, {fe::Close('P', "p1"), fe::Sync()});
  Add(client, std::move(messages));
}

void TwinGenerator::Pipeline(Client& client) {
  std::vector<std::string> messages;
  for (int i = 2 + random_.Below(4); i > 0; --i) {
    switch (random_.Below(6)) {
      case 0:
        messages.push_back(fe::Query(Sql("select 'between {c}'", client)));
        break;
      case 1:
        Append(messages, Unprepared("select 1/0"));
        Append(messages, Unprepared("select 2"));
        break;
      case 2:
        Append(messages, {fe::Parse("", Sql("set app.tenant = 'piped {c}'", client)),
                          fe::Bind("", ""), fe::Execute("")});
        break;
      case 3: {
        // One that it has, if any.
        auto known = client.statements.lower_bound(random_.Pick(kNames));
        bool has = known != client.statements.end() && !known->first.empty();
        messages.push_back(has ? BindTo("", known->first, known->second)
                               : BindTo("", "s1", nullptr));
        messages.push_back(fe::Execute(""));
        break;
      }
      case 4:
        Append(messages, {fe::Parse("", Sql("show app.tenant", client)), fe::Bind("", ""),
                          fe::Execute(""), fe::Flush()});
        break;
      default:
        Append(messages, {fe::Parse("", "begin"), fe::Bind("", ""), fe::Execute(""),
                          fe::Parse("", "select 1"), fe::Bind("", ""), fe::Execute(""), fe::Sync(),
                          fe::Parse("", "rollback"), fe::Bind("", ""), fe::Execute("")});
        break;
    }
    // At times the segments are one; a Query within may then be skipped.
    if (random_.Chance(85)) messages.push_back(fe::Sync());
  }
  Append(messages, {fe::Sync(), fe::Close('S', "no such name"), fe::Sync()});
  client.statements.erase("");
  TwinStep& step = Add(client, std::move(messages));
  step.until_close = true;
}

void TwinGenerator::CopyExtended(Client& client) {
  std::string rows = fmt::format("{}\tcopied in a batch\n", 2000 + random_.Below(4000));
  client.statements.erase("");
  if (random_.Chance(30)) {
    std::vector<std::string> out = Unprepared(Sql("copy public.t{c} to stdout", client));
    out.push_back(fe::Sync());
    Add(client, std::move(out));
    return;
  }
  std::vector<std::string> messages = {fe::Parse("", Sql("copy public.t{c} from stdin", client)),
                                       fe::Bind("", ""), fe::Execute("")};
  // Rule 57: during COPY the server ignores these.
  if (random_.Chance(40)) messages.push_back(random_.Chance(50) ? fe::Sync() : fe::Flush());
  messages.push_back(fe::CopyData(rows));
  messages.push_back(random_.Chance(25) ? fe::CopyFail("gives up") : fe::CopyDone());
  Append(messages, {fe::Sync(), fe::Close('S', "no such name"), fe::Sync()});
  TwinStep& step = Add(client, std::move(messages));
  step.until_close = true;
  step.whole = true;
}

void TwinGenerator::Call(Client& client) {
  // int4pl(int4, int4), binary in and out.
  constexpr uint32_t kInt4Plus = 177;
  std::string body = fe::Int32(kInt4Plus) + fe::Int16(1) + fe::Int16(1) + fe::Int16(2) +
                     fe::Int32(4) + fe::Int32(40) + fe::Int32(4) +
                     fe::Int32(static_cast<uint32_t>(client.number)) + fe::Int16(1);
  Add(client, {fe::Typed('F', body)});
}

}  // namespace pgweir::test
