// SPDX-License-Identifier: Apache-2.0
// Values and gradients of linear algebra beside PyTorch's, which tests/golden/linalg_reference.py has
// written to linalg.txt (the format is described there): float32 to 1e-5, float64 to 1e-12.
#include <autograd/ops/matrices.hpp>

#include <fstream>
#include <map>
#include <sstream>

#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

struct Golden {
  std::string name, label;
  DType dtype = float32;
  Inputs inputs;
  std::vector<bool> transposed;
  std::vector<std::pair<Shape, Doubles>> results;  // y, then dx
};

Shape shape_of(const std::string& text) {
  Shape shape;
  std::istringstream extents(text == "-" ? "" : text);
  for (std::string extent; std::getline(extents, extent, ',');) shape.push_back(std::stoll(extent));
  return shape;
}

template <class F> Tensor made(const Shape& shape, DType dtype, F&& f) {
  Doubles elements;
  for (std::int64_t i = 0; i < shape.numel(); ++i) elements.push_back(f(static_cast<double>(i)));
  return to(tensor(elements, shape), dtype);
}

std::vector<Golden> read() {
  std::ifstream file(std::string(AUTOGRAD_TESTS_DIR) + "/golden/linalg.txt");
  std::vector<Golden> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, first, word;
    words >> key >> first;
    if (key == "case") {
      cases.emplace_back();
      cases.back().name = first;
      words >> word >> cases.back().label;
      cases.back().dtype = word == "float32" ? float32 : float64;
    } else if (key == "x") {
      double seed = 0;
      words >> seed;
      cases.back().inputs.push_back(made(shape_of(first), cases.back().dtype,
                                         [&](double i) { return std::sin(i * 12.9898 + seed); }));
      cases.back().transposed.push_back(static_cast<bool>(words >> word));
    } else if (key == "y" || key == "dx") {
      Doubles elements;
      while (words >> word) elements.push_back(std::stod(word));
      cases.back().results.emplace_back(shape_of(first), elements);
    }
  }
  return cases;
}

// The functions as the script has them.
Tensor eye(const Tensor& x) {
  const std::int64_t m = ops::rows_of(x), n = ops::columns_of(x), k = std::max(m, n);
  return autograd::detail::part(ops::identity(k, x.dtype()),
                                ops::Section::block({k, k}, 0, m, 0, n));
}
Tensor tame(const Tensor& x) { return 0.25 * x + 2.0 * eye(x); }
Tensor definite(const Tensor& x) { return 0.125 * (x + transpose(x)) + 2.0 * eye(x); }
Tensor spaced(const Tensor& x) {
  return 0.1 * x + eye(x) * (2.0 * arange(ops::columns_of(x), x.dtype()) + 1.0);
}
Tensor eigh_sine(const Tensor& x) {
  const EighResult y = eigh(0.5 * (spaced(x) + transpose(spaced(x))));
  return matmul(ops::times_columns(y.eigenvectors, sin(y.eigenvalues)), transpose(y.eigenvectors));
}
Tensor svd_sine(const Tensor& x) {
  const SvdResult y = svd(spaced(x));
  return matmul(ops::times_columns(y.u, sin(y.s)), y.vh);
}
Tensor qr_sine(const Tensor& x) {
  const QrResult y = qr(tame(x));
  return matmul(y.q, sin(y.r));
}

