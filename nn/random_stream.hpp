// SPDX-License-Identifier: Apache-2.0
// Where a layer that draws while it computes (dropout) has its random numbers from: a stream of its
// own, which all copies of the layer share and checkpoints save, or the thread's default generator.
// Threads: any number may take at a time; who gets which numbers is then up to their order.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>

#include <autograd/autograd.hpp>

namespace nn {

class RandomStream {
 public:
  /// Draws from default_generator() of the calling thread.
  RandomStream() = default;
  /// A stream of its own.
  explicit RandomStream(std::uint64_t seed) : own_(true), generator_(seed) {}

  /// A generator whose next `words` words nobody else is given; starts at a block.
  autograd::Generator take(std::int64_t words) {
    if (!own_) return taken(autograd::default_generator(), words);
    const std::lock_guard lock(mutex_);
    return taken(generator_, words);
  }

  bool own() const { return own_; }
  /// {seed, position}: where the stream is. Only of one of its own.
  std::pair<std::uint64_t, std::uint64_t> state() {
    const std::lock_guard lock(mutex_);
    return {generator_.seed(), generator_.position()};
  }
  void restore(std::uint64_t seed, std::uint64_t position) {
    const std::lock_guard lock(mutex_);
    generator_ = autograd::Generator(seed);
    generator_.seek(position);
  }

 private:
  static autograd::Generator taken(autograd::Generator& from, std::int64_t words) {
    autograd::Generator copy = from;
    from.reserve(static_cast<std::uint64_t>((words + 3) / 4));
    return copy;
  }

  bool own_ = false;
  std::mutex mutex_;
  autograd::Generator generator_;
};

}  // namespace nn
