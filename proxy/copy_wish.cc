#include "proxy/copy_wish.h"

#include "router/hints.h"
#include "router/statement_cache.h"

namespace pgweir::proxy {
namespace {

using Role = CopyWish::Role;

constexpr std::string_view kRoleSetting = "pgweir.role";
constexpr std::string_view kComment = "pgweir:";

// What a comment says overrides the session as a whole: its label without a role is one for reads.
bool Take(const router::Hints& hints, CopyWish& wish) {
  if (!hints.role && !hints.label) return false;
  const auto role = hints.role.value_or(router::Hints::Role::kAuto);
  wish.role = role == router::Hints::Role::kPrimary   ? Role::kPrimary
              : role == router::Hints::Role::kReplica ? Role::kReplica
                                                      : Role::kAuto;
  wish.label = hints.label.value_or("");
  wish.why = "its comment says so";
  return true;
}

// That of its statements which says something first, unless another one wants the primary.
Status TakeComments(const RequestContents& request, const ReadingContext& context, CopyWish& wish) {
  for (const RequestStatement& statement : request.statements) {
    if (!statement.carried_out() || statement.text.find(kComment) == std::string_view::npos) {
      continue;
    }
    const router::SqlScan& scan =
        context.statements.ScanOf(statement.text, context.settings.standard_strings());
    const auto hints = router::HintsOf(statement.text, scan);
    if (!hints.ok()) return hints.status();
    CopyWish one;
    if (!Take(*hints, one)) continue;
    if (wish.why.empty() || one.role == Role::kPrimary) wish = std::move(one);
  }
  return absl::OkStatus();
}

// A role that is none of those is a label of replicas.
void TakeSetting(const wire::Parameters& settings, CopyWish& wish) {
  const std::string* const role = settings.FindUnreported(kRoleSetting);
  if (role == nullptr || role->empty() || *role == "auto") return;
  wish.role = *role == "primary" ? Role::kPrimary : Role::kReplica;
  if (*role != "primary" && *role != "replica") wish.label = *role;
  wish.why = "pgweir.role says so";
}

// As the client gave it, without what listen.application_name_add_host has put behind.
std::string_view ApplicationOf(const wire::Parameters& settings, std::string_view address) {
  const std::string* const name = settings.Find("application_name");
  if (name == nullptr) return "";
  std::string_view given = *name;
  if (!address.empty() && given.ends_with(address)) {
    const std::string_view before = given.substr(0, given.size() - address.size());
    if (before.ends_with(" - ")) given = before.substr(0, before.size() - 3);
  }
  return given;
}

void TakeLabels(const config::ReplicaLabels& labels, const wire::Parameters& settings,
                const Asker& asker, CopyWish& wish) {
  if (const auto found = labels.users.find(asker.user); found != labels.users.end()) {
    wish.label = found->second;
    wish.why = "its user has that label";
  } else if (!labels.application_names.empty()) {
    const auto name = labels.application_names.find(ApplicationOf(settings, asker.address));
    if (name == labels.application_names.end()) return;
    wish.label = name->second;
    wish.why = "its application has that label";
  }
}

}  // namespace

StatusOr<CopyWish> WishOf(const RequestContents& request, const ReadingContext& context,
                          const config::ReplicaLabels& labels, const Asker& asker) {
  CopyWish wish;
  if (context.settings.ascii_superset()) {
    if (Status read = TakeComments(request, context, wish); !read.ok()) return read;
  }
  if (wish.why.empty()) TakeSetting(context.settings, wish);
  const bool open = wish.role == Role::kAuto && wish.label.empty();
  if (open) TakeLabels(labels, context.settings, asker, wish);
  return wish;
}

}  // namespace pgweir::proxy
