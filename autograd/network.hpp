// SPDX-License-Identifier: Apache-2.0
// The functions that networks are made of: convolution, pooling, normalization, dropout, embedding,
// resampling, attention, CTC. Names, argument order, shapes (channels before space) and defaults are
// PyTorch's; options are structs. All have derivatives of every order unless said otherwise, and give
// the same bits for any number of threads. Layers with parameters are in nn.
//
// x of convolution, pooling and interpolation: [n, c, space...] or, without a batch, [c, space...];
// operands need one floating dtype. Shapes and options that do not fit throw ShapeError or ValueError,
// other dtypes TypeError, before anything is recorded or written.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "generator.hpp"
#include "tensor.hpp"

namespace autograd {

/// One number for every spatial axis, or one for each: {.stride = 2}, {.padding = {0, 1}}.
class PerAxis {
 public:
  PerAxis() = default;  ///< none given: what the function takes then
  template <std::integral T> PerAxis(T all) : count_(1), values_{static_cast<std::int64_t>(all)} {}
  PerAxis(std::initializer_list<std::int64_t> each) : count_(static_cast<int>(each.size())) {
    int i = 0;
    for (std::int64_t value : each) {
      if (i < 3) values_[static_cast<std::size_t>(i++)] = value;
    }
  }
  int count() const { return count_; }  ///< how many were given
  std::int64_t operator[](int axis) const {
    return values_[static_cast<std::size_t>(count_ == 1 ? 0 : axis)];
  }

 private:
  int count_ = 0;
  std::array<std::int64_t, 3> values_{};
};

// --- Convolution (cross-correlation, as all deep-learning libraries).
struct ConvOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;  ///< zeros on both sides
  PerAxis dilation = 1;
  std::int64_t groups = 1;
};
/// y[n, o, i] = bias[o] + sum over c, k of x[n, c, i stride + k dilation - padding] weight[o, c, k].
/// weight: [o, c / groups, kernel...]; bias: [o] or undefined. Extents of the result:
/// (in + 2 padding - dilation (kernel - 1) - 1) / stride + 1.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const ConvOptions& options = {});
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const ConvOptions& options = {});
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const ConvOptions& options = {});

struct ConvTransposeOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;  ///< further elements at the end; less than stride or dilation
  std::int64_t groups = 1;
  PerAxis dilation = 1;
};
/// The adjoint of convolution with the same weight: [c, o / groups, kernel...] for x [n, c, ...].
/// Extents: (in - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTransposeOptions& options = {});
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTransposeOptions& options = {});
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTransposeOptions& options = {});

// --- Pooling.
struct MaxPoolOptions {
  PerAxis stride = {};  ///< not given: the kernel size
  PerAxis padding = 0;  ///< with -inf; at most half of the kernel
  PerAxis dilation = 1;
  bool ceil_mode = false;  ///< a last window that begins inside counts although it ends outside
};
/// The largest element of each window. Ties: the first one gets the gradient. A NaN wins; of several
/// the first. A window that a dilated kernel puts into the padding alone gives -inf, no gradient.
Tensor max_pool1d(const Tensor& x, PerAxis kernel_size, const MaxPoolOptions& options = {});
Tensor max_pool2d(const Tensor& x, PerAxis kernel_size, const MaxPoolOptions& options = {});
Tensor max_pool3d(const Tensor& x, PerAxis kernel_size, const MaxPoolOptions& options = {});

struct AvgPoolOptions {
  PerAxis stride = {};  ///< not given: the kernel size
  PerAxis padding = 0;  ///< with zeros; at most half of the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;      ///< the padding counts as elements of the window
  std::int64_t divisor_override = 0;  ///< not 0: divides by this instead of by the count
};
/// The mean of each window.
Tensor avg_pool1d(const Tensor& x, PerAxis kernel_size, const AvgPoolOptions& options = {});
Tensor avg_pool2d(const Tensor& x, PerAxis kernel_size, const AvgPoolOptions& options = {});
Tensor avg_pool3d(const Tensor& x, PerAxis kernel_size, const AvgPoolOptions& options = {});

/// The mean, or the largest element, of windows that share out the input: output i of m takes the
/// elements from floor(i n / m) to ceil((i + 1) n / m) - 1.
Tensor adaptive_avg_pool1d(const Tensor& x, PerAxis output_size);
Tensor adaptive_avg_pool2d(const Tensor& x, PerAxis output_size);
Tensor adaptive_avg_pool3d(const Tensor& x, PerAxis output_size);
Tensor adaptive_max_pool1d(const Tensor& x, PerAxis output_size);
Tensor adaptive_max_pool2d(const Tensor& x, PerAxis output_size);
Tensor adaptive_max_pool3d(const Tensor& x, PerAxis output_size);

// --- Resampling.
/// nearest takes source floor(i in / out), nearest_exact floor((i + 1/2) in / out); linear and cubic
/// act along every spatial axis (bilinear, trilinear, bicubic with a = -3/4); area is
/// adaptive_avg_pool.
enum class Interpolation : std::uint8_t { nearest, nearest_exact, linear, cubic, area };
struct InterpolateOptions {
  PerAxis size = {};                      ///< extents of the result, or
  std::vector<double> scale_factor = {};  ///< factors, one for all axes or one for each
  Interpolation mode = Interpolation::nearest;
  /// linear and cubic: true keeps the corner elements' values, false aligns the outer edges.
  bool align_corners = false;
};
/// x: [n, c, space...] with one to three spatial axes. Where a factor is given it also scales the
/// source positions (PyTorch's default), so that a size that was rounded does not.
Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

