// SPDX-License-Identifier: Apache-2.0
// What the library promises to have: every name here has its line in the README's op table, with its
// derivative, order, dtypes and accuracy, and what the table says of dtypes and derivatives is so.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>
#include <autograd/ops/composites.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "op_names.hpp"

namespace autograd::ops {
namespace {

// `tril, triu` is a line of both; so is the plain name before a word that tells variants apart.
std::set<std::string> names_in(const std::string& cell) {
  std::set<std::string> names;
  std::istringstream parts(cell);
  for (std::string part; std::getline(parts, part, ',');) {
    std::istringstream words(part);
    std::string name;
    words >> name;
    names.insert(name);
  }
  return names;
}

struct Line {
  std::vector<std::string> cells;
};

// The lines of the table in the README.
std::vector<Line> table() {
  std::ifstream readme(AUTOGRAD_README);
  std::vector<Line> lines;
  bool inside = false;
  for (std::string text; std::getline(readme, text);) {
    if (text == "<!-- op table -->") inside = true;
    if (text == "<!-- end of op table -->") break;
    if (!inside || text.substr(0, 3) != "| `") continue;
    Line line;
    std::string cell;
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '|' && text[i - 1] != '\\') {
        const std::size_t last = cell.find_last_not_of(" `"), first = cell.find_first_not_of(" `");
        line.cells.push_back(last == cell.npos ? "" : cell.substr(first, last + 1 - first));
        cell.clear();
      } else {
        cell += text[i];
      }
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(OpNames, EveryNameHasItsLine) {
  std::set<std::string> missing = op_names::names_of(op_names::kFunctionNames);
  missing.merge(op_names::names_of(op_names::kCreationNames));
  for (const Line& line : table()) {
    ASSERT_EQ(line.cells.size(), 7u) << line.cells[0];
    const std::set<std::string> names = names_in(line.cells[0]);
    EXPECT_FALSE(line.cells[1].empty()) << line.cells[0] << " has no value";
    EXPECT_FALSE(line.cells[2].empty()) << line.cells[0] << " has no derivative";
    EXPECT_FALSE(line.cells[3].empty()) << line.cells[0] << " has no order";
    EXPECT_FALSE(line.cells[4].empty()) << line.cells[0] << " has no dtypes";
    const bool constant = line.cells[3] == "0";
    EXPECT_EQ(line.cells[5].empty(), constant) << line.cells[0] << " needs an accuracy";
    EXPECT_EQ(line.cells[2] == "none", constant) << line.cells[0];
    for (const std::string& name : names) missing.erase(name);
  }
  std::string list;
  for (const std::string& name : missing) list += " " + name;
  EXPECT_TRUE(missing.empty()) << "not in the op table:" << list
                               << "; need a row, an op, or a line in ops/composites*.cpp";
}

// Inputs in that dtype, from the range of the case.
std::vector<Tensor> inputs_of(const OpCase& c, DType dtype) {
  Generator generator(5);
  std::vector<Tensor> in;
  for (const Shape& shape : c.inputs) {
    const Tensor x = rand(shape, generator) * (c.range.high - c.range.low) + c.range.low;
    in.push_back(to(x, dtype));
  }
  return in;
}

bool built_without(const std::exception& error) {
  return std::string(error.what()).find("built without") != std::string::npos;
}

// Rows take all dtypes by the same code, which errors_test and edge_test have.
TEST(OpNames, DtypesAreWhatTheTableSays) {
  for (const OpEntry& op : all_functions()) {
    SCOPED_TRACE(op.name);
    bool keeps_integers = op.cases.empty() || op.order == "0" || op.dtypes != Dtypes::all;
    for (const OpCase& c : op.cases) {
      if (c.inputs.empty()) keeps_integers = true;
      SCOPED_TRACE(c.label);
      for (const DType dtype : {float32, float64, int64, boolean}) {
        if (!is_floating(dtype) && op.dtypes == Dtypes::floating) continue;
        try {
          const Tensor y = c.f(inputs_of(c, dtype));
          if (op.order == "0") continue;
          if (is_floating(dtype)) {
            EXPECT_EQ(y.dtype(), dtype);
          } else if (op.dtypes == Dtypes::integers_as_float32) {
            EXPECT_EQ(y.dtype(), float32);
          } else if (!is_floating(y.dtype())) {  // some cases multiply by a fraction first
            keeps_integers = true;
          }
        } catch (const Error& error) {
          EXPECT_TRUE(built_without(error)) << name(dtype) << ": " << error.what();
        }
      }
    }
    EXPECT_TRUE(keeps_integers) << "the table says all, but no case gives integers for integers";
  }
}

// What the table calls constant takes part in no gradient, and says so when it is asked for one.
TEST(OpNames, ConstantsHaveNoGradient) {
  for (const OpEntry& op : constant_functions()) {
    for (const OpCase& c : op.cases) {
      SCOPED_TRACE(op.name + ", " + c.label);
      Tape tape;
      std::vector<Tensor> in;
      for (const Tensor& x : inputs_of(c, float64)) in.push_back(tape.input(x));
      const Tensor y = to(c.f(in), float64);
      EXPECT_THROW(tape.backward(sum(y)), TapeError);
    }
  }
}

}  // namespace
}  // namespace autograd::ops
