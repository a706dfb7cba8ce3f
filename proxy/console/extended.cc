// The console's part of the extended protocol (PostgreSQL documentation, "Extended Query"). A
// statement runs at its first Execute; what it answers is kept until its portal goes.

#include "proxy/console/console.h"
#include "proxy/console/tables.h"
#include "proxy/error_response.h"
#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

namespace frontend = wire::frontend;

// More is sent without waiting for a Sync.
constexpr size_t kMaxUnsent = 64 * 1024;
constexpr size_t kMaxStatements = 1000;

Status InvalidMessage() { return Error(sqlstate::kProtocolViolation, "invalid message format"); }

// The formats of a Bind's results, after its parameters; an error when it has parameters, of which
// no statement here takes any.
StatusOr<std::vector<wire::Format>> ReadFormats(wire::ByteReader& body) {
  const auto parameter_formats = body.Int16();
  if (!parameter_formats.has_value() || !body.Take(size_t{2} * *parameter_formats).has_value()) {
    return InvalidMessage();
  }
  const auto parameters = body.Int16();
  if (!parameters.has_value()) return InvalidMessage();
  if (*parameters > 0) {
    return Error(sqlstate::kProtocolViolation, "the console's statements take no parameters");
  }
  const auto count = body.Int16();
  std::vector<wire::Format> formats;
  for (int i = 0; i < count.value_or(0); ++i) {
    const auto format = body.Int16();
    if (!format.has_value() || *format > 1) return InvalidMessage();
    formats.push_back(static_cast<wire::Format>(*format));
  }
  return formats;
}

}  // namespace

net::Task<bool> Console::HandleExtended(char type, std::string body) {
  if (skipping_to_sync_) co_return true;
  const wire::Bytes bytes = wire::AsBytes(body);
  Status done;
  switch (type) {
    case frontend::kParse:
      done = OnParse(bytes);
      break;
    case frontend::kBind:
      done = OnBind(bytes);
      break;
    case frontend::kDescribe:
      done = OnDescribe(bytes);
      break;
    case frontend::kClose:
      done = OnClose(bytes);
      break;
    case frontend::kExecute:
      done = co_await OnExecute(body);
      break;
    case frontend::kCopyData:
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      co_return true;  // as a server outside a COPY
    default:
      done = Errorf(sqlstate::kProtocolViolation, "invalid frontend message type {}",
                    static_cast<unsigned char>(type));
      AppendError(out_, Severity::kFatal, done);
      co_await SendOut();
      co_return false;
  }
  if (!done.ok()) {
    AppendError(out_, Severity::kError, done);
    skipping_to_sync_ = true;
  }
  co_return out_.size() < kMaxUnsent || co_await SendOut();
}

Status Console::OnParse(wire::Bytes body) {
  wire::ByteReader reader(body);
  const auto name = reader.Text();
  const auto text = reader.Text();
  if (!text.has_value()) return InvalidMessage();
  client_.counters->Add(Stat::kClientParses);
  const std::vector<std::string> statements = SplitStatements(*text);
  if (statements.size() > 1) {
    return Error(sqlstate::kSyntaxError,
                 "cannot insert multiple commands into a prepared statement");
  }
  const std::string statement = statements.empty() ? "" : statements.front();
  const auto understood = Understand(statement);
  if (!understood.ok()) return understood.status();
  if (statements_.size() >= kMaxStatements && !statements_.contains(std::string(*name))) {
    return Error(sqlstate::kProtocolViolation, "too many prepared statements");
  }
  statements_.insert_or_assign(std::string(*name), statement);
  wire::AppendParseComplete(out_);
  return absl::OkStatus();
}

