#include "wire/reply_tracker.h"

#include <algorithm>

namespace pgweir::wire {
namespace {

bool BringsReadyForQuery(Request request) {
  return request == Request::kQuery || request == Request::kFunctionCall ||
         request == Request::kSync;
}

using Verdict = ReplyTracker::Verdict;

Verdict VerdictOn(ReplyTracker::Answers answers, char type) {
  switch (answers) {
    case ReplyTracker::Answers::kForward:
      break;
    case ReplyTracker::Answers::kSwallow:
      return Verdict::kSwallow;
    case ReplyTracker::Answers::kSwallowUnlessError:
      return type == backend::kErrorResponse ? Verdict::kForward : Verdict::kSwallow;
    case ReplyTracker::Answers::kAsParseComplete:
      if (type == backend::kCloseComplete) return Verdict::kAsParseComplete;
      break;
  }
  return Verdict::kForward;
}

}  // namespace

std::optional<Request> RequestOf(const Frame& frame) {
  switch (frame.type) {
    case frontend::kQuery:
      return Request::kQuery;
    case frontend::kParse:
      return Request::kParse;
    case frontend::kBind:
      return Request::kBind;
    case frontend::kDescribe:
      return !frame.head.empty() && frame.head[0] == std::byte{'S'} ? Request::kDescribeStatement
                                                                    : Request::kDescribePortal;
    case frontend::kExecute:
      return Request::kExecute;
    case frontend::kClose:
      return Request::kClose;
    case frontend::kSync:
      return Request::kSync;
    case frontend::kFunctionCall:
      return Request::kFunctionCall;
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      return Request::kCopyEnd;
    default:
      return std::nullopt;  // CopyData and Flush
  }
}

void ReplyTracker::OnRequest(Request request, Answers answers, uint32_t token) {
  // Outside a COPY the server ignores its end.
  if (request == Request::kCopyEnd && !copy_in_ && Head() == nullptr) return;
  ready_ = false;
  if (skipping_) {
    if (request != Request::kSync) {  // the server discards it unseen
      if (token != 0) settled_.push_back({token, Outcome::kSkipped});
      return;
    }
    skipping_ = false;
  }
  if (copy_in_) {
    // While it waits for data the server ignores Sync (and Flush).
    if (request == Request::kSync) {
      sync_ignored_ = true;
      return;
    }
    if (request == Request::kCopyEnd) {
      copy_in_ = false;
      return;
    }
  }
  if (BringsReadyForQuery(request)) ++readies_;
  queue_.push_back({request, answers, token});
}

ReplyTracker::Verdict ReplyTracker::OnReply(char type, TransactionStatus status) {
  const Entry* head = Head();
  const Verdict verdict = head != nullptr && type != backend::kNotificationResponse
                              ? VerdictOn(head->answers, type)
                              : Verdict::kForward;
  switch (type) {
    case backend::kParseComplete:
      Expect(Request::kParse, type);
      break;
    case backend::kBindComplete:
      Expect(Request::kBind, type);
      break;
    case backend::kCloseComplete:
      Expect(Request::kClose, type);
      break;
    case backend::kParameterDescription:
      if (head != nullptr && head->request == Request::kDescribeStatement) {
        // RowDescription or NoData follows, as for a portal.
        queue_[head_].request = Request::kDescribePortal;
      } else {
        desynchronised_ = true;
      }
      break;
    case backend::kRowDescription:
    case backend::kNoData:
    case backend::kCommandComplete:
    case backend::kEmptyQueryResponse:
    case backend::kPortalSuspended:
      Expect(type == backend::kRowDescription || type == backend::kNoData ? Request::kDescribePortal
                                                                          : Request::kExecute,
             type);
      break;
    case backend::kCopyInResponse:
      OnCopyIn();
      break;
    case backend::kErrorResponse:
      OnError();
      break;
    case backend::kReadyForQuery:
      OnReady(status);
      break;
    case backend::kNoticeResponse:
    case backend::kNotificationResponse:
    case backend::kParameterStatus:
      break;  // come at any time
    default:
      if (head == nullptr) desynchronised_ = true;  // rows and COPY data complete nothing
      break;
  }
  return verdict;
}

bool ReplyTracker::batch_open() const {
  for (size_t i = queue_.size(); i > head_; --i) {
    const Request request = queue_[i - 1].request;
    // The end of a COPY belongs to what began it.
    if (request != Request::kCopyEnd) return !BringsReadyForQuery(request);
  }
  return !ready_ && !skipping_ && !copy_in_;
}

bool ReplyTracker::swallowing() const {
  return head_ < queue_.size() && (queue_[head_].answers == Answers::kSwallow ||
                                   queue_[head_].answers == Answers::kSwallowUnlessError);
}

// The request that the next answer belongs to. A CopyDone that met no COPY has no answer.
ReplyTracker::Entry* ReplyTracker::Head() {
  while (head_ < queue_.size() && queue_[head_].request == Request::kCopyEnd) Pop();
  return head_ < queue_.size() ? &queue_[head_] : nullptr;
}

void ReplyTracker::Pop(Outcome outcome) {
  if (BringsReadyForQuery(queue_[head_].request)) --readies_;
  if (queue_[head_].token != 0) settled_.push_back({queue_[head_].token, outcome});
  ++head_;
  if (head_ == queue_.size()) {
    queue_.clear();
    head_ = 0;
  } else if (head_ >= 1024 && head_ * 2 >= queue_.size()) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
}

// The answer of type `type` completes a `request`; inside a simple Query it completes nothing yet.
void ReplyTracker::Expect(Request request, char type) {
  const Entry* head = Head();
  if (head != nullptr && head->request == request) {
    if (request == Request::kExecute) copy_in_ = sync_ignored_ = false;
    Pop();
    return;
  }
  const bool part_of_query = head != nullptr && head->request == Request::kQuery &&
                             type != backend::kParseComplete && type != backend::kBindComplete &&
                             type != backend::kCloseComplete && type != backend::kNoData &&
                             type != backend::kPortalSuspended;
  if (!part_of_query) desynchronised_ = true;
}

// An error inside an extended batch makes the server discard everything up to the next Sync; an
// error of a Query, a FunctionCall or a Sync is followed by their ReadyForQuery.
void ReplyTracker::OnError() {
  // Whether the server had read a Sync before it failed, and so ignored it, or will answer it,
  // can't be known.
  if (sync_ignored_) desynchronised_ = true;
  copy_in_ = false;
  Entry* head = Head();
  if (head == nullptr) return;
  if (BringsReadyForQuery(head->request)) {
    head->failed = true;
    return;
  }
  Outcome outcome = Outcome::kFailed;
  while (head_ < queue_.size() && queue_[head_].request != Request::kSync) {
    Pop(outcome);
    outcome = Outcome::kSkipped;
  }
  skipping_ = head_ == queue_.size();
}

// The server now reads COPY data. Syncs that were sent before the data's end are among what it
// reads and ignores, so they will not be answered.
void ReplyTracker::OnCopyIn() {
  const Entry* head = Head();
  if (head == nullptr || (head->request != Request::kQuery && head->request != Request::kExecute)) {
    desynchronised_ = true;
    return;
  }
  copy_in_ = true;
  sync_ignored_ = false;
  size_t kept = head_ + 1;
  for (size_t i = kept; i < queue_.size(); ++i) {
    if (copy_in_ && queue_[i].request == Request::kSync) {
      --readies_;
      continue;
    }
    if (copy_in_ && queue_[i].request == Request::kCopyEnd) {
      copy_in_ = false;
      continue;
    }
    queue_[kept++] = queue_[i];
  }
  queue_.resize(kept);
}

void ReplyTracker::OnReady(TransactionStatus status) {
  const Entry* head = Head();
  if (head == nullptr || !BringsReadyForQuery(head->request)) {
    desynchronised_ = true;
    return;
  }
  copy_in_ = false;
  sync_ignored_ = false;
  status_ = status;
  Pop(head->failed ? Outcome::kFailed : Outcome::kDone);
  ready_ = Head() == nullptr;
}

}  // namespace pgweir::wire
