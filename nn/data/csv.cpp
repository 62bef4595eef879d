// SPDX-License-Identifier: Apache-2.0
// One pass over the text by characters; numbers through std::from_chars, which knows no locale.
#include "csv.hpp"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "../files/gzip.hpp"

namespace nn {

using autograd::Tensor;
using autograd::ValueError;

namespace {

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

}  // namespace

class TableReader {
 public:
  TableReader(Table& table, std::string_view text, CsvOptions options)
      : table_(table), text_(text), options_(options) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
  }

  void run() {
    bool header = options_.header, first = true;
    std::vector<std::string> row;
    while (at_ < text_.size()) {
      const std::int64_t line = line_;
      if (!read_row(row)) continue;
      if (first) {
        table_.columns_ = static_cast<std::int64_t>(row.size());
        name_columns(header, row);
      } else if (static_cast<std::int64_t>(row.size()) != table_.columns_) {
        fail(line, "has " + std::to_string(row.size()) + " fields",
             "as many as the first row (" + std::to_string(table_.columns_) + ")");
      }
      first = false;
      if (!std::exchange(header, false)) {
        for (std::string& field : row) table_.fields_.push_back(std::move(field));
        table_.lines_.push_back(line);
      }
    }
  }

 private:
  [[noreturn]] void fail(std::int64_t line, const std::string& what,
                         const std::string& need) const {
    detail::throw_io("Table", "line " + std::to_string(line) + " " + what, table_.name_, "", need);
  }

  void name_columns(bool header, const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      table_.names_.push_back(header ? row[i] : std::to_string(i));
      if (!table_.places_.emplace(table_.names_.back(), i).second) {
        fail(line_ - 1, "names a column twice", "names that differ");
      }
    }
  }

  char here() const { return at_ < text_.size() ? text_[at_] : '\n'; }

  /// Whether a line ends here; then it is skipped.
  bool line_end() {
    if (!is_line_end(here())) return false;
    at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
    ++line_;
    return true;
  }

  /// The fields up to the line's end; false for an empty line.
  bool read_row(std::vector<std::string>& row) {
    row.clear();
    if (line_end()) return false;
    for (;;) {
      row.push_back(read_field());
      if (line_end()) return true;
      ++at_;  // the delimiter
    }
  }

  std::string read_field() {
    if (options_.quote && at_ < text_.size() && text_[at_] == options_.quote) return quoted_field();
    const std::size_t start = at_;
    while (!is_line_end(here()) && here() != options_.delimiter) {
      if (options_.quote && text_[at_] == options_.quote) {
        fail(line_, "has a quote inside of a field", "fields with quotes to be in quotes");
      }
      ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }

  std::string quoted_field() {
    const std::int64_t line = line_;
    std::string field;
    for (++at_;; ++at_) {
      if (at_ >= text_.size()) fail(line, "opens a quote that is never closed", "a closing quote");
      if (text_[at_] == options_.quote) {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != options_.quote) break;
        ++at_;  // two quotes are one
      }
      line_ += is_line_end(text_[at_]) && text_.substr(at_, 2) != "\r\n";
      field += text_[at_];
    }
    ++at_;
    if (!is_line_end(here()) && here() != options_.delimiter)
      fail(line_, "goes on after a closing quote", "a delimiter or the line's end there");
    return field;
  }

  Table& table_;
  std::string_view text_;
  CsvOptions options_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

namespace {

void check(const CsvOptions& options) {
  const char delimiter = options.delimiter, quote = options.quote;
  if (delimiter != '\0' && delimiter != quote && !is_line_end(delimiter) && !is_line_end(quote)) {
    return;
  }
  throw ValueError("Table: options contradict themselves: delimiter is " +
                   detail::quote({&delimiter, 1}) + ", quote is " + detail::quote({&quote, 1}) +
                   "; need two that differ and are no line ends, a delimiter that is not zero");
}

}  // namespace

Table::Table(const std::string& name, std::string_view text, CsvOptions options) : name_(name) {
  check(options);
  TableReader(*this, text, options).run();
}