Status Console::OnBind(wire::Bytes body) {
  wire::ByteReader reader(body);
  const auto portal = reader.Text();
  const auto name = reader.Text();
  if (!name.has_value()) return InvalidMessage();
  const auto statement = statements_.find(std::string(*name));
  if (statement == statements_.end()) {
    return Errorf("26000", "prepared statement \"{}\" does not exist", *name);
  }
  auto formats = ReadFormats(reader);
  if (!formats.ok()) return formats.status();
  client_.counters->Add(Stat::kBinds);
  portals_.insert_or_assign(std::string(*portal), Portal{statement->second, *std::move(formats)});
  wire::AppendBindComplete(out_);
  return absl::OkStatus();
}

// What a statement's rows will look like; nothing when it has none.
StatusOr<Columns> Console::DescribeStatement(const std::string& statement) {
  const auto command = Understand(statement);
  if (!command.ok()) return command.status();
  switch (command->kind) {
    case Command::Kind::kShow: {
      const TableKind* table = FindTable(command->name);
      return table == nullptr ? Columns() : ColumnsOf(*table, host_.snapshot()->config());
    }
    case Command::Kind::kShowSetting:
    case Command::Kind::kSelectOne:
    case Command::Kind::kExplainRoute:
      return OwnColumns(*command);
    default:
      return Columns();
  }
}

Status Console::OnDescribe(wire::Bytes body) {
  wire::ByteReader reader(body);
  const auto kind = reader.Byte();
  const auto name = reader.Text();
  if (!name.has_value() || (*kind != 'S' && *kind != 'P')) return InvalidMessage();
  std::string statement;
  std::vector<wire::Format> formats;
  if (*kind == 'S') {
    const auto it = statements_.find(std::string(*name));
    if (it == statements_.end()) {
      return Errorf("26000", "prepared statement \"{}\" does not exist", *name);
    }
    statement = it->second;
  } else {
    const auto it = portals_.find(std::string(*name));
    if (it == portals_.end()) return Errorf("34000", "portal \"{}\" does not exist", *name);
    statement = it->second.statement;
    formats = it->second.formats;
  }
  const auto columns = DescribeStatement(statement);
  if (!columns.ok()) return columns.status();
  if (*kind == 'S') wire::AppendParameterDescription(out_);
  if (columns->empty()) {
    wire::AppendNoData(out_);
  } else {
    wire::AppendRowDescription(out_, *columns, formats);
  }
  return absl::OkStatus();
}

Status Console::OnClose(wire::Bytes body) {
  wire::ByteReader reader(body);
  const auto kind = reader.Byte();
  const auto name = reader.Text();
  if (!name.has_value()) return InvalidMessage();
  if (*kind == 'S') {
    statements_.erase(std::string(*name));
  } else {
    portals_.erase(std::string(*name));
  }
  wire::AppendCloseComplete(out_);
  return absl::OkStatus();
}

net::Task<Status> Console::OnExecute(std::string body) {
  wire::ByteReader reader(wire::AsBytes(body));
  const auto name = reader.Text();
  const auto limit = reader.Int32();
  if (!limit.has_value()) co_return InvalidMessage();
  const auto it = portals_.find(std::string(*name));
  if (it == portals_.end()) co_return Errorf("34000", "portal \"{}\" does not exist", *name);
  Portal& portal = it->second;  // nothing else touches the portals meanwhile
  if (portal.statement.empty()) {
    wire::AppendEmptyQueryResponse(out_);
    co_return absl::OkStatus();
  }
  if (!portal.result.has_value()) {
    auto result = co_await Run(portal.statement);
    if (!result.ok()) co_return result.status();
    portal.result = *std::move(result);
    AppendNotice(*portal.result);
  }
  const Result& result = *portal.result;
  const size_t end =
      *limit == 0 ? result.rows.size() : std::min<size_t>(result.rows.size(), portal.sent + *limit);
  for (; portal.sent < end; ++portal.sent) {
    wire::AppendDataRow(out_, result.columns, result.rows[portal.sent].values(), portal.formats);
  }
  if (end < result.rows.size()) {
    wire::AppendPortalSuspended(out_);
  } else {
    wire::AppendCommandComplete(out_, result.tag);
  }
  co_return absl::OkStatus();
}

}  // namespace pgweir::proxy
