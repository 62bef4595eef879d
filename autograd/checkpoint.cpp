// SPDX-License-Identifier: Apache-2.0
#include "checkpoint.hpp"

#include <cmath>
#include <string>

#include "custom_scalar.hpp"
#include "generator.hpp"
#include "grad.hpp"
#include "tape_inline.hpp"
#include "text.hpp"
#include "unrecorded.hpp"

namespace autograd {

namespace {

std::vector<double> values_of(std::span<const Var> x) {
  std::vector<double> values;
  values.reserve(x.size());
  for (const Var& element : x) values.push_back(element.value());
  return values;
}

bool tracked(const Var& x) { return !(x.tag() & detail::kPassive); }

// On a tape of its own the inputs are constants, so that nothing is recorded, and a variable of
// another tape that f got hold of throws.
std::vector<double> evaluate(const detail::ScalarFunction& f, std::span<const double> x) {
  const Tape tape;
  const std::vector<Var> constants(x.begin(), x.end());
  return values_of(f(constants));
}

// Equal, but for a multiplication and addition that the compiler fused in one place only.
bool same(double a, double b, double rtol) {
  return a == b || std::abs(a - b) <= rtol * std::abs(a) || (a != a && b != b);
}

bool same_elements(const Tensor& a, const Tensor& b, double rtol) {
  const Tensor x = contiguous(detach(a)), y = contiguous(detach(b));
  return dispatch(x.dtype(), [&]<class T>(T) {
    const std::span<const T> first = x.data<T>(), second = y.data<T>();
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (!same(static_cast<double>(first[i]), static_cast<double>(second[i]), rtol)) return false;
    }
    return true;
  });
}

void require_same(std::span<const double> before, std::span<const Var> now) {
  if (now.size() != before.size()) {
    throw TapeError("checkpoint: f returned " + std::to_string(before.size()) +
                    " values first and " + std::to_string(now.size()) +
                    " in the sweep; need a function of its inputs alone");
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double a = before[i], b = now[i].value();
    if (same(a, b, 1e-9)) continue;
    throw TapeError("checkpoint: f is not a function of its inputs alone: output " +
                    std::to_string(i) + " was " + detail::text(a) + " and is " + detail::text(b) +
                    " in the sweep; need all that changes among the inputs");
  }
}

// The same for tensors. The bits are the same unless f is other than it was; that it draws from a
// generator of its own choice is the usual reason.
void require_same(const Tensor& before, const Tensor& now) {
  const double rtol = before.dtype() == float32 ? 1e-5 : 1e-9;
  const bool fits = before.shape() == now.shape() && before.dtype() == now.dtype();
  if (fits && same_elements(before, now, rtol)) return;
  throw TapeError("checkpoint: f is not a function of its inputs alone: it returned " +
                  to_string(before.shape()) +
                  (fits ? " and other elements" : " and " + to_string(now.shape())) +
                  " in the sweep; need all that changes among the inputs, and random numbers of "
                  "default_generator() or of a Generator made inside f");
}

// While it lives the thread's default generator stands where it stood when f ran first.
class DrawAgain {
 public:
  explicit DrawAgain(const Generator& then) : now_(default_generator()) {
    default_generator() = then;
  }
  DrawAgain(const DrawAgain&) = delete;
  DrawAgain& operator=(const DrawAgain&) = delete;
  ~DrawAgain() { default_generator() = now_; }

 private:
  Generator now_;
};

}  // namespace

std::vector<Var> detail::checkpoint(ScalarFunction f, std::span<const Var> x) {
  const Tape* tape = recorder->tape;
  bool any = false;
  for (const Var& input : x) {
    if (tape) (void)tape->resolve(input.tag());
    any = any || tracked(input);
  }
  if (!tape || !any) return f(x);
  std::vector<double> at = values_of(x);
  const Generator draws = default_generator();
  std::vector<double> y = evaluate(f, at);
  const auto vjp = [f = std::move(f), at = std::move(at), y, draws](std::span<const double> dy,
                                                                    std::span<double> dx) {
    const DrawAgain scope(draws);
    Tape inner;
    std::vector<Var> in;
    in.reserve(at.size());
    for (const double value : at) in.push_back(inner.input(value));
    const std::vector<Var> again = f(in);
    require_same(y, again);
    Var sum = 0.0;
    for (std::size_t i = 0; i < again.size(); ++i) {
      if (dy[i] != 0) sum += again[i] * dy[i];
    }
    if (!tracked(sum)) return;  // f is constant
    inner.backward(sum);
    for (std::size_t i = 0; i < in.size(); ++i) dx[i] += in[i].grad();
  };
  return custom_vjp(y, x, vjp);
}

void detail::check_steps(int steps) {
  if (steps >= 0) return;
  throw ValueError("checkpoint_steps: steps out of range: " + std::to_string(steps) +
                   "; need steps >= 0");
}

Tensor checkpoint(const TensorFunction& f, const std::vector<Tensor>& inputs) {
  if (!f) throw ValueError("checkpoint: f is empty; need a function to call");
  const auto forward = [&f](const std::vector<Tensor>& in) {
    Tape probe;  // nothing else records here
    Tensor y = f(in);
    if (y.defined() && probe.find(y.node())) {
      throw TapeError(
          "checkpoint: f uses a parameter that is not among its inputs; need everything that f "
          "differentiates as an input");
    }
    return y;
  };
  const auto backward = [f, draws = default_generator()](const std::vector<Tensor>& in,
                                                         const Tensor& y, const Tensor& dy) {
    const DrawAgain scope(draws);
    // Indices and masks go along as they are.
    std::vector<Tensor> all = in, differentiated;
    for (const Tensor& x : in) {
      if (is_floating(x.dtype())) differentiated.push_back(x);
    }
    const auto of_floating = [&](const std::vector<Tensor>& given) {
      auto next = given.begin();
      for (Tensor& x : all) {
        if (is_floating(x.dtype())) x = *next++;
      }
      return f(all);
    };
    auto [again, dx] = vjp(of_floating, differentiated, dy, {.allow_unused = true});
    require_same(y, again);
    std::vector<Tensor> result(in.size());
    auto next = dx.begin();
    for (std::size_t k = 0; k < in.size(); ++k) {
      if (is_floating(in[k].dtype())) result[k] = *next++;
    }
    return result;
  };
  return detail::custom_function(forward, backward, false)(inputs);
}

}  // namespace autograd
