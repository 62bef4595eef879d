// SPDX-License-Identifier: Apache-2.0
// Tables in text, gzipped or not: CSV after RFC 4180 (quotes, doubled quotes and line ends in quotes) and
// TSV, in which quotes mean nothing. All errors name the line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

struct CsvOptions {
  bool header = true;    ///< the first row names the columns
  char delimiter = ',';  ///< not a line end, zero or the quote
  char quote = '"';      ///< not a line end; 0: quotes are characters like any other
};
struct TsvOptions {
  bool header = false;
};

class Table {
 public:
  /// Of `text`, for which messages use `name`. Lines end in \n, \r\n or \r; empty ones are left out. Throws
  /// IoError, with the line, for rows of different lengths, a quote that is never closed or in the middle of
  /// a field, a column named twice; ValueError for options that contradict themselves.
  Table(const std::string& name, std::string_view text, CsvOptions options = {});

  std::int64_t rows() const { return static_cast<std::int64_t>(lines_.size()); }
  std::int64_t columns() const { return columns_; }
  /// The names of the columns; "0", "1", ... without a header.
  const std::vector<std::string>& names() const { return names_; }
  /// Throws ValueError for a row or a column out of range.
  const std::string& at(std::int64_t row, std::int64_t column) const;
  /// The place of a name. Throws ValueError when there is none.
  std::int64_t column(std::string_view name) const;
  /// All fields of a column.
  std::vector<std::string> strings(std::string_view name) const;
  /// [rows, names], or all columns, each the nearest number of the dtype, also 0 for 1e-400. Throws IoError
  /// naming line and column for what is not a number of that dtype or too large for it; "nan" and "inf" are
  /// floating numbers, an empty field is not.
  autograd::Tensor numbers(const std::vector<std::string>& names = {},
                           autograd::DType dtype = autograd::float32) const;
  /// The line of the text on which a row begins, from 1.
  std::int64_t line(std::int64_t row) const;

 private:
  friend class TableReader;
  std::string name_;
  std::vector<std::string> names_, fields_;                  // fields_: [rows, columns]
  std::vector<std::int64_t> lines_;                          // of each row
  std::map<std::string, std::int64_t, std::less<>> places_;  // of the names
  std::int64_t columns_ = 0;
};

Table read_csv(const std::string& path, CsvOptions options = {});
Table read_tsv(const std::string& path, TsvOptions options = {});

}  // namespace nn
