// SPDX-License-Identifier: Apache-2.0
// The names that the library promises to have, for the tests that count: a line in the op table
// (op_names_test), golden values (ops/golden_count_test).
#pragma once

#include <set>
#include <sstream>
#include <string>

namespace op_names {

// By family, as PyTorch calls them; where it has several names, the one of this library.
inline constexpr const char* kFunctionNames[] = {
    // elementwise
    "abs neg sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square cbrt reciprocal sin "
    "cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc erfinv lgamma digamma "
    "sigmoid logsigmoid logit softplus softsign relu relu6 leaky_relu elu selu celu gelu silu "
    "mish hardtanh hardsigmoid hardswish floor ceil round trunc frac clamp nan_to_num isnan "
    "isinf isfinite add sub mul div pow atan2 hypot fmod remainder minimum maximum copysign "
    "logaddexp xlogy lerp where eq ne lt le gt ge logical_and logical_or logical_not "
    "logical_xor",
    // reductions, scans, orders
    "sum mean prod amax amin max min argmax argmin any all var std norm logsumexp softmax "
    "log_softmax cumsum cumprod logcumsumexp sort argsort topk median kthvalue nansum nanmean "
    "count_nonzero",
    // shape and indexing
    "reshape permute transpose squeeze unsqueeze expand repeat flip roll cat stack split "
    "chunk unbind narrow slice select index_select gather scatter scatter_add index_add "
    "index_put masked_fill masked_select take_along_dim tril triu diag diagonal pad unfold "
    "fold one_hot meshgrid flatten unflatten movedim index_copy repeat_interleave take "
    "nonzero diag_embed clone",
    // linear algebra
    "matmul dot outer bmm einsum trace det slogdet inverse solve solve_triangular cholesky qr "
    "eigh svd lstsq matrix_exp kron mv matrix_power logdet pinv",
    // networks
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d max_pool1d "
    "max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d "
    "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d "
    "adaptive_max_pool3d batch_norm layer_norm group_norm instance_norm rms_norm dropout "
    "embedding interpolate scaled_dot_product_attention ctc_loss linear mean_squared_error "
    "binary_cross_entropy binary_cross_entropy_with_logits",
};

inline constexpr const char* kCreationNames[] = {
    "zeros ones full arange linspace logspace eye tensor empty rand randn randint randperm "
    "bernoulli multinomial normal zeros_like ones_like full_like empty_like rand_like "
    "randn_like randint_like",
};

/// The words of all lines.
template <class Lines> std::set<std::string> names_of(const Lines& lines) {
  std::set<std::string> names;
  for (const char* line : lines) {
    std::istringstream words(line);
    for (std::string name; words >> name;) names.insert(name);
  }
  return names;
}

}  // namespace op_names
