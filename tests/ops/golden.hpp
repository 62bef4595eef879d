// SPDX-License-Identifier: Apache-2.0
// Golden values: what PyTorch computed, read from tests/golden/FAMILY.txt and compared without it. The
// scripts beside those files wrote them; tests/golden/common.py describes the format. A family's test is
// a map of its functions by name, given to check_golden.
#pragma once

#include <concepts>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "../golden_file.hpp"
#include "support.hpp"

namespace ops_test {

using Arguments = std::vector<std::string>;

struct GoldenCase {
  std::string name;
  autograd::DType dtype = autograd::float32;
  Arguments arguments;
  Inputs x;                   // as stored
  std::vector<bool> strided;  // the function is given the transpose of that input
  Tensor y, index;            // float64; index undefined where the function gives none
  std::vector<Tensor> dx;     // none where it is not differentiable

  std::string label() const {
    std::string text = name + " " + autograd::name(dtype);
    for (const std::string& argument : arguments) text += " " + argument;
    for (const Tensor& input : x) text += ", " + to_string(input.shape());
    return text;
  }
  /// What the function is given, from what is stored.
  Inputs given(const Inputs& stored) const {
    Inputs views = stored;
    for (std::size_t k = 0; k < views.size(); ++k) {
      if (strided[k]) views[k] = autograd::transpose(stored[k]);
    }
    return views;
  }
};

/// A function by the name it has in the file: of the inputs, or of them and the words after the name;
/// it returns a tensor, or one and positions.
class GoldenFunction {
 public:
  GoldenFunction() = default;
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, GoldenFunction>)
  GoldenFunction(F f)
      : f_([f](const Inputs& in, const Arguments& arguments) -> autograd::ValuesAndIndices {
          if constexpr (std::invocable<F, const Inputs&>) {
            return pair(f(in));
          } else {
            return pair(f(in, arguments));
          }
        }) {}
  autograd::ValuesAndIndices operator()(const Inputs& in, const Arguments& arguments) const {
    return f_(in, arguments);
  }

 private:
  static autograd::ValuesAndIndices pair(const Tensor& y) { return {y, Tensor()}; }
  static autograd::ValuesAndIndices pair(const autograd::ValuesAndIndices& y) { return y; }

  std::function<autograd::ValuesAndIndices(const Inputs&, const Arguments&)> f_;
};
using GoldenFunctions = std::map<std::string, GoldenFunction>;

/// The function of that name, or of its part before the last comma, the one before that...
inline GoldenFunctions::const_iterator golden_function(const GoldenFunctions& functions,
                                                       std::string name) {
  for (;;) {
    const auto f = functions.find(name);
    const std::size_t comma = name.rfind(',');
    if (f != functions.end() || comma == name.npos) return f;
    name.resize(comma);
  }
}

/// The cases of tests/golden/<family>.txt.
inline std::vector<GoldenCase> golden_cases(const std::string& family) {
  std::ifstream file = golden_file::open(family);
  std::vector<GoldenCase> cases;
  for (std::string text; std::getline(file, text);) {
    std::istringstream words(text);
    std::string tag, word;
    words >> tag >> word;
    if (tag == "case") {
      GoldenCase& added = cases.emplace_back();
      added.name = word;
      words >> word;
      added.dtype = word == "float64" ? autograd::float64 : autograd::float32;
      while (words >> word) added.arguments.push_back(word);
      continue;
    }
    GoldenCase& c = cases.at(cases.size() - 1);
    const autograd::Shape shape(golden_file::integers(word));
    if (tag == "x") {
      double seed = 0, levels = 0;
      words >> seed >> levels;
      c.strided.push_back(static_cast<bool>(words >> word));
      c.x.push_back(golden_file::input(shape, seed, levels, c.dtype));
      continue;
    }
    const Tensor read = autograd::tensor(golden_file::numbers(words), shape);
    if (tag == "y") c.y = read;
    if (tag == "i") c.index = read;
    if (tag == "dx") c.dx.push_back(read);
  }
  return cases;
}

/// Equal where want is not finite; elsewhere to 1e-5 (float32) or 1e-12 (float64) of the element. For
/// small ones a tenth of the largest (or of 1e-3) counts: what cancels does so up to rounding.
inline void expect_golden(const Tensor& got, const Tensor& want, autograd::DType dtype) {
  EXPECT_EQ(got.dtype(), dtype);
  ASSERT_EQ(got.shape(), want.shape());
  const Doubles have = values(got), wanted = values(want);
  double largest = 1e-3;
  for (double v : wanted) {
    if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
  }
  const double tolerance = dtype == autograd::float32 ? 1e-5 : 1e-12;
  for (std::size_t i = 0; i < have.size(); ++i) {
    const double allowed = tolerance * std::max(std::abs(wanted[i]), 0.1 * largest);
    EXPECT_TRUE(std::isfinite(wanted[i]) ? std::abs(have[i] - wanted[i]) <= allowed
                                         : near(have[i], wanted[i], 0))
        << "element " << i << ": " << have[i] << ", want " << wanted[i];
  }
}

inline void check_golden_case(const GoldenCase& c, const GoldenFunction& f) {
  const auto [y, index] = f(c.given(c.x), c.arguments);
  // Integers and truth values have a dtype of their own.
  expect_golden(y, c.y, is_floating(y.dtype()) ? c.dtype : y.dtype());
  if (c.index.defined()) expect_golden(index, c.index, autograd::int64);
  if (c.dx.empty()) return;
  const autograd::TensorFunction differentiated = [&](const Inputs& in) {
    return f(c.given(in), c.arguments).values;
  };
  const Inputs dx = autograd::vjp(differentiated, c.x, golden_file::cotangent(c.y.shape(), c.dtype),
                                  {.allow_unused = true})  // where PyTorch has 0, too
                        .second;
  ASSERT_EQ(dx.size(), c.dx.size());
  for (std::size_t k = 0; k < dx.size(); ++k) {
    SCOPED_TRACE("gradient " + std::to_string(k));
    expect_golden(dx[k], c.dx[k], c.dtype);
  }
}

/// Values and gradients of every case agree with those of the function of its name; every function has
/// at least so many cases of each dtype (golden_count_test counts them over all families).
inline void check_golden(const std::string& family, const GoldenFunctions& functions,
                         int at_least = 1) {
  std::map<std::string, std::map<autograd::DType, int>> seen;
  for (const GoldenCase& c : golden_cases(family)) {
    SCOPED_TRACE(c.label());
    const auto f = golden_function(functions, c.name);
    if (f == functions.end()) {
      ADD_FAILURE() << "no function of this name";
      continue;
    }
    ++seen[f->first][c.dtype];
    check_golden_case(c, f->second);
  }
  for (const auto& [name, f] : functions) {
    EXPECT_GE(seen[name][autograd::float32], at_least) << name;
    EXPECT_GE(seen[name][autograd::float64], at_least) << name;
  }
}

}  // namespace ops_test
