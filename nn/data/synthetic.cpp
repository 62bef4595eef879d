// SPDX-License-Identifier: Apache-2.0
// Point i is of class i mod classes; along its curve the points of a class are evenly spread.
#include "synthetic.hpp"

#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

namespace nn {

namespace {

using autograd::Generator;
using Point = std::pair<double, double>;

void require(bool ok, const char* function, const char* what, double value, const char* need) {
  if (ok) return;
  throw autograd::ValueError(std::string(function) + ": " + what +
                             " out of range: " + autograd::detail::text(value) + "; need " + need);
}

void check(const char* function, std::int64_t n, std::int64_t classes, double noise) {
  require(n >= 0, function, "n", static_cast<double>(n), "n >= 0");
  require(classes >= 1, function, "classes", static_cast<double>(classes), "classes >= 1");
  require(noise >= 0 && std::isfinite(noise), function, "noise", noise, "a finite noise >= 0");
}

/// point(label, share) plus noise for every i; share in [0, 1] is the place along the class's curve.
template <class F>
LabeledPoints points(std::int64_t n, std::int64_t classes, double noise, Generator& generator,
                     F&& point) {
  std::vector<float> x;
  std::vector<std::int64_t> y;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t label = i % classes;
    const std::int64_t count = (n - label + classes - 1) / classes;
    const double share =
        count > 1 ? static_cast<double>(i / classes) / static_cast<double>(count - 1) : 0;
    const Point p = point(label, share);
    const double dx = generator.normal(), dy = generator.normal();
    x.push_back(static_cast<float>(p.first + noise * dx));
    x.push_back(static_cast<float>(p.second + noise * dy));
    y.push_back(label);
  }
  return {autograd::tensor(x, {n, 2}), autograd::tensor(y, {n})};
}

}  // namespace

LabeledPoints make_moons(std::int64_t n, SyntheticOptions options, Generator& generator) {
  check("make_moons", n, 2, options.noise);
  return points(n, 2, options.noise, generator, [](std::int64_t label, double share) -> Point {
    const double angle = std::numbers::pi * share;
    if (label == 0) return {std::cos(angle), std::sin(angle)};
    return {1 - std::cos(angle), 0.5 - std::sin(angle)};
  });
}

LabeledPoints make_spirals(std::int64_t n, SpiralsOptions options, Generator& generator) {
  check("make_spirals", n, options.classes, options.noise);
  return points(
      n, options.classes, options.noise, generator, [&](std::int64_t label, double share) -> Point {
        const double turn = options.turns * share +
                            static_cast<double>(label) / static_cast<double>(options.classes);
        const double angle = 2 * std::numbers::pi * turn;
        return {share * std::cos(angle), share * std::sin(angle)};
      });
}

LabeledPoints make_blobs(std::int64_t n, BlobsOptions options, Generator& generator) {
  check("make_blobs", n, options.classes, options.spread);
  require(options.box >= 0 && std::isfinite(options.box), "make_blobs", "box", options.box,
          "a finite box >= 0");
  std::vector<Point> centers;
  for (std::int64_t k = 0; k < options.classes; ++k) {
    const double x = generator.uniform(), y = generator.uniform();
    centers.emplace_back(options.box * (2 * x - 1), options.box * (2 * y - 1));
  }
  return points(n, options.classes, options.spread, generator, [&](std::int64_t label, double) {
    return centers[static_cast<std::size_t>(label)];
  });
}

}  // namespace nn
