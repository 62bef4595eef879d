// SPDX-License-Identifier: Apache-2.0
#if AUTOGRAD_EIGEN
#include "decompose_svd-inl.hpp"

template bool autograd::kernels::svd(const float*, float*, float*, float*, std::size_t,
                                     std::size_t);
#endif
