#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace pgweir::proxy {

// What one worker's clients use by turns is kept for the next one, with the memory that it has
// grown to need; of each kind so many.
inline constexpr size_t kMostSpares = 64;

template <typename T>
std::unique_ptr<T> TakeSpare(std::vector<std::unique_ptr<T>>& spares) {
  if (spares.empty()) return std::make_unique<T>();
  std::unique_ptr<T> taken = std::move(spares.back());
  spares.pop_back();
  return taken;
}

// Makes `given` null.
template <typename T>
void GiveSpare(std::vector<std::unique_ptr<T>>& spares, std::unique_ptr<T>& given) {
  if (spares.size() < kMostSpares) spares.push_back(std::move(given));
  given = nullptr;
}

}  // namespace pgweir::proxy
