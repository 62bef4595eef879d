// SPDX-License-Identifier: Apache-2.0
#include "ctc.hpp"

#include <limits>

#include "../create.hpp"
#include "../kernels/parallel.hpp"
#include "../network.hpp"
#include "pool.hpp"

namespace autograd::ops {

namespace {

using kernels::CtcSample;
using Inputs = std::vector<Tensor>;
using Positions = std::vector<std::int64_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::int64_t signed_size(std::size_t n) { return static_cast<std::int64_t>(n); }

// Calls f(sample, its offset in one step) for all of them, on several threads.
template <class F> void for_each_sample(const CtcSamples& samples, F&& f) {
  kernels::parallel_for(samples.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) f(samples[i], i);
  });
}

// The posterior once more, in recorded functions over arrays [n, states] of the most states that any
// sample has; what a sample does not have is -inf. Slow (every step touches all of dx), and only
// needed for derivatives of the gradient.
class RecordedPosterior {
 public:
  RecordedPosterior(const CtcSamples& samples, const Tensor& log_probs)
      : samples_(samples), shape_(log_probs.shape()), flat_(line(log_probs)) {
    for (const CtcSample& sample : samples) width_ = std::max(width_, sample.states.size());
  }

  Tensor gradient(const Tensor& dy) {
    const std::int64_t steps = shape_[0];
    std::vector<Tensor> alpha;
    for (std::int64_t t = 0; t < steps; ++t) {
      const Tensor start = line(built([](const CtcSample&, std::size_t s) { return s < 2; }));
      const Tensor from = t == 0 ? log(start) : arrive(alpha.back());
      const Tensor next = from + step(t);
      alpha.push_back(t == 0 ? next : where(active(t), next, alpha.back()));
    }
    const Tensor finish = log(line(built([](const CtcSample& sample, std::size_t s) {
      return s < sample.states.size() && s + 2 >= sample.states.size();
    })));
    if (steps == 0) return zeros(shape_, dy.dtype());
    const Shape by_sample = {shape_[1], signed_size(width_)};
    Tensor all = logsumexp(reshape(alpha.back() + finish, by_sample), -1, {.keepdim = true});
    const Tensor possible = detach(all) > -kInfinity;
    all = line(broadcast_to(where(possible, all, 0.0), by_sample));
    const Tensor weight = line(broadcast_to(reshape(dy, {-1, 1}), by_sample));
    Tensor beta = finish, total = zeros({1, 1, flat_.numel()}, dy.dtype());
    for (std::int64_t t = steps; t-- > 0;) {
      if (t + 1 < steps) beta = where(active(t + 1), leave(beta + step(t + 1)), finish);
      const Tensor log_posterior = alpha[static_cast<std::size_t>(t)] + beta - all;
      const Tensor counts = line(broadcast_to(possible, by_sample));
      const Tensor share = exp(where(counts, log_posterior, -kInfinity)) * weight;
      total = total - unpick_each(share, classes(t), total.shape());
    }
    return reshape(total, shape_);
  }

 private:
  static Tensor line(const Tensor& x) { return reshape(x, Shape{1, 1, x.numel()}); }

