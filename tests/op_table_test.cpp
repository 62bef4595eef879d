// SPDX-License-Identifier: Apache-2.0
// The op table of the README is printed from the op list: this compares the two, and with
// AUTOGRAD_UPDATE_OP_TABLE set in the environment writes the table into the README instead (what
// tests/update_op_table.sh does).
#include <gtest/gtest.h>
#include <autograd/ops/list.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace autograd::ops {
namespace {

constexpr const char* kBegin = "<!-- op table -->";
constexpr const char* kEnd = "<!-- end of op table -->";

// A formula in a cell; a bar would end the cell.
std::string code(const std::string& text) {
  std::string cell = "`";
  for (char c : text) cell += c == '|' ? "\\|" : std::string(1, c);
  return cell + "`";
}

std::string accuracy(const OpEntry& op) {
  if (op.arity == 0) return "";
  if (op.ulp == 0) return "exact";
  std::ostringstream text;
  text << op.ulp << " ulp";
  return text.str();
}

std::string op_table() {
  std::string text =
      "| operation | value | derivative | accuracy | note |\n"
      "|---|---|---|---|---|\n";
  for (const OpEntry& op : all_ops()) {
    std::string note;
    for (char c : op.note) note += c == '|' ? "\\|" : std::string(1, c);
    text += "| " + code(op.name) + " | " + code(op.value) + " | " + code(op.derivative) + " | " +
            accuracy(op) + " | " + note + " |\n";
  }
  return text;
}

std::string contents(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(OpTable, ReadmeShowsTheOpList) {
  std::string readme = contents(AUTOGRAD_README);
  const std::size_t begin = readme.find(kBegin);
  const std::size_t end = begin == readme.npos ? readme.npos : readme.find(kEnd, begin);
  ASSERT_NE(end, readme.npos) << AUTOGRAD_README << ": no op table; need the lines " << kBegin
                              << " and " << kEnd << ", between which it belongs";
  const std::size_t first = begin + std::string(kBegin).size();
  const std::string want = "\n" + op_table();
  if (std::getenv("AUTOGRAD_UPDATE_OP_TABLE")) {
    readme.replace(first, end - first, want);
    std::ofstream(AUTOGRAD_README) << readme;
    EXPECT_EQ(contents(AUTOGRAD_README), readme);
    return;
  }
  EXPECT_EQ(readme.substr(first, end - first), want)
      << "the op table of the README is not what the op list says; need ./tests/update_op_table.sh";
}

TEST(OpTable, EveryLineHasFiveCells) {
  std::istringstream lines(op_table());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    int bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    EXPECT_EQ(bars, 6) << line;
  }
  EXPECT_EQ(count, all_ops().size() + 2);
}

}  // namespace
}  // namespace autograd::ops
