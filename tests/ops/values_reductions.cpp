// SPDX-License-Identifier: Apache-2.0
// Norms, products, scans and what orders are made of, against loops that follow the definition.
#include <algorithm>

#include <autograd/ops/order.hpp>
#include <autograd/ops/scan.hpp>

#include "structured_values.hpp"

namespace ops_test {
namespace {

using autograd::Axes, autograd::ReduceOptions;

double product_of(const Doubles& line) {
  long double total = 1;
  for (double x : line) total *= x;
  return static_cast<double>(total);
}

double norm_of(const Doubles& line, double p) {
  long double total = 0;
  double least = kInf, most = 0;
  for (double x : line) {
    least = std::min(least, std::abs(x));
    most = std::max(most, std::abs(x));
    total += p == 0 ? (x != 0) : std::pow(static_cast<long double>(std::abs(x)), p);
  }
  if (std::isinf(p)) return p > 0 ? most : least;
  return static_cast<double>(p == 0 ? total : std::pow(total, 1 / static_cast<long double>(p)));
}

double variance_of(const Doubles& line, int correction) {
  long double mean = 0, total = 0;
  for (double x : line) mean += x / static_cast<long double>(line.size());
  for (double x : line) total += (x - mean) * (x - mean);
  const auto n = static_cast<double>(line.size()) - correction;
  return n > 0 ? static_cast<double>(total / n) : kNan;
}

void check_norms() {
  for (double p : {2.0, 1.0, 0.0, 3.0, 0.5, 1.5, -1.0, kInf, -kInf}) {
    SCOPED_TRACE(p);
    check_reduction([&](auto& x, auto& axes, auto options) { return norm(x, p, axes, options); },
                    [&](const Doubles& line) { return norm_of(line, p); }, p >= 0);
  }
}

template <class F> void check_moment(F f, double (*finish)(double)) {
  for (int correction : {0, 1, 2}) {
    check_reduction(
        [&](auto& x, auto& axes, ReduceOptions options) {
          return f(x, axes, {.correction = correction, .keepdim = options.keepdim});
        },
        [&](const Doubles& line) { return finish(variance_of(line, correction)); }, true);
  }
}

// Both directions of a scan; `append` makes the next element of what came before and the line's.
using Scan = Tensor (*)(const Tensor&, std::int64_t, autograd::ScanOptions);
void check_scan(Scan f, const std::function<double(const Doubles&)>& prefix) {
  const auto forward = [&](const Doubles& line) {
    Doubles result;
    for (std::size_t e = 1; e <= line.size(); ++e) {
      result.push_back(
          prefix(Doubles(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(e))));
    }
    return result;
  };
  check_along_axis([&](const Tensor& x, std::int64_t axis) { return f(x, axis, {}); }, forward);
  check_along_axis(
      [&](const Tensor& x, std::int64_t axis) { return f(x, axis, {.reverse = true}); },
      [&](Doubles line) {
        std::reverse(line.begin(), line.end());
        line = forward(line);
        std::reverse(line.begin(), line.end());
        return line;
      });
}

double sum_of(const Doubles& line) {
  long double total = 0;
  for (double x : line) total += x;
  return static_cast<double>(total);
}
double logsumexp_of(const Doubles& line) {
  const double top = *std::max_element(line.begin(), line.end());
  long double total = 0;
  for (double x : line) total += std::exp(static_cast<long double>(x) - top);
  return static_cast<double>(top + std::log(total));
}

// The internal functions take an axis that is counted from the front.
int counted(std::int64_t axis) { return static_cast<int>(axis < 0 ? axis + 3 : axis); }

void check_linear_scan() {
  for (bool reverse : {false, true}) {
    check_along_axis(
        [&](const Tensor& x, std::int64_t axis) {
          return autograd::ops::linear_scan(autograd::tanh(x), x, counted(axis), reverse);
        },
        [&](Doubles line) {
          if (reverse) std::reverse(line.begin(), line.end());
          double y = 0;
          for (double& x : line) x = y = std::tanh(x) * y + x;
          if (reverse) std::reverse(line.begin(), line.end());
          return line;
        });
  }
}

void check_shift() {
  for (int by : {-3, -1, 0, 1, 2}) {
    check_along_axis(
        [&](const Tensor& x, std::int64_t axis) {
          return autograd::ops::shift(x, counted(axis), by, 0.25);
        },
        [&](const Doubles& line) {
          Doubles result;
          const int n = static_cast<int>(line.size());
          for (int e = 0; e < n; ++e) {
            const bool inside = e - by >= 0 && e - by < n;
            result.push_back(inside ? line[static_cast<std::size_t>(e - by)] : 0.25);
          }
          return result;
        });
  }
}

Doubles sorted(Doubles line) {
  std::sort(line.begin(), line.end());
  return line;
}

void check_median() {
  for (const Tensor& x : layouts()) {
    const Doubles line = sorted(values(x));
    expect_same(autograd::median(x), autograd::tensor(Doubles{line[(line.size() - 1) / 2]}, {}));
  }
}

}  // namespace

void add_reduction_checks(Checks& checks) {
  checks["min"] = [] {
    check_reduction(
        [](auto& x, auto& axes, auto options) { return autograd::min(x, axes, options); },
        [](const Doubles& line) { return *std::min_element(line.begin(), line.end()); }, false);
  };
  checks["norm"] = check_norms;
  checks["var"] = [] {
    check_moment(
        [](auto& x, auto& axes, autograd::VarOptions o) { return autograd::var(x, axes, o); },
        [](double variance) { return variance; });
  };
  checks["std"] = [] {
    check_moment(
        [](auto& x, auto& axes, autograd::VarOptions o) { return autograd::std(x, axes, o); },
        [](double variance) { return std::sqrt(variance); });
  };
  checks["prod"] = [] {
    check_reduction(
        [](auto& x, auto& axes, auto options) { return autograd::prod(x, axes, options); },
        product_of, true);
  };
  checks["cumsum"] = [] { check_scan(&autograd::cumsum, sum_of); };
  checks["cumprod"] = [] { check_scan(&autograd::cumprod, product_of); };
  checks["logcumsumexp"] = [] { check_scan(&autograd::logcumsumexp, logsumexp_of); };
  checks["linear_scan"] = check_linear_scan;
  checks["shift"] = check_shift;
  checks["median"] = check_median;
}

}  // namespace ops_test
