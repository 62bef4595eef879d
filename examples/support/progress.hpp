// SPDX-License-Identifier: Apache-2.0
// A progress bar on standard error that keeps quiet when that is not a terminal. Written here because
// Debian 12 packages no C++ progress bar. One thread; redraws at most every 50 ms, so that calling
// update in every epoch costs a look at the clock.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace support {

class ProgressBar {
 public:
  ProgressBar(std::string label, std::int64_t total)
      : label_(std::move(label)), total_(total), shown_(isatty(STDERR_FILENO) != 0) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// Ends the line, so that what is printed next starts on a fresh one.
  ~ProgressBar() {
    if (!shown_ || done_ == 0) return;
    draw();
    std::fputc('\n', stderr);
  }

  /// `done` of the total steps are behind us, and this is the loss.
  void update(std::int64_t done, double loss) {
    done_ = done;
    loss_ = loss;
    if (!shown_) return;
    const Clock::time_point now = Clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(50);
    draw();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void draw() const {
    constexpr int kWidth = 30;
    const double share = static_cast<double>(done_) / static_cast<double>(total_);
    const int filled = std::clamp(static_cast<int>(std::lround(share * kWidth)), 0, kWidth);
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    // \r goes back to the start of the line, ESC [K clears what an earlier, longer text left there.
    std::fprintf(stderr, "\r%s [%s] %3.0f %%  epoch %lld/%lld  loss %.6f\033[K", label_.c_str(),
                 bar.c_str(), 100 * share, static_cast<long long>(done_),
                 static_cast<long long>(total_), loss_);
    std::fflush(stderr);
  }

  std::string label_;
  std::int64_t total_;
  bool shown_;
  std::int64_t done_ = 0;
  double loss_ = 0;
  Clock::time_point next_;
};

}  // namespace support
