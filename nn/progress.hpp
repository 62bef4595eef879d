// SPDX-License-Identifier: Apache-2.0
// What a training run tells: a progress bar for the terminal, and the history of its epochs for a file.
// The bar is our own because Debian 12 packages no C++ progress bar. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "state_dict.hpp"

namespace nn {

/// Names and numbers in the order in which they are shown: {{"loss", 0.31}, {"accuracy", 0.98}}.
using Scalars = std::vector<std::pair<std::string, double>>;

/// One line: label, bar, share, count, rate, time left, numbers:
/// "epoch 3 [######........]  43 %  120/280  1.5k/s  0:12 left  loss 0.31". total 0: no bar, time gone.
std::string progress_line(const std::string& label, std::int64_t done, std::int64_t total,
                          double seconds, const Scalars& values);

/// Seconds of a clock that never goes back. (Including <chrono> here would cost every page 0.4 s.)
double steady_seconds();

/// Draws itself at most every 50 ms on standard error, or not at all where that is no terminal. The
/// rate is that of this object's life, so that a resumed run shows its own.
class ProgressBar {
 public:
  /// `write` takes the text instead of standard error, whether or not that is a terminal.
  using Write = std::function<void(const std::string& text)>;
  ProgressBar(std::string label, std::int64_t total, Write write = {});
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// Draws the last state and ends the line, so that what is printed next starts on a fresh one.
  ~ProgressBar();

  /// Whether update() would draw: costs a look at the clock, and nothing without a terminal.
  bool due() const;
  /// `done` of the total are behind us.
  void update(std::int64_t done, const Scalars& values = {});

 private:
  void draw();

  std::string label_;
  std::int64_t total_, first_ = -1, done_ = 0;
  Write write_;
  Scalars values_;
  double start_, next_ = 0;  // seconds of a steady clock
};

/// A table with a row for each epoch: loss curves, and the CSV file of a run.
class History {
 public:
  /// Adds a row. A new name becomes a new column, NaN in the rows before; what a row has not is NaN.
  /// Throws ValueError for a name that is empty or has a comma, quote or line break.
  void add(const Scalars& row);
  std::size_t size() const { return rows_; }  ///< rows
  const std::vector<std::string>& columns() const { return names_; }
  /// Throws ValueError for a name that there is not.
  const std::vector<double>& column(const std::string& name) const;

  /// A header and a line per row, digits that read back as the same numbers; by write_file(), so
  /// that nothing is ever half written. Throws IoError.
  void write_csv(const std::string& path) const;

  StateDict state_dict() const;  ///< a float64 vector for each column
  void load_state_dict(const StateDict& state);

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<double>> values_;  // of each column
  std::size_t rows_ = 0;
};

}  // namespace nn
