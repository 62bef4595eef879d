// SPDX-License-Identifier: Apache-2.0
#include "gradcheck.hpp"

#include <cmath>
#include <limits>
#include <sstream>

#include "create.hpp"
#include "grad.hpp"
#include "text.hpp"
#include "unrecorded.hpp"

namespace autograd {

namespace {

using Failure = GradcheckReport::Failure;

void check_amount(const GradcheckOptions& options, const char* what, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  throw ValueError("gradcheck of " + options.name + ": " + what + " out of range: " +
                   detail::text(value) + "; need a finite number of at least 0");
}

void check_inputs(const GradcheckOptions& options, const std::vector<Tensor>& inputs) {
  check_amount(options, "rtol", options.rtol);
  check_amount(options, "atol", options.atol);
  check_amount(options, "step", options.step);
  if (inputs.empty()) {
    throw ValueError("gradcheck of " + options.name +
                     ": no inputs; need at least one to differentiate by");
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Tensor& x = inputs[k];
    const std::string where = "gradcheck of " + options.name + ": input " + std::to_string(k);
    if (x.dtype() != float64) {
      throw TypeError(where + " is " + name(x.dtype()) +
                      "; need float64 (differences of float32 have no digits left; use to(x, "
                      "float64))");
    }
    const std::vector<std::int64_t> strides = x.strides();
    for (int i = 0; i < x.dim() && x.numel() > 0; ++i) {
      if (x.shape()[i] > 1 && strides[static_cast<std::size_t>(i)] == 0) {
        throw ValueError(where + " repeats elements: shape " + to_string(x.shape()) +
                         "; need memory of its own, so that one element can be changed alone");
      }
    }
  }
}

Tensor copy_of(const Tensor& x) { return tensor(to_vector<double>(x), x.shape()); }

double dot(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = to_vector<double>(a), y = to_vector<double>(b);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

// What is differentiated: L(x) = <cotangent, f(x)>, evaluated with nothing recorded.
class Contracted {
 public:
  Contracted(const TensorFunction& f, const std::vector<Tensor>& inputs,
             const GradcheckOptions& options)
      : f_(f) {
    for (const Tensor& x : inputs) point_.push_back(copy_of(x));
    value_ = f_(point_);
    if (!is_floating(value_.dtype())) {
      throw TypeError("gradcheck of " + options.name + ": f returns " + name(value_.dtype()) +
                      "; need float32 or float64");
    }
    Generator generator(options.seed);
    cotangent_ = randn(value_.shape(), generator, value_.dtype());
  }

  const Tensor& value() const { return value_; }
  const Tensor& cotangent() const { return cotangent_; }
  std::vector<Tensor>& point() { return point_; }
  double* element(std::size_t input, std::int64_t i) {
    return point_[input].mutable_data<double>().data() + i;
  }
  double operator()() const { return dot(to(cotangent_, float64), to(f_(point_), float64)); }

 private:
  const TensorFunction& f_;
  std::vector<Tensor> point_;
  Tensor value_, cotangent_;
};

double step_for(const GradcheckOptions& options, double x) {
  const double epsilon = std::numeric_limits<double>::epsilon();
  return options.step > 0 ? options.step : std::cbrt(epsilon) * std::max(1.0, std::abs(x));
}

bool close(double analytic, double numeric, const GradcheckOptions& o, double& over) {
  const double tolerance = o.atol + o.rtol * std::abs(numeric);
  over = std::abs(analytic - numeric) / tolerance;
  return over <= 1;  // false for NaN
}

// NaN is worse than any number.
bool worse(const Failure& a, const Failure& b) {
  return !std::isnan(b.error_over_tolerance) && !(a.error_over_tolerance <= b.error_over_tolerance);
}

// The worst failure of every input, by central differences of each element.
class ElementCheck {
 public:
  ElementCheck(Contracted& f, const GradcheckOptions& options) : f_(f), options_(options) {}

  void run(std::size_t input, const std::vector<double>& analytic) {
    bool failed = false;
    Failure worst;
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      Failure failure{"gradient",
                      static_cast<std::int64_t>(input),
                      static_cast<std::int64_t>(i),
                      analytic[i],
                      0,
                      0};
      if (passes(failure)) continue;
      ++count_;
      if (!failed || worse(failure, worst)) worst = failure;
      failed = true;
    }
    if (failed) failures_.push_back(worst);
  }
  std::vector<Failure> failures() const { return failures_; }
  std::size_t count() const { return count_; }

 private:
  bool passes(Failure& failure) {
    double* x = f_.element(static_cast<std::size_t>(failure.input), failure.element);
    const double at = *x, h = step_for(options_, at);
    const double high = at + h, low = at - h;
    *x = high;
    const double above = f_();
    *x = low;
    const double below = f_();
    *x = at;
    failure.numeric = (above - below) / (high - low);
    if (close(failure.analytic, failure.numeric, options_, failure.error_over_tolerance))
      return true;
    // A kink between the two points shows as one-sided slopes that disagree by far more than h f''.
    const double middle = f_();
    const double right = (above - middle) / (high - at), left = (middle - below) / (at - low);
    if (std::abs(right - left) > 1e-2 * (1 + std::abs(failure.numeric))) {
      failure.what = "gradient at a kink";
    }
    return false;
  }

  Contracted& f_;
  const GradcheckOptions& options_;
  std::vector<Failure> failures_;
  std::size_t count_ = 0;
};

// One number for all elements: the derivative along a random direction.
std::vector<Failure> fast_check(Contracted& f, const GradcheckOptions& options,
                                const std::vector<std::vector<double>>& analytic) {
  std::vector<Failure> failures;
  Generator generator(options.seed + 1);
  for (std::size_t k = 0; k < analytic.size(); ++k) {
    const std::vector<double> start = to_vector<double>(f.point()[k]);
    std::vector<double> direction;
    double largest = 0, expected = 0;
    for (std::size_t i = 0; i < start.size(); ++i) {
      direction.push_back(generator.normal());
      largest = std::max(largest, std::abs(start[i]));
      expected += direction[i] * analytic[k][i];
    }
    if (start.empty()) continue;
    const double h = step_for(options, largest);
    const auto value_at = [&](double t) {
      for (std::size_t i = 0; i < start.size(); ++i) {
        *f.element(k, static_cast<std::int64_t>(i)) = start[i] + t * direction[i];
      }
      return f();
    };
    Failure failure{"gradient along a direction", static_cast<std::int64_t>(k), 0, expected, 0, 0};
    failure.numeric = (value_at(h) - value_at(-h)) / (2 * h);
    value_at(0);
    if (!close(expected, failure.numeric, options, failure.error_over_tolerance)) {
      failures.push_back(failure);
    }
  }
  return failures;
}

GradcheckReport report(const GradcheckOptions& options, std::vector<Failure> failures,
                       std::size_t count, double largest, std::size_t elements) {
  std::ostringstream text;
  text.precision(12);
  if (failures.empty()) {
    text << options.name << ": " << elements << " derivatives agree with central differences";
    return {true, text.str(), {}, largest};
  }
  const Failure* worst = &failures[0];
  for (const Failure& f : failures) {
    if (worse(f, *worst)) worst = &f;
  }
  text << options.name << ": wrong " << worst->what << " of input " << worst->input << ", element "
       << worst->element << ": analytic " << worst->analytic << ", numeric " << worst->numeric
       << ", error " << worst->error_over_tolerance << " times the tolerance";
  if (worst->what == "gradient at a kink") {
    text << " (the one-sided slopes differ: move the input away from the kink)";
  }
  if (count > 1) text << "; " << count << " of " << elements << " elements fail";
  return {false, text.str(), std::move(failures), largest};
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = to_vector<double>(to(a, float64));
  const std::vector<double> y = to_vector<double>(to(b, float64));
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!(x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i])))) return false;
  }
  return a.shape() == b.shape();
}

}  // namespace

