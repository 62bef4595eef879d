// SPDX-License-Identifier: Apache-2.0
#include "containers.hpp"

namespace nn {

void detail::throw_no_member(const char* container, const std::string& which, std::size_t size) {
  throw autograd::ValueError(std::string(container) + ": no such member: " + which +
                             "; need one of its " + std::to_string(size));
}

}  // namespace nn