// --- Normalization. Variances divide by the count n; sums are taken in float64.
struct BatchNormOptions {
  bool training = false;  ///< use, and learn from, the statistics of this batch
  double momentum = 0.1;
  double eps = 1e-5;
};
/// (x - mean) / sqrt(var + eps) weight + bias by channel; x: [n, c] or [n, c, space...], the others [c]
/// or undefined. In training running_* := (1 - momentum) running_* + momentum batch_*, in place, the
/// variance with n - 1; else they are what is used. They take no gradient and must not be tracked.
/// Throws ValueError in training for one element per channel.
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const Tensor& weight = {}, const Tensor& bias = {},
                  const BatchNormOptions& options = {});
struct NormOptions {
  double eps = 1e-5;
};
/// Over the last axes, whose extents are normalized_shape; weight and bias have that shape.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, NormOptions options = {});
/// Over each of num_groups groups of channels and all of space; x: [n, c, ...], weight, bias: [c].
Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight = {},
                  const Tensor& bias = {}, NormOptions options = {});
struct InstanceNormOptions {
  bool use_input_stats = true;  ///< else the running ones
  double momentum = 0.1;
  double eps = 1e-5;
};
/// Over space, for each sample and channel; x: [n, c, space...]. Running statistics, where given, learn
/// the means over the samples.
Tensor instance_norm(const Tensor& x, const Tensor& running_mean = {},
                     const Tensor& running_var = {}, const Tensor& weight = {},
                     const Tensor& bias = {}, const InstanceNormOptions& options = {});
struct RmsNormOptions {
  double eps = -1;  ///< negative: the machine epsilon of x's dtype
};
/// x / sqrt(mean(x^2) + eps) weight over the last axes.
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                RmsNormOptions options = {});

// --- Dropout.
struct DropoutOptions {
  double p = 0.5;        ///< probability of becoming 0
  bool training = true;  ///< false: x itself, nothing drawn
};
/// x / (1 - p) or, with probability p, 0 (whatever x is there). Element i is decided by word i of the
/// generator's stream from its next block on. p = 1 gives zeros and gradient 0. The backward pass
/// draws the same numbers again, so nothing is stored.
Tensor dropout(const Tensor& x, Generator& generator, DropoutOptions options = {});
Tensor dropout(const Tensor& x, DropoutOptions options = {});  ///< with default_generator()

// --- Embedding.
struct EmbeddingOptions {
  /// A row that gets no gradient, counted from the end where negative; kNoPadding: none.
  static constexpr std::int64_t kNoPadding = INT64_MIN;
  std::int64_t padding_idx = kNoPadding;
};
/// The rows of weight [v, d] at the int64 index: shape of index, then d. The gradient is dense, summed
/// in the order of the index. Throws ValueError for an index outside [0, v).
Tensor embedding(const Tensor& index, const Tensor& weight, EmbeddingOptions options = {});

// --- Attention.
enum class AttentionMask : std::uint8_t {
  none,
  causal,        ///< query i attends to keys 0 to i
  attend_where,  ///< options.attend, a bool tensor: true = attends
};
struct AttentionOptions {
  AttentionMask mask = AttentionMask::none;
  Tensor attend = {};    ///< bool, broadcasts to [..., l, s]; only with attend_where
  double scale = 0;      ///< of the scores; 0: 1 / sqrt(e)
  double dropout_p = 0;  ///< of the weights
};
/// softmax(query key^T scale) value over unmasked keys. query: [..., l, e], key: [..., s, e], value:
/// [..., s, v]; leading axes broadcast. A query that attends to nothing gets 0, with gradient 0. Keys
/// that no query of their batch attends to are replaced by 0 first: NaN there (key or value) stays
/// out of results and gradients. A NaN that some query attends to reaches all queries' gradients.
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options = {});
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    Generator& generator, const AttentionOptions& options);

// --- Connectionist temporal classification (Graves et al. 2006).
enum class CtcReduction : std::uint8_t { mean, sum, none };
struct CtcOptions {
  std::int64_t blank = 0;
  CtcReduction reduction = CtcReduction::mean;  ///< mean: of loss / max(target length, 1)
  bool zero_infinity = false;                   ///< 0 instead of inf where no alignment exists
};
/// -ln of the probability of the targets, summed over their alignments in log space (float64).
/// log_probs: [t, n, c]; targets: int64 [n, s] or all of them one after the other; lengths: one for
/// each of the n. The gradient is the derivative by log_probs as given, -posterior, not PyTorch's,
/// which supposes that log_softmax made them; through log_softmax both agree. Where no alignment
/// exists (too few steps) the loss is inf and the gradient 0. An empty target is all blanks.
Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets,
                const std::vector<std::int64_t>& input_lengths,
                const std::vector<std::int64_t>& target_lengths, const CtcOptions& options = {});

}  // namespace autograd
