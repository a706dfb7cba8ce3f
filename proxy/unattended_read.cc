#include "proxy/unattended_read.h"

#include "proxy/unattended_backend.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

constexpr std::chrono::seconds kPatience{5};

net::Task<AnswerCapture> Ask(UnattendedBackend& backend, const UnattendedRead::Part& part,
                             size_t max_bytes) {
  AnswerCapture capture;
  if (!co_await backend.Await(*part.pool)) co_return capture;
  if (!co_await backend.TakeSettings()) co_return capture;
  capture.Begin(max_bytes);
  co_await backend.Ask(part.request, capture);
  backend.GiveBack();
  co_return capture;
}

}  // namespace

net::Task<AnswerCapture> ReadUnattended(net::Worker& worker, UnattendedRead read) {
  UnattendedBackend backend(worker, read.parameters);
  backend.SetDeadline(Clock::now() + kPatience);
  AnswerCapture whole = co_await Ask(backend, read.parts.front(), read.max_bytes);
  for (size_t i = 1; i < read.parts.size() && whole.complete(); ++i) {
    whole.Join(co_await Ask(backend, read.parts[i], read.max_bytes));
  }
  co_return whole;
}

std::string UnnamedBatch(std::string_view text, std::string_view types, std::string_view bind) {
  std::string batch;
  wire::AppendParse(batch, "", text, types);
  wire::AppendBindHead(batch, "", "", static_cast<uint32_t>(bind.size()));
  batch.append(bind);
  wire::AppendDescribe(batch, 'P', "");
  wire::AppendExecute(batch, "");
  wire::AppendSync(batch);
  return batch;
}

}  // namespace pgweir::proxy