GradcheckReport detail::gradcheck_changed(const TensorFunction& f,
                                          const std::vector<Tensor>& inputs,
                                          const GradcheckOptions& options, double scale,
                                          double shift) {
  if (!f) throw ValueError("gradcheck of " + options.name + ": f is empty; need a function");
  check_inputs(options, inputs);
  const detail::Unrecorded scope;  // the check has to see f alone
  Contracted contracted(f, inputs, options);
  if (options.check_determinism && !same_bits(f(contracted.point()), contracted.value())) {
    return {false,
            options.name +
                ": nondeterministic value: two calls with the same inputs differ; need a "
                "function of its inputs alone (make its Generator inside of it)",
            {{"nondeterministic value", 0, 0, 0, 0, 0}},
            0};
  }
  const std::vector<Tensor> gradients =
      vjp(f, contracted.point(), contracted.cotangent(), {.allow_unused = true}).second;
  std::vector<std::vector<double>> analytic;
  double largest = 0;
  std::size_t elements = 0;
  for (const Tensor& g : gradients) {
    analytic.push_back(to_vector<double>(contiguous(g)));
    for (double& value : analytic.back()) {
      largest = std::max(largest, std::abs(value));
      value = value * scale + shift;
      ++elements;
    }
  }
  if (options.fast) {
    std::vector<Failure> failures = fast_check(contracted, options, analytic);
    const std::size_t count = failures.size();
    return report(options, std::move(failures), count, largest, elements);
  }
  ElementCheck check(contracted, options);
  for (std::size_t k = 0; k < analytic.size(); ++k) check.run(k, analytic[k]);
  return report(options, check.failures(), check.count(), largest, elements);
}

GradcheckReport gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  return detail::gradcheck_changed(f, inputs, options, 1, 0);
}

GradcheckReport gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  if (!f) throw ValueError("gradgradcheck of " + options.name + ": f is empty; need a function");
  check_inputs(options, inputs);
  Tensor cotangent;
  std::vector<Tensor> weights;
  {
    const detail::Unrecorded scope;  // the check has to see f alone
    Generator generator(options.seed + 2);
    const Tensor y = f(inputs);
    cotangent = randn(y.shape(), generator, y.dtype());
    for (const Tensor& x : inputs) weights.push_back(randn(x.shape(), generator, float64));
  }
  // The first derivatives, contracted with fixed weights, as a function of inputs and cotangent.
  const TensorFunction first = [&](const std::vector<Tensor>& in) {
    const std::vector<Tensor> x(in.begin(), in.end() - 1);
    const std::vector<Tensor> g = vjp(f, x, in.back(), {.allow_unused = true}).second;
    Tensor total = sum(g[0] * weights[0]);
    for (std::size_t k = 1; k < g.size(); ++k) total = total + sum(g[k] * weights[k]);
    return total;
  };
  std::vector<Tensor> all = inputs;
  all.push_back(cotangent);
  GradcheckOptions named = options;
  named.name = "the gradient of " + options.name;
  return gradcheck(first, all, named);
}

}  // namespace autograd
