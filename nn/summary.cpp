// SPDX-License-Identifier: Apache-2.0
#include "summary.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace nn::detail {

namespace {

struct Row {
  std::string path, type, output;
  std::int64_t parameters = 0;
};

bool inside(const std::string& path, const std::string& of) {
  return of.empty() ? !path.empty() : path.size() > of.size() && path.starts_with(of + ".");
}

/// Rows in the order in which layers begin: one that ends comes before what it contains.
class Watch : public Observer {
 public:
  explicit Watch(std::string root) : root_(std::move(root)), before_(observer) { observer = this; }
  ~Watch() override { observer = before_; }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void saw(const std::string& full, const std::string& type, const Tensor& y) override {
    if (full != root_ && !inside(full, root_)) return;  // of another model
    const std::size_t front = full == root_ ? full.size() : root_.size() + !root_.empty();
    const std::string path = full.substr(front);
    const auto same = [&](const Row& row) { return row.path == path; };
    if (std::any_of(rows.begin(), rows.end(), same)) return;  // called again
    const auto first = std::find_if(rows.begin(), rows.end(),
                                    [&](const Row& row) { return inside(row.path, path); });
    rows.insert(first, {path, type, to_string(y.shape())});
  }

  std::vector<Row> rows;

 private:
  std::string root_;
  Observer* before_;
};

/// The row that a parameter of this name counts for: that of the nearest module above it. Modules that
/// were not called, or do not show themselves, get a row at the end when they own parameters.
Row& row_of(std::vector<Row>& rows, const std::string& key) {
  const std::size_t dot = key.rfind('.');
  const std::string owner = dot == std::string::npos ? "" : key.substr(0, dot);
  Row* nearest = nullptr;
  for (Row& row : rows) {
    const bool above = row.path == owner || (!row.path.empty() && inside(owner, row.path));
    if (above && (!nearest || row.path.size() > nearest->path.size())) nearest = &row;
  }
  if (nearest) return *nearest;
  rows.push_back({owner, "", "-"});
  return rows.back();
}

/// 1234567 as 1,234,567.
std::string grouped(std::int64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

std::string size_text(std::int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit < 4) size /= 1024, ++unit;
  std::string text = std::to_string(size);
  text.resize(unit == 0 ? text.find('.') : text.find('.') + 2);
  return text + " " + kUnits[unit];
}

void append_line(std::string& table, const std::vector<std::string>& cells,
                 const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string space(widths[i] - std::min(widths[i], cells[i].size()), ' ');
    const bool number = i + 1 == cells.size();  // the last column stands to the right
    table += (i > 0 ? "  " : "") + (number ? space + cells[i] : cells[i] + space);
  }
  table += '\n';
}

std::string print(const std::vector<Row>& rows, std::int64_t total, std::int64_t bytes) {
  std::vector<std::vector<std::string>> lines = {{"layer", "type", "output", "parameters"}};
  for (const Row& row : rows) {
    lines.push_back({row.path.empty() ? "(model)" : row.path, row.type, row.output,
                     row.parameters > 0 ? grouped(row.parameters) : "-"});
  }
  std::vector<std::size_t> widths(4);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < 4; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  const std::string rule(widths[0] + widths[1] + widths[2] + widths[3] + 6, '-');
  std::string table;
  append_line(table, lines[0], widths);
  table += rule + '\n';
  for (std::size_t i = 1; i < lines.size(); ++i) append_line(table, lines[i], widths);
  return table + rule + "\n" + grouped(total) + " parameters, " + size_text(bytes) + "\n";
}

}  // namespace

namespace {

/// The name that a pool has as a template argument, {char [10]{(char)77, (char)97, ...}}; of others "".
std::string pool_name(const std::string& full) {
  std::string name;
  if (!full.starts_with("nn::WindowPool<") && !full.starts_with("nn::AdaptivePool<")) return name;
  constexpr std::string_view kFront = "(char)";
  for (std::size_t at = 0; (at = full.find(kFront, at)) != std::string::npos;) {
    at += kFront.size();
    name += static_cast<char>(std::atoi(full.c_str() + at));
  }
  return name;
}

}  // namespace

std::string readable_type(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  const std::string full = readable ? readable.get() : name;
  if (const std::string pool = pool_name(full); !pool.empty()) return pool;
  // main::{lambda(int)#1} and, as Clang calls one that no other file sees, main::$_0.
  if (full.find('{') != std::string::npos || full.find("$_") != std::string::npos) return "lambda";
  const std::string base = full.substr(0, full.find('<'));
  const std::size_t scope = base.rfind("::");
  const std::string type = scope == std::string::npos ? base : base.substr(scope + 2);
  // ConvNd<2> is called Conv2d.
  const std::string rest = full.substr(base.size());
  if (!type.ends_with("Nd") || rest.size() != 3) return type;
  return type.substr(0, type.size() - 2) + rest[1] + "d";
}

std::string summarize(const Module& model, const std::string& type,
                      const std::function<Tensor()>& call) {
  Watch watch(model.path());
  const Tensor y = call();
  watch.saw(model.path(), type, y);  // unless it has shown itself
  std::int64_t total = 0, bytes = 0;
  for (const auto& [key, p] : model.named_parameters()) {
    row_of(watch.rows, key).parameters += p.numel();
    total += p.numel();
    bytes += p.numel() * static_cast<std::int64_t>(autograd::item_size(p.dtype()));
  }
  return print(watch.rows, total, bytes);
}

}  // namespace nn::detail
