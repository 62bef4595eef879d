// SPDX-License-Identifier: Apache-2.0
#include "reshape.hpp"

#include <cmath>

#include "check.hpp"

namespace nn {

Tensor Flatten::operator()(const Tensor& x) const {
  return guard("Flatten", [&] { return autograd::flatten(x, first_, last_); });
}

Tensor Unflatten::operator()(const Tensor& x) const {
  return guard("Unflatten", [&] { return autograd::unflatten(x, axis_, extents_); });
}

Upsample::Upsample(autograd::InterpolateOptions options) : options_(std::move(options)) {
  const auto& factors = options_.scale_factor;
  const int sizes = options_.size.count(), count = static_cast<int>(factors.size());
  if ((sizes > 0) == (count > 0)) {
    throw autograd::ValueError(std::string("Upsample: ") + (count > 0 ? "both" : "neither") +
                               " of size and scale_factor given; need one of them");
  }
  if (sizes + count > 3) {
    throw autograd::ValueError("Upsample: too many numbers: there are " +
                               std::to_string(sizes + count) +
                               "; need one for each of 1 to 3 axes");
  }
  for (int i = 0; i < sizes; ++i) detail::check_at_least("Upsample", "size", options_.size[i], 1);
  for (const double factor : factors) {
    if (factor > 0 && std::isfinite(factor)) continue;
    throw autograd::ValueError("Upsample: scale_factor out of range: " +
                               autograd::detail::text(factor) + "; need finite numbers > 0");
  }
}

Tensor Upsample::operator()(const Tensor& x) const {
  return guard("Upsample", [&] { return autograd::interpolate(x, options_); });
}

namespace {

using autograd::PadMode;

constexpr const char* kPads[][4] = {
    {"", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d"},
    {"", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d"},
    {"", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d"}};

constexpr const char* pad_name(int axes, PadMode mode) {
  return kPads[mode == PadMode::reflect ? 1 : mode == PadMode::replicate ? 2 : 0][axes];
}

std::int64_t checked_factor(const char* layer, std::int64_t factor) {
  detail::check_at_least(layer, "factor", factor, 1);
  if (factor <= (1 << 15)) return factor;
  throw autograd::ValueError(std::string(layer) + ": factor out of range: " +
                             std::to_string(factor) + "; need at most 32768");
}

[[noreturn]] void throw_blocks(const Tensor& x, const std::string& need) {
  throw autograd::ShapeError("input has the wrong shape: input is " + to_string(x.shape()) +
                             "; need " + need);
}

// The axes in front of the last three, then these.
std::vector<std::int64_t> with_lead(const Tensor& x, std::initializer_list<std::int64_t> last) {
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end() - 3);
  shape.insert(shape.end(), last);
  return shape;
}

// All axes of one more by two, where the last five are arranged so.
autograd::Axes with_order(int dim, const int (&order)[5]) {
  autograd::Axes axes;
  for (int i = 0; i < dim - 5; ++i) axes.push_back(i);
  for (const int i : order) axes.push_back(dim - 5 + i);
  return axes;
}

}  // namespace

template <int Axes, PadMode Mode>
PadNd<Axes, Mode>::PadNd(std::vector<std::int64_t> amounts, double value)
    : amounts_(std::move(amounts)), value_(value) {
  if (amounts_.size() == 2 * Axes) return;
  throw autograd::ValueError(std::string(pad_name(Axes, Mode)) +
                             ": a wrong number of amounts: " + std::to_string(amounts_.size()) +
                             "; need two for each axis (" + std::to_string(2 * Axes) + ")");
}

template <int Axes, PadMode Mode> Tensor PadNd<Axes, Mode>::operator()(const Tensor& x) const {
  return guard(pad_name(Axes, Mode),
               [&] { return autograd::pad(x, amounts_, {.mode = Mode, .value = value_}); });
}

template struct PadNd<1, PadMode::constant>;
template struct PadNd<2, PadMode::constant>;
template struct PadNd<3, PadMode::constant>;
template struct PadNd<1, PadMode::reflect>;
template struct PadNd<2, PadMode::reflect>;
template struct PadNd<3, PadMode::reflect>;
template struct PadNd<1, PadMode::replicate>;
template struct PadNd<2, PadMode::replicate>;
template struct PadNd<3, PadMode::replicate>;

PixelShuffle::PixelShuffle(std::int64_t upscale_factor)
    : factor_(checked_factor("PixelShuffle", upscale_factor)) {}

Tensor PixelShuffle::operator()(const Tensor& x) const {
  return guard("PixelShuffle", [&] {
    const std::int64_t r = factor_;
    if (x.dim() < 3 || x.dim() > 6 || x.size(-3) % (r * r) != 0) {
      throw_blocks(x, "[..., c, h, w] with c a multiple of " + std::to_string(r * r));
    }
    const std::int64_t c = x.size(-3) / (r * r), h = x.size(-2), w = x.size(-1);
    const Tensor blocks = autograd::reshape(x, with_lead(x, {c, r, r, h, w}));
    const Tensor rows = autograd::permute(blocks, with_order(blocks.dim(), {0, 3, 1, 4, 2}));
    return autograd::reshape(rows, with_lead(x, {c, h * r, w * r}));
  });
}

PixelUnshuffle::PixelUnshuffle(std::int64_t downscale_factor)
    : factor_(checked_factor("PixelUnshuffle", downscale_factor)) {}

Tensor PixelUnshuffle::operator()(const Tensor& x) const {
  return guard("PixelUnshuffle", [&] {
    const std::int64_t r = factor_;
    if (x.dim() < 3 || x.dim() > 6 || x.size(-2) % r != 0 || x.size(-1) % r != 0) {
      throw_blocks(x, "[..., c, h, w] with h and w multiples of " + std::to_string(r));
    }
    const std::int64_t c = x.size(-3), h = x.size(-2) / r, w = x.size(-1) / r;
    const Tensor rows = autograd::reshape(x, with_lead(x, {c, h, r, w, r}));
    const Tensor blocks = autograd::permute(rows, with_order(rows.dim(), {0, 2, 4, 1, 3}));
    return autograd::reshape(blocks, with_lead(x, {c * r * r, h, w}));
  });
}

}  // namespace nn
