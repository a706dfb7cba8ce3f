#include "report/page.h"

#include "base/json_text.h"
#include "base/utf8.h"
#include "report/totals.h"
#include "web/pages.h"

namespace pgweir::report {
namespace {

constexpr uint32_t kNotShown = UINT32_MAX;

// For each digest its row on the page. Row 0 is what has none of its own.
std::vector<uint32_t> RowsOf(const Summary& summary, std::vector<uint32_t>& shown) {
  std::vector<uint32_t> rows(summary.digests().list().size(), kNotShown);
  rows[Digests::kOther] = 0;
  shown.push_back(Digests::kOther);
  for (const Order order : {Order::kTotal, Order::kP95, Order::kCalls}) {
    size_t left = kPageDigests;
    for (const DigestTotal& total : DigestTotals(summary, order)) {
      if (left-- == 0) break;
      if (rows[total.digest] != kNotShown) continue;
      rows[total.digest] = static_cast<uint32_t>(shown.size());
      shown.push_back(total.digest);
    }
  }
  for (uint32_t& row : rows) {
    if (row == kNotShown) row = 0;
  }
  return rows;
}

void WriteSplit(JsonText& json, const TimeSplit& time) {
  for (const uint64_t part : {time.queue, time.server, time.transfer, time.client, time.total}) {
    json.Number(part);
  }
}

// [series..., slot, calls, errors, cached, rows, bytes, queue, server, transfer, client, total,
//  [bucket, count, ...]]
void WriteMeasures(JsonText& json, int64_t slot, const Measures& measures) {
  json.Number(slot);
  for (const uint64_t count :
       {measures.calls, measures.errors, measures.cached, measures.rows, measures.bytes}) {
    json.Number(count);
  }
  WriteSplit(json, measures.time);
  json.BeginArray();
  for (const QuantileSketch::Bucket& bucket : measures.durations.buckets()) {
    json.Number(bucket.index).Number(bucket.count);
  }
  json.EndArray();
}

void BeginCube(JsonText& json, std::string_view name, const TimeCube& cube) {
  json.Key(name).BeginObject();
  json.Key("width").Number(cube.width());
  json.Key("first").Number(cube.slots() == 0 ? 0 : cube.first());
  json.Key("slots").Number(cube.slots());
  json.Key("cells").BeginArray();
}

void WriteTraffic(JsonText& json, const TimeCube& cube) {
  BeginCube(json, "traffic", cube);
  cube.ForEach([&](TimeCube::Series group, int64_t slot, const Measures& measures) {
    json.BeginArray().Number(group);
    WriteMeasures(json, slot - cube.first(), measures);
    json.EndArray();
  });
  json.EndArray().EndObject();
}

void WriteByDigest(JsonText& json, const Summary& summary, const std::vector<uint32_t>& rows) {
  TimeCube cube = summary.by_digest();
  cube.Rename([&rows](TimeCube::Series series) {
    return Summary::SeriesOf(rows[Summary::DigestOf(series)], Summary::GroupOf(series));
  });
  BeginCube(json, "by_digest", cube);
  cube.ForEach([&](TimeCube::Series series, int64_t slot, const Measures& measures) {
    json.BeginArray().Number(Summary::DigestOf(series)).Number(Summary::GroupOf(series));
    WriteMeasures(json, slot - cube.first(), measures);
    json.EndArray();
  });
  json.EndArray().EndObject();
}

void WriteGroups(JsonText& json, const Groups& groups) {
  json.Key("groups").BeginArray();
  for (const Group& group : groups.list()) {
    json.BeginArray().String(group.database).String(group.user).BeginArray();
    for (const std::string& shard : group.shards) json.String(shard);
    json.EndArray().EndArray();
  }
  json.EndArray();
}

void WriteSample(JsonText& json, const Sample& sample, const std::vector<std::string>& files) {
  json.BeginObject();
  json.Key("at").Number(sample.at);
  json.Key("group").Number(sample.group);
  const std::string& file = files[sample.place.file];
  json.Key("where").String(ToUtf8(fmt::format("{}:{}", file, sample.place.line)));
  json.Key("time").BeginArray();
  WriteSplit(json, sample.time);
  json.EndArray();
  json.Key("rows").Number(sample.rows).Key("bytes").Number(sample.bytes);
  json.Key("retries").Number(sample.retries).Key("cached").Number(sample.cached);
  const std::pair<std::string_view, const std::string*> texts[] = {
      {"sql", &sample.sql},
      {"parameters", &sample.parameters},
      {"application", &sample.application},
      {"remote_host", &sample.remote_host},
      {"role", &sample.role},
      {"traceparent", &sample.traceparent},
      {"sqlstate", &sample.sqlstate},
      {"error", &sample.error}};
  for (const auto& [key, text] : texts) {
    if (!text->empty()) json.Key(key).String(*text);
  }
  json.EndObject();
}

void WriteDigests(JsonText& json, const Summary& summary, const std::vector<uint32_t>& shown,
                  const std::vector<std::string>& files) {
  json.Key("digests").BeginArray();
  for (const uint32_t number : shown) {
    const Digest& digest = summary.digests().list()[number];
    json.BeginObject().Key("id").String(digest.id).Key("outline").String(digest.outline);
    json.Key("first").Number(digest.first).Key("last").Number(digest.last);
    json.Key("samples").BeginArray();
    for (const Sample& sample : digest.slowest) WriteSample(json, sample, files);
    json.EndArray();
    if (!digest.plan.empty()) json.Key("plan").String(digest.plan);
    if (digest.plan_left_out) json.Key("plan_left_out").Number(1);
    json.EndObject();
  }
  json.EndArray();
}

void WriteHead(JsonText& json, const Summary& summary, const std::vector<std::string>& files) {
  const LineCounts& lines = summary.lines();
  json.Key("gamma").Decimal(QuantileSketch::kGamma);
  json.Key("first").Number(summary.first()).Key("last").Number(summary.last());
  json.Key("lines").BeginObject();
  json.Key("statements").Number(lines.statements);
  json.Key("filtered").Number(lines.filtered);
  json.Key("other").Number(lines.other).Key("broken").Number(lines.broken);
  json.EndObject();
  json.Key("files").BeginArray();
  for (const std::string& file : files) json.String(ToUtf8(file));
  json.EndArray();
  json.Key("faults").BeginArray();
  for (const Fault& fault : summary.faults()) {
    json.String(ToUtf8(fmt::format("{}: {}", fault.where, fault.what)));
  }
  json.EndArray();
}

}  // namespace

std::string PageData(const Summary& summary, const std::vector<std::string>& files) {
  std::vector<uint32_t> shown;
  const std::vector<uint32_t> rows = RowsOf(summary, shown);
  JsonText json;
  json.BeginObject();
  WriteHead(json, summary, files);
  WriteGroups(json, summary.groups());
  WriteTraffic(json, summary.traffic());
  WriteByDigest(json, summary, rows);
  WriteDigests(json, summary, shown, files);
  json.EndObject();
  return json.text();
}

std::string HtmlPage(const Summary& summary, const std::vector<std::string>& files) {
  return std::string(web::kReportHead) + PageData(summary, files) + std::string(web::kReportTail);
}

}  // namespace pgweir::report
