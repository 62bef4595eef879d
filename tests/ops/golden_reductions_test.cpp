// SPDX-License-Identifier: Apache-2.0
// Reductions, scans and orders beside what PyTorch gives for them: tests/golden/reductions.txt.
#include "golden_reductions.hpp"

namespace ops_test {
namespace {

using namespace autograd;

using Arguments = std::vector<std::string>;
using Golden = std::function<ValuesAndIndices(const Tensor&, const Arguments&)>;

Axes axes_of(const std::string& text) { return text == "all" ? Axes{} : golden_integers(text); }
std::int64_t number(const std::string& text) { return std::stoll(text); }

template <class F> Golden over_axes(F f) {
  return [f](const Tensor& x, const Arguments& a) {
    return ValuesAndIndices{f(x, axes_of(a.back()), a), Tensor()};
  };
}
template <class F> Golden along(F f) {
  return [f](const Tensor& x, const Arguments& a) {
    return ValuesAndIndices{f(x, number(a.back())), Tensor()};
  };
}
template <class F> Golden with_indices(F f) {
  return [f](const Tensor& x, const Arguments& a) -> ValuesAndIndices { return f(x, a); };
}

const std::map<std::string, Golden>& functions() {
  static const std::map<std::string, Golden> list = {
      {"prod", over_axes([](auto& x, auto axes, auto&) { return prod(x, axes); })},
      {"amax", over_axes([](auto& x, auto axes, auto&) { return amax(x, axes); })},
      {"amin", over_axes([](auto& x, auto axes, auto&) { return amin(x, axes); })},
      {"max", with_indices([](auto& x, auto& a) { return max(x, number(a[0])); })},
      {"min", with_indices([](auto& x, auto& a) { return min(x, number(a[0])); })},
      {"argmax", over_axes([](auto& x, auto axes, auto&) {
         return axes.empty() ? argmax(x) : argmax(x, axes[0]);
       })},
      {"argmin", over_axes([](auto& x, auto axes, auto&) {
         return axes.empty() ? argmin(x) : argmin(x, axes[0]);
       })},
      {"any", over_axes([](auto& x, auto axes, auto&) { return any(x, axes); })},
      {"all", over_axes([](auto& x, auto axes, auto&) { return all(x, axes); })},
      {"count_nonzero",
       over_axes([](auto& x, auto axes, auto&) { return count_nonzero(x, axes); })},
      {"nansum", over_axes([](auto& x, auto axes, auto&) { return nansum(log(x), axes); })},
      {"nanmean", over_axes([](auto& x, auto axes, auto&) { return nanmean(log(x), axes); })},
      {"var", over_axes([](auto& x, auto axes, auto& a) {
         return var(x, axes, {.correction = number(a[0])});
       })},
      {"std", over_axes([](auto& x, auto axes, auto& a) {
         return autograd::std(x, axes, {.correction = number(a[0])});
       })},
      {"norm",
       over_axes([](auto& x, auto axes, auto& a) { return norm(x, ::std::stod(a[0]), axes); })},
      {"cumsum", along([](auto& x, auto axis) { return cumsum(x, axis); })},
      {"cumprod", along([](auto& x, auto axis) { return cumprod(x, axis); })},
      {"logcumsumexp", along([](auto& x, auto axis) { return logcumsumexp(x, axis); })},
      {"sort", with_indices([](auto& x, auto& a) {
         return sort(x, number(a[0]), {.descending = a[1] == "down"});
       })},
      {"topk", with_indices([](auto& x, auto& a) {
         return topk(x, number(a[0]), number(a[1]), {.largest = a[2] == "down"});
       })},
      {"kthvalue",
       with_indices([](auto& x, auto& a) { return kthvalue(x, number(a[0]), number(a[1])); })},
      {"median", with_indices([](auto& x, auto& a) {
         return a[0] == "all" ? ValuesAndIndices{median(x), Tensor()} : median(x, number(a[0]));
       })},
  };
  return list;
}

TEST(Golden, ReductionsAgreeWithPyTorch) {
  const std::vector<GoldenCase> cases = golden_cases("reductions.txt");
  std::map<std::string, int> count;
  for (const GoldenCase& c : cases) {
    SCOPED_TRACE(c.label());
    ASSERT_TRUE(functions().contains(c.name));
    ++count[c.name];
    const Golden& f = functions().at(c.name);
    const double tolerance = c.dtype == float64 ? 1e-12 : 1e-5;
    const auto [y, index] = f(c.given(c.x), c.arguments);
    EXPECT_EQ(y.shape(), c.results.at("y").shape());
    expect_values(y, values(c.results.at("y")), tolerance);
    if (c.results.contains("i")) expect_values(index, values(c.results.at("i")));
    if (!c.results.contains("dx")) continue;
    EXPECT_EQ(y.dtype(), c.dtype);
    const TensorFunction g = [&](const Inputs& in) {
      return f(c.given(in[0]), c.arguments).values;
    };
    const Tensor dx = vjp(g, {c.x}, golden_cotangent(y.shape(), c.dtype)).second[0];
    expect_values(dx, values(c.results.at("dx")), tolerance);
  }
  for (const auto& [name, f] : functions()) EXPECT_GE(count[name], 8) << name;  // both dtypes
}

}  // namespace
}  // namespace ops_test
