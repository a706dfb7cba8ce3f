#pragma once

#include <string>

#include "base/status.h"

// What a server does with itself before it serves: another user, the background, a pidfile.

namespace pgweir::proxy {

// Root becomes `user` with its groups, for good. Nothing if it already is.
Status BecomeUser(const std::string& user);

// The process that was started waits, and exits with 0 when Ready() is called here, with 1 when
// this process ends before. Until then stderr stays the caller's. Before any thread is started.
class Background {
 public:
  ~Background();
  Status Enter();
  // Also closes stdin, stdout and stderr. Nothing without Enter().
  void Ready();

 private:
  int pipe_ = -1;
};

// A file with this process's id, removed when the object goes, unless it is another's by then.
class PidFile {
 public:
  ~PidFile() { Remove(); }
  // Nothing without a path. One left by a process that is gone is replaced; one of a running
  // process is an error, unless this one is to take its place.
  Status Write(const std::string& path, bool takes_over);
  void Remove();

 private:
  std::string path_;  // "" until written
};

}  // namespace pgweir::proxy