  // [n, states]: f(sample, state), 0 where the sample has no such state.
  template <class F> Tensor built(F&& f) const {
    std::vector<double> values;
    for (const CtcSample& sample : samples_) {
      for (std::size_t s = 0; s < width_; ++s) {
        values.push_back(s < sample.states.size() && f(sample, s) ? 1.0 : 0.0);
      }
    }
    return to(tensor(values, {shape_[1], signed_size(width_)}), flat_.dtype());
  }
  // f(sample number, sample, state) for every state, -1 where the sample has none.
  template <class F> Tensor positions(F&& f) const {
    Positions at;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      for (std::size_t s = 0; s < width_; ++s) {
        at.push_back(s < samples_[i].states.size() ? f(i, samples_[i], s) : -1);
      }
    }
    return tensor(at, {1, 1, signed_size(at.size())});
  }
  Tensor active(std::int64_t t) const {
    return line(built([t](const CtcSample& sample, std::size_t) {
             return t < signed_size(sample.steps);
           })) > 0.5;
  }
  // Where the classes of the states lie in log_probs at step t; -1 behind the end of a sample.
  Tensor classes(std::int64_t t) const {
    return positions([&](std::size_t i, const CtcSample& sample, std::size_t s) {
      if (t >= signed_size(sample.steps)) return std::int64_t{-1};
      return (t * shape_[1] + signed_size(i)) * shape_[2] + sample.states[s];
    });
  }
  Tensor step(std::int64_t t) const { return pick_each(flat_, classes(t), -kInfinity); }

  // ln of the sum over the states that lead to each state (or that each leads to).
  template <class F> Tensor join(const Tensor& x, F&& allowed, int direction) const {
    Positions at;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      for (std::size_t s = 0; s < width_; ++s) {
        for (int k = 0; k < 3; ++k) {
          const std::int64_t other = signed_size(s) + direction * k;
          const bool inside = other >= 0 && other < signed_size(samples_[i].states.size()) &&
                              s < samples_[i].states.size();
          const bool open = inside && (k < 2 || allowed(samples_[i], s));
          at.push_back(open ? signed_size(i * width_) + other : -1);
        }
      }
    }
    const Tensor index = tensor(at, {1, 1, signed_size(at.size())});
    const Tensor three = reshape(pick_each(x, index, -kInfinity), {-1, 3});
    return line(logsumexp(three, -1));
  }
  Tensor arrive(const Tensor& alpha) const {
    return join(
        alpha, [](const CtcSample& c, std::size_t s) { return c.may_skip(s); }, -1);
  }
  Tensor leave(const Tensor& beta) const {
    return join(
        beta, [](const CtcSample& c, std::size_t s) { return c.may_skip(s + 2); }, 1);
  }

  const CtcSamples& samples_;
  Shape shape_;
  Tensor flat_;
  std::size_t width_ = 1;
};

}  // namespace

Tensor CtcLoss::forward(const Tensor& log_probs) const {
  const Dense source(log_probs);
  Tensor y = make_vector(log_probs.shape()[1], log_probs.dtype());
  const auto n = samples->size(), classes = static_cast<std::size_t>(log_probs.shape()[2]);
  dispatch_floating(info.name, log_probs.dtype(), [&]<class T>(T) {
    for_each_sample(*samples, [&](const CtcSample& sample, std::size_t i) {
      data<T>(y)[i] =
          static_cast<T>(kernels::ctc_loss(sample, source.data<T>() + i * classes, n * classes));
    });
  });
  return y;
}
void CtcLoss::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  if (dx.recorded()) return dx.set(0, RecordedPosterior(*samples, saved.in[0]).gradient(dy));
  const Dense source(saved.in[0]), g(dy);
  Tensor result = zeros(saved.in[0].shape(), dy.dtype());
  const auto n = samples->size(), classes = static_cast<std::size_t>(result.shape()[2]);
  dispatch_floating(info.name, dy.dtype(), [&]<class T>(T) {
    for_each_sample(*samples, [&](const CtcSample& sample, std::size_t i) {
      kernels::ctc_gradient(sample, source.data<T>() + i * classes, n * classes,
                            static_cast<double>(g.data<T>()[i]), data<T>(result) + i * classes);
    });
  });
  dx.set(0, std::move(result));
}
std::vector<OpCase> CtcLoss::cases() {
  return {{"two samples",
           {{5, 2, 3}},
           [](const Inputs& in) {
             return autograd::ctc_loss(in[0], tensor({{1, 2, 2}, {2, 0, 0}}, int64), {5, 4}, {3, 1},
                                       {.reduction = CtcReduction::none});
           }},
          {"through log_softmax, targets in one line, mean",
           {{4, 2, 4}},
           [](const Inputs& in) {
             return autograd::ctc_loss(log_softmax(in[0], -1), tensor({0, 1, 1}, int64), {4, 3},
                                       {1, 2}, {.blank = 3});
           }},
          {"an empty and an impossible target, sum",
           {{2, 3, 3}},
           [](const Inputs& in) {
             return autograd::ctc_loss(in[0], tensor({1, 1, 2}, int64), {2, 2, 2}, {0, 2, 1},
                                       {.reduction = CtcReduction::sum, .zero_infinity = true});
           }},
          {"strided operand", {{2, 4, 3}}, [](const Inputs& in) {
             return autograd::ctc_loss(transpose(in[0], 0, 1), tensor({{2}, {1}}, int64), {4, 3},
                                       {1, 1}, {.reduction = CtcReduction::sum});
           }}};
}

}  // namespace autograd::ops
