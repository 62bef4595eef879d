// SPDX-License-Identifier: Apache-2.0
// The bar and the history. Only a terminal is ever written to, unless the caller gives a function.
#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>

#include "files/file.hpp"

namespace nn {

namespace {

template <class... Arguments> std::string text(const char* format, Arguments... arguments) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, arguments...);
  return buffer;
}

/// 1:05, or 2:01:05.
std::string clock_text(double seconds) {
  const auto all = static_cast<long long>(std::min(seconds, 3.6e8));
  const long long hours = all / 3600, minutes = all / 60 % 60, rest = all % 60;
  return hours > 0 ? text("%lld:%02lld:%02lld", hours, minutes, rest)
                   : text("%lld:%02lld", minutes, rest);
}

std::string rate_text(double rate) {
  if (rate >= 1e6) return text("%.1fM/s", rate / 1e6);
  if (rate >= 1e3) return text("%.1fk/s", rate / 1e3);
  return text(rate >= 10 ? "%.0f/s" : "%.2f/s", rate);
}

/// What is shown of a line in a terminal of so many columns; a longer one would wrap at every draw.
std::string fitted(const std::string& line) {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return line;
  return line.substr(0, static_cast<std::size_t>(size.ws_col) - 1);
}

}  // namespace

std::string progress_line(const std::string& label, std::int64_t done, std::int64_t total,
                          double seconds, const Scalars& values) {
  constexpr int kWidth = 24;
  std::string line = label;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  if (total > 0) {
    const double share =
        std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
    const auto filled = static_cast<std::size_t>(std::lround(share * kWidth));
    line += " [" + std::string(filled, '#') + std::string(kWidth - filled, '.') + "]" +
            text(" %3.0f %%", 100 * share);
  }
  line += "  " + std::to_string(done) + (total > 0 ? "/" + std::to_string(total) : "");
  if (rate > 0) line += "  " + rate_text(rate);
  if (total > done && rate > 0) {
    line += "  " + clock_text(static_cast<double>(total - done) / rate) + " left";
  } else {
    line += "  " + clock_text(seconds);
  }
  for (const auto& [name, value] : values) line += "  " + name + text(" %.4g", value);
  return line;
}

double steady_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

ProgressBar::ProgressBar(std::string label, std::int64_t total, Write write)
    : label_(std::move(label)), total_(total), write_(std::move(write)), start_(steady_seconds()) {
  if (write_ || isatty(STDERR_FILENO) == 0) return;
  write_ = [](const std::string& line) {
    std::fputs(line.c_str(), stderr);
    std::fflush(stderr);
  };
}

ProgressBar::~ProgressBar() {
  if (!write_ || first_ < 0) return;
  try {
    draw();
    write_("\n");
  } catch (...) {  // a line that cannot be drawn is no reason to end a program
  }
}

bool ProgressBar::due() const { return write_ && steady_seconds() >= next_; }

void ProgressBar::update(std::int64_t done, const Scalars& values) {
  if (!write_) return;
  if (first_ < 0) first_ = std::max<std::int64_t>(done - 1, 0);
  done_ = done;
  values_ = values;
  const double now = steady_seconds();
  if (now < next_) return;
  next_ = now + 0.05;
  draw();
}

void ProgressBar::draw() {
  // As if the steps before the first update had taken as long each.
  const double fresh = static_cast<double>(std::max<std::int64_t>(done_ - first_, 1));
  const double whole = (steady_seconds() - start_) * static_cast<double>(done_) / fresh;
  // \r goes back to the start of the line, ESC [K clears what an earlier, longer text left there.
  write_("\r" + fitted(progress_line(label_, done_, total_, whole, values_)) + "\033[K");
}

// --- History.

void History::add(const Scalars& row) {
  for (const auto& entry : row) {
    if (!entry.first.empty() && entry.first.find_first_of(",\"\r\n") == std::string::npos) continue;
    throw autograd::ValueError(
        "History.add: not a name of a column: " + detail::quote(entry.first) +
        "; need one without comma, quote or line break");
  }
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  for (auto& values : values_) values.push_back(kNothing);
  ++rows_;
  for (const auto& [name, value] : row) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
      names_.push_back(name);
      values_.emplace_back(rows_, kNothing);
      values_.back().back() = value;
    } else {
      values_[static_cast<std::size_t>(found - names_.begin())].back() = value;
    }
  }
}

const std::vector<double>& History::column(const std::string& name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) return values_[static_cast<std::size_t>(found - names_.begin())];
  throw autograd::ValueError("History.column: no such column: " + detail::quote(name) +
                             "; need one of the " + std::to_string(names_.size()) +
                             " that rows were added with");
}

void History::write_csv(const std::string& path) const {
  std::string all;
  for (std::size_t c = 0; c < names_.size(); ++c) all += (c ? "," : "") + names_[c];
  all += '\n';
  for (std::size_t r = 0; r < rows_; ++r) {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      all += (c ? "," : "") + text("%.17g", values_[c][r]);
    }
    all += '\n';
  }
  write_file(path, all);
}

StateDict History::state_dict() const {
  StateDict state;
  for (std::size_t c = 0; c < names_.size(); ++c) {
    state.insert(names_[c], autograd::tensor(values_[c]));
  }
  return state;
}

void History::load_state_dict(const StateDict& state) {
  History fresh;
  for (const auto& [name, x] : state) {
    if (!x.defined() || x.dtype() != autograd::float64 || x.dim() != 1 ||
        (!fresh.names_.empty() && x.numel() != static_cast<std::int64_t>(fresh.rows_))) {
      throw autograd::ValueError("History.load_state_dict: the state does not fit: column " +
                                 detail::quote(name) + "; need float64 vectors of one length");
    }
    fresh.names_.push_back(name);
    fresh.values_.push_back(autograd::to_vector<double>(contiguous(detach(x))));
    fresh.rows_ = fresh.values_.back().size();
  }
  *this = std::move(fresh);
}

}  // namespace nn