const std::string& Table::at(std::int64_t row, std::int64_t column) const {
  if (row < 0 || row >= rows() || column < 0 || column >= columns_) {
    throw ValueError("Table.at: no such field: row " + std::to_string(row) + ", column " +
                     std::to_string(column) + "; need row < " + std::to_string(rows()) +
                     ", column < " + std::to_string(columns_));
  }
  return fields_[static_cast<std::size_t>(row * columns_ + column)];
}

std::int64_t Table::column(std::string_view name) const {
  if (const auto found = places_.find(name); found != places_.end()) return found->second;
  constexpr std::size_t kShown = 200;
  std::string all;
  for (std::size_t i = 0; i < names_.size() && all.size() <= 4 * kShown; ++i) {
    all += (i > 0 ? ", " : "") + names_[i];
  }
  throw ValueError("Table.column: no such column: " + detail::quote(name) + "; need one of " +
                   detail::escaped(all, kShown));
}

std::vector<std::string> Table::strings(std::string_view name) const {
  const std::int64_t k = column(name);
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < rows(); ++i) all.push_back(at(i, k));
  return all;
}

std::int64_t Table::line(std::int64_t row) const {
  if (row < 0 || row >= rows()) {
    throw ValueError("Table.line: no such row: " + std::to_string(row) + "; need 0 <= row < " +
                     std::to_string(rows()));
  }
  return lines_[static_cast<std::size_t>(row)];
}

namespace {

/// Whether a number that is out of range is too near to zero: then the first digit that is not 0 stands
/// behind the point once the exponent has moved it.
bool is_tiny(std::string_view number) {
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  std::int32_t exponent = 0;
  if (e < number.size()) {
    std::string_view power = number.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto [stop, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (error != std::errc()) return power.starts_with('-');
  }
  const std::string_view digits = number.substr(0, e);
  const auto point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  const auto first = static_cast<std::int64_t>(digits.find_first_of("123456789"));
  return point - first - (first < point ? 1 : 0) + exponent < 0;
}

/// Reads all of the text, but for blanks around it and a plus in front. invalid_argument: not a number;
/// result_out_of_range: too large. What is too near to zero is 0 with its sign, the nearest number.
template <class T> std::errc parse(std::string_view text, T& number) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end) return std::errc::invalid_argument;
  if constexpr (std::is_floating_point_v<T>) {
    if (error == std::errc::result_out_of_range && is_tiny(text)) {
      number = text[0] == '-' ? -T{0} : T{0};
      return {};
    }
  }
  return error;
}
std::errc parse(std::string_view text, bool& flag) {
  std::int64_t number = 0;
  if (parse(text, number) != std::errc() || (number != 0 && number != 1)) {
    return std::errc::invalid_argument;
  }
  flag = number == 1;
  return {};
}

}  // namespace

Tensor Table::numbers(const std::vector<std::string>& names, autograd::DType dtype) const {
  std::vector<std::int64_t> places;
  for (const std::string& name : names.empty() ? names_ : names) places.push_back(column(name));
  const auto width = static_cast<std::int64_t>(places.size());
  Tensor all = autograd::empty({rows(), width}, dtype);
  autograd::dispatch(dtype, [&]<class T>(T) {
    auto to = all.mutable_data<T>().begin();
    for (std::int64_t i = 0; i < rows(); ++i) {
      for (const std::int64_t k : places) {
        T number{};
        if (const std::errc error = parse(at(i, k), number); error != std::errc()) {
          const bool large = error == std::errc::result_out_of_range;
          double wide = 0;
          const bool fits =
              large && dtype == autograd::float32 && parse(at(i, k), wide) == std::errc();
          const std::string type = autograd::name(dtype);
          detail::throw_io(
              "Table.numbers",
              "line " + std::to_string(line(i)) + ", column " +
                  detail::quote(names_[static_cast<std::size_t>(k)], 60) + " is " +
                  detail::quote(at(i, k), 60) + (large ? ", too large for " + type : ""),
              name_, "", "a number of dtype " + type + (fits ? ", or dtype float64" : ""));
        }
        *to++ = number;
      }
    }
  });
  return all;
}

Table read_csv(const std::string& path, CsvOptions options) {
  return Table(path, read_text(path), options);
}

Table read_tsv(const std::string& path, TsvOptions options) {
  return Table(path, read_text(path), {.header = options.header, .delimiter = '\t', .quote = '\0'});
}

}  // namespace nn
