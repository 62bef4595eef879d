// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "apply.hpp"
#include "create.hpp"
#include "network.hpp"
#include "spatial.hpp"

namespace autograd {

namespace {

using Lengths = std::vector<std::int64_t>;

void check_lengths(const char* what, const Lengths& lengths, std::int64_t n, std::int64_t most) {
  if (static_cast<std::int64_t>(lengths.size()) != n) {
    throw ShapeError(std::string("ctc_loss: wrong number of ") + what + ": " +
                     std::to_string(lengths.size()) + "; need one for each sample (" +
                     std::to_string(n) + ")");
  }
  for (std::int64_t length : lengths) {
    if (length < 0 || length > most) {
      throw ValueError(std::string("ctc_loss: ") + what + " out of range: " +
                       std::to_string(length) + "; need 0 to " + std::to_string(most));
    }
  }
}

void check_operands(const Tensor& x, const Tensor& targets, const Lengths& input_lengths,
                    const Lengths& target_lengths, std::int64_t blank) {
  detail::check_floating("ctc_loss", x);
  if (x.dim() != 3) {
    throw ShapeError("ctc_loss: log_probs has the wrong number of axes: log_probs is " +
                     to_string(x.shape()) + "; need [steps, samples, classes]");
  }
  if (targets.dtype() != int64) {
    throw TypeError(std::string("ctc_loss: targets is ") + name(targets.dtype()) + "; need int64");
  }
  const std::int64_t n = x.shape()[1], classes = x.shape()[2];
  if (blank < 0 || blank >= classes) {
    throw ValueError("ctc_loss: blank out of range: " + std::to_string(blank) +
                     "; need at least 0 and less than " + std::to_string(classes));
  }
  check_lengths("input_lengths", input_lengths, n, x.shape()[0]);
  if (targets.dim() != 1 && !(targets.dim() == 2 && targets.shape()[0] == n)) {
    throw ShapeError("ctc_loss: targets does not fit: targets is " + to_string(targets.shape()) +
                     ", log_probs is " + to_string(x.shape()) + "; need [" + std::to_string(n) +
                     ", s] or one axis");
  }
  check_lengths("target_lengths", target_lengths, n, targets.shape().back());
  std::int64_t sum = 0;
  for (std::int64_t length : target_lengths) sum += length;
  if (targets.dim() == 1 && sum != targets.numel()) {
    throw ShapeError("ctc_loss: target_lengths do not sum up to the targets: " +
                     std::to_string(sum) + "; need " + std::to_string(targets.numel()));
  }
}

std::shared_ptr<const ops::CtcSamples> samples_of(const Tensor& x, const Tensor& targets,
                                                  const Lengths& input_lengths,
                                                  const Lengths& target_lengths,
                                                  std::int64_t blank) {
  const Tensor flat = ops::row_major(detach(targets));
  const auto labels = flat.data<std::int64_t>();
  auto samples = std::make_shared<ops::CtcSamples>();
  std::size_t first = 0;
  for (std::size_t i = 0; i < input_lengths.size(); ++i) {
    const auto length = static_cast<std::size_t>(target_lengths[i]);
    if (targets.dim() == 2) first = i * static_cast<std::size_t>(targets.shape()[1]);
    kernels::CtcSample sample;
    sample.steps = static_cast<std::size_t>(input_lengths[i]);
    sample.states.push_back(blank);
    for (std::size_t k = 0; k < length; ++k) {
      const std::int64_t label = labels[first + k];
      if (label < 0 || label >= x.shape()[2] || label == blank) {
        throw ValueError("ctc_loss: target out of range: " + std::to_string(label) + " in sample " +
                         std::to_string(i) + "; need at least 0, less than " +
                         std::to_string(x.shape()[2]) + " and not the blank (" +
                         std::to_string(blank) + ")");
      }
      sample.states.insert(sample.states.end(), {label, blank});
    }
    first += length;
    samples->push_back(std::move(sample));
  }
  return samples;
}

}  // namespace

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Lengths& input_lengths,
                const Lengths& target_lengths, const CtcOptions& options) {
  check_operands(log_probs, targets, input_lengths, target_lengths, options.blank);
  const auto samples = samples_of(log_probs, targets, input_lengths, target_lengths, options.blank);
  Tensor loss = apply(ops::CtcLoss{samples}, log_probs);
  if (options.zero_infinity) {
    loss = where(detach(loss) == std::numeric_limits<double>::infinity(), 0.0, loss);
  }
  if (options.reduction == CtcReduction::none) return loss;
  if (options.reduction == CtcReduction::sum) return sum(loss);
  std::vector<double> lengths;
  for (std::int64_t length : target_lengths) {
    lengths.push_back(static_cast<double>(std::max<std::int64_t>(length, 1)));
  }
  return mean(loss / to(tensor(lengths), loss.dtype()));
}

}  // namespace autograd
