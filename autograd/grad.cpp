// SPDX-License-Identifier: Apache-2.0
#include "grad.hpp"

#include "apply.hpp"
#include "create.hpp"

namespace autograd {

namespace {

std::pair<Tensor, std::vector<Tensor>> differentiate(const char* function, const TensorFunction& f,
                                                     const std::vector<Tensor>& inputs,
                                                     const Tensor& cotangent, GradOptions options) {
  if (!f) throw ValueError(std::string(function) + ": f is empty; need a function to call");
  Tape tape;
  std::vector<Tensor> leaves;
  for (const Tensor& x : inputs) leaves.push_back(tape.input(x));
  const Tensor y = f(leaves);
  if (!y.defined()) throw ValueError(std::string(function) + ": f returned no tensor");
  if (!cotangent.defined() && y.numel() != 1) {
    throw TapeError(std::string(function) + ": f returns more than one element: shape is " +
                    to_string(y.shape()) +
                    "; need one element (use sum), or vjp with a cotangent of that shape as seed");
  }
  std::vector<Tensor> gradients(inputs.size());
  if (tape.find(y.node())) gradients = tape.gradients(y, cotangent, leaves);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (gradients[k].defined()) continue;
    if (!options.allow_unused) {
      throw TapeError(
          std::string(function) + ": f does not use input " + std::to_string(k) +
          "; need every input to reach the output, or {.allow_unused = true} for zeros");
    }
    gradients[k] = zeros(inputs[k].shape(), inputs[k].dtype());
  }
  // The value as the outer tapes know it; this one ends here.
  return {y, std::move(gradients)};
}

}  // namespace

std::pair<Tensor, std::vector<Tensor>> value_and_grad(const TensorFunction& f,
                                                      const std::vector<Tensor>& inputs,
                                                      GradOptions options) {
  return differentiate("value_and_grad", f, inputs, Tensor(), options);
}

std::vector<Tensor> grad(const TensorFunction& f, const std::vector<Tensor>& inputs,
                         GradOptions options) {
  return differentiate("grad", f, inputs, Tensor(), options).second;
}

std::pair<Tensor, std::vector<Tensor>> vjp(const TensorFunction& f,
                                           const std::vector<Tensor>& inputs,
                                           const Tensor& cotangent, GradOptions options) {
  return differentiate("vjp", f, inputs, cotangent, options);
}

}  // namespace autograd
