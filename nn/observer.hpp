// SPDX-License-Identifier: Apache-2.0
// Who watches layers compute: summary() does, to learn the shapes of their outputs. One pointer per
// thread, which layers test once a call. While it is set, modules act as in evaluation, so that
// watching neither draws random numbers nor moves running statistics. Internal.
#pragma once

#include <string>

#include <autograd/autograd.hpp>

namespace nn::detail {

class Observer {
 public:
  virtual ~Observer() = default;
  /// The module of this path and type made y.
  virtual void saw(const std::string& path, const std::string& type, const autograd::Tensor& y) = 0;
};

extern constinit thread_local Observer* observer __attribute__((tls_model("initial-exec")));

}  // namespace nn::detail
