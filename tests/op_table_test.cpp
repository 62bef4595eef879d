// SPDX-License-Identifier: Apache-2.0
// The op table of the README is printed from the op list, the composites and the functions without a
// derivative (ops/composites.hpp): this compares the two, and with
// AUTOGRAD_UPDATE_OP_TABLE set in the environment writes the table into the README instead (what
// tests/update_op_table.sh does).
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>
#include <autograd/ops/composites.hpp>

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

// Other than rows: exact where float32 gives the bits of float64 for inputs that both hold, else the
// bound that the comparisons with PyTorch and with naive loops hold, relative to the largest element.
std::string accuracy_of_cases(const OpEntry& op) {
  Generator generator(1);
  for (const OpCase& c : op.cases) {
    std::vector<Tensor> narrow, wide;
    for (const Shape& shape : c.inputs) {
      // Rounded after scaling, so that the last bits of small numbers count.
      const Tensor x = rand(shape, generator, float64) * (c.range.high - c.range.low);
      narrow.push_back(to(x + c.range.low, float32));
      wide.push_back(to(narrow.back(), float64));
    }
    try {
      if (!equal(to(c.f(narrow), float64), to(c.f(wide), float64))) return "1e-12";
    } catch (const Error&) {  // of a library without an optional package
      return "1e-12";
    }
  }
  return "exact";
}

std::string accuracy(const OpEntry& op) {
  if (op.order == "0") return "";
  if (op.arity == 0) return accuracy_of_cases(op);
  if (op.ulp == 0) return "exact";
  std::ostringstream text;
  text << op.ulp << " ulp";
  return text.str();
}

std::string dtypes(const OpEntry& op) {
  if (op.dtypes == Dtypes::floating) return "floating";
  return op.dtypes == Dtypes::all ? "all" : "floating, integers as float32";
}

std::string op_table() {
  std::string text =
      "| operation | value | derivative | order | dtypes | accuracy | note |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const OpEntry& op : all_functions()) {
    std::string note;
    for (char c : op.note) note += c == '|' ? "\\|" : std::string(1, c);
    text += "| " + code(op.name) + " | " + code(op.value) + " | " + code(op.derivative) + " | " +
            op.order + " | " + dtypes(op) + " | " + accuracy(op) + " | " + note + " |\n";
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

TEST(OpTable, EveryLineHasSevenCells) {
  std::istringstream lines(op_table());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    int bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    EXPECT_EQ(bars, 8) << line;
  }
  EXPECT_EQ(count, all_functions().size() + 2);
}

}  // namespace
}  // namespace autograd::ops