const std::map<std::string, TensorFunction>& functions() {
  static const std::map<std::string, TensorFunction> list = {
      {"dot", [](const Inputs& in) { return dot(in[0], in[1]); }},
      {"outer", [](const Inputs& in) { return outer(in[0], in[1]); }},
      {"mv", [](const Inputs& in) { return mv(in[0], in[1]); }},
      {"bmm", [](const Inputs& in) { return bmm(in[0], in[1]); }},
      {"kron", [](const Inputs& in) { return kron(in[0], in[1]); }},
      {"trace", [](const Inputs& in) { return trace(in[0]); }},
      {"matrix_power:3", [](const Inputs& in) { return matrix_power(tame(in[0]), 3); }},
      {"matrix_power:-2", [](const Inputs& in) { return matrix_power(tame(in[0]), -2); }},
      {"det", [](const Inputs& in) { return det(tame(in[0])); }},
      {"slogdet", [](const Inputs& in) { return slogdet(tame(in[0])).logabsdet; }},
      {"logdet", [](const Inputs& in) { return logdet(tame(in[0])); }},
      {"inverse", [](const Inputs& in) { return inverse(tame(in[0])); }},
      {"solve", [](const Inputs& in) { return solve(tame(in[0]), in[1]); }},
      {"solve_triangular", [](const Inputs& in) { return solve_triangular(tame(in[0]), in[1]); }},
      {"solve_triangular:unit",
       [](const Inputs& in) {
         return solve_triangular(tame(in[0]), in[1],
                                 {.upper = true, .left = false, .unitriangular = true});
       }},
      {"pinv", [](const Inputs& in) { return pinv(tame(in[0])); }},
      {"lstsq", [](const Inputs& in) { return lstsq(tame(in[0]), in[1]).solution; }},
      {"cholesky", [](const Inputs& in) { return cholesky(definite(in[0])); }},
      {"cholesky:upper",
       [](const Inputs& in) { return cholesky(definite(in[0]), {.upper = true}); }},
      {"qr", [](const Inputs& in) { return qr_sine(in[0]); }},
      {"eigh", [](const Inputs& in) { return eigh_sine(in[0]); }},
      {"eigvalsh", [](const Inputs& in) { return eigh(definite(in[0])).eigenvalues; }},
      {"svd", [](const Inputs& in) { return svd_sine(in[0]); }},
      {"svdvals", [](const Inputs& in) { return svd(spaced(in[0])).s; }},
      {"matrix_exp", [](const Inputs& in) { return matrix_exp(in[0]); }},
      {"matrix_exp:8", [](const Inputs& in) { return matrix_exp(8.0 * in[0]) * 0.01; }},
  };
  return list;
}

TensorFunction function_of(const Golden& c) {
  const auto named = functions().find(c.name);
  TensorFunction f;
  if (named != functions().end()) {
    f = named->second;
  } else {
    const std::string expression = c.name.substr(c.name.find(':') + 1);
    f = [expression](const Inputs& in) { return einsum(expression, in); };
  }
  return [f, &c](const Inputs& in) {
    Inputs given = in;
    for (std::size_t k = 0; k < in.size(); ++k) {
      if (c.transposed[k]) given[k] = transpose(in[k]);
    }
    return f(given);
  };
}

// To the tolerance relative to the largest element.
double worst(const Tensor& got, const Doubles& want) {
  const Doubles have = values(got);
  double largest = 1e-300, error = 0;
  for (double v : want) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double e = std::abs(have[i] - want[i]) / largest;
    if (!(e <= error)) error = e;
  }
  return error;
}

TEST(GoldenLinalg, ValuesAndGradientsAgree) {
  if (!has_decompositions()) GTEST_SKIP() << "built without Eigen";
  const std::vector<Golden> cases = read();
  EXPECT_GT(cases.size(), 200u);
  std::map<DType, double> largest;
  for (const Golden& c : cases) {
    SCOPED_TRACE(c.name + " " + name(c.dtype) + " " + c.label);
    const Tensor dy =
        made(c.results[0].first, c.dtype, [](double i) { return std::cos(i * 0.7 + 1); });
    const auto [y, dx] = vjp(function_of(c), c.inputs, dy);
    ASSERT_EQ(c.results.size(), dx.size() + 1);
    for (std::size_t k = 0; k < c.results.size(); ++k) {
      const Tensor& got = k == 0 ? y : dx[k - 1];
      ASSERT_EQ(got.shape(), c.results[k].first);
      EXPECT_EQ(got.dtype(), c.dtype);
      const double error = worst(got, c.results[k].second);
      EXPECT_TRUE(error <= (c.dtype == float32 ? 1e-5 : 1e-12)) << error;
      largest[c.dtype] = std::max(largest[c.dtype], error);
    }
  }
  RecordProperty("float32", std::to_string(largest[float32]));
  RecordProperty("float64", std::to_string(largest[float64] * 1e12));
}

}  // namespace
}  // namespace ops_test
