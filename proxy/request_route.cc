#include "proxy/request_route.h"

namespace pgweir::proxy {
namespace {

using router::ReadVerdict;
using Role = RequestRoute::Role;

// By the request's statements alone. A batch without its Sync goes on with nobody knows what.
ReadVerdict JudgeRequest(const RequestContents& request, NodeCatalog& catalog, WorkerTools& tools) {
  if (!request.complete) return ReadVerdict::kNoQuery;
  for (const RequestStatement& statement : request.statements) {
    if (statement.use == RequestStatement::Use::kDescribe) continue;
    if (statement.facts == nullptr) return ReadVerdict::kNoQuery;
    const ReadVerdict verdict = tools.catalogs.OfReads(catalog, statement.facts);
    if (verdict != ReadVerdict::kRead) return verdict;
  }
  return ReadVerdict::kRead;
}

}  // namespace

RequestRoute RouteOf(const RequestContents& request, const wire::Parameters& settings,
                     NodeCatalog& catalog, WorkerTools& tools) {
  // A standby has no SERIALIZABLE.
  const std::string* isolation = settings.FindUnreported("default_transaction_isolation");
  if (isolation != nullptr && *isolation == "serializable") {
    return {.role = Role::kPrimary, .why = "default_transaction_isolation is serializable"};
  }
  const ReadVerdict verdict =
      settings.ascii_superset() ? JudgeRequest(request, catalog, tools) : ReadVerdict::kNoQuery;
  return {.role = verdict == ReadVerdict::kRead ? Role::kAnyCopy : Role::kPrimary,
          .why = router::Describe(verdict)};
}

}  // namespace pgweir::proxy
