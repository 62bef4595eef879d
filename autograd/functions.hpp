// SPDX-License-Identifier: Apache-2.0
// The functions of tensors, all differentiable unless said otherwise. Names and semantics follow
// PyTorch. Every function is thread-safe and records on the tapes in scope that track an operand.
//
// Elementwise operands of different dtype meet in their result_type; numbers never promote a
// floating-point tensor; products of matrices and losses need one dtype. Shapes broadcast by NumPy's
// rules. What the rows of ops/elementwise.hpp say of values, slopes and kinks is printed in the README's
// op table; a piecewise function whose pieces have constant slopes has slope 0 at NaN.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "scalar_math.hpp"
#include "tensor.hpp"

namespace autograd {

// --- Elementwise, one row each in ops/elementwise.hpp; more of them in activations.hpp and
// elementwise.hpp. Integer tensors are taken as float32, except that -x, abs, sign, square, relu, the
// roundings, +, -, *, maximum, minimum, pow, fmod and remainder of integers are integers (and throw
// ValueError for a negative exponent or a divisor 0).
Tensor operator-(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor abs(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor relu(const Tensor& x);
Tensor softplus(const Tensor& x);
Tensor logsigmoid(const Tensor& x);  ///< -softplus(-x)
Tensor exp2(const Tensor& x);
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor cbrt(const Tensor& x);
Tensor asinh(const Tensor& x);
Tensor acosh(const Tensor& x);
Tensor atanh(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor erfc(const Tensor& x);
Tensor normal_cdf(const Tensor& x);
Tensor normal_icdf(const Tensor& x);
Tensor tgamma(const Tensor& x);
Tensor lgamma(const Tensor& x);
Tensor digamma(const Tensor& x);
Tensor polygamma(int n, const Tensor& x);
Tensor sign(const Tensor& x);
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor trunc(const Tensor& x);
Tensor round(
    const Tensor& x);  ///< ties to even, as PyTorch and rint; round of scalars is <cmath>'s
Tensor rint(const Tensor& x);

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
// Of a temporary: the result takes its storage where nobody else needs the elements.
Tensor operator+(Tensor&& a, const Tensor& b);
Tensor operator+(const Tensor& a, Tensor&& b);
Tensor operator+(Tensor&& a, Tensor&& b);
Tensor operator-(Tensor&& a, const Tensor& b);
Tensor operator-(const Tensor& a, Tensor&& b);
Tensor operator-(Tensor&& a, Tensor&& b);
Tensor operator*(Tensor&& a, const Tensor& b);
Tensor operator*(const Tensor& a, Tensor&& b);
Tensor operator*(Tensor&& a, Tensor&& b);
Tensor operator/(Tensor&& a, const Tensor& b);
Tensor operator/(const Tensor& a, Tensor&& b);
Tensor operator/(Tensor&& a, Tensor&& b);
Tensor pow(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor max(const Tensor& a, const Tensor& b);  ///< maximum, under the name that scalars use
Tensor min(const Tensor& a, const Tensor& b);
Tensor fmax(const Tensor& a, const Tensor& b);  ///< a NaN loses against a number
Tensor fmin(const Tensor& a, const Tensor& b);
Tensor fdim(const Tensor& a, const Tensor& b);  ///< max(a - b, 0)
Tensor hypot(const Tensor& a, const Tensor& b);
Tensor atan2(const Tensor& a, const Tensor& b);
Tensor logaddexp(const Tensor& a, const Tensor& b);
Tensor ldexp(const Tensor& a, const Tensor& b);           ///< a 2^b
Tensor fmod(const Tensor& a, const Tensor& b);            ///< the sign of a, as <cmath>
Tensor remainder(const Tensor& a, const Tensor& b);       ///< the sign of b, as PyTorch and Python
Tensor ieee_remainder(const Tensor& a, const Tensor& b);  ///< `remainder` of scalars
Tensor copysign(const Tensor& a, const Tensor& b);
Tensor nextafter(const Tensor& a, const Tensor& b);
Tensor beta(const Tensor& a, const Tensor& b);
/// (a - b)^2, elementwise.
Tensor squared_difference(const Tensor& a, const Tensor& b);
/// Cross-entropy of the probability p in (0, 1) with the target t, in nats:
/// -(t ln p + (1 - t) ln(1 - p)), each logarithm at least -100 (as PyTorch's BCELoss).
Tensor binary_cross_entropy(const Tensor& p, const Tensor& t);
/// The same of sigmoid(x), exact for every x: max(x, 0) - x t + ln(1 + exp(-|x|)). Elementwise and broadcast,
/// unlike PyTorch's function of that name; nn::bce_with_logits_loss reduces and wants equal shapes.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& t);
/// dy slope, and 0 where dy is 0 whatever the slope: what backward rules multiply with.
Tensor chain(const Tensor& dy, const Tensor& slope);

// What the slopes of hypot, atan2, beta and digamma are made of; ops/elementwise_trigonometric.hpp and
// elementwise_special.hpp say more.
Tensor direction(const Tensor& a, const Tensor& b);
Tensor digamma_step(const Tensor& a, const Tensor& b);
Tensor trigamma_step(const Tensor& a, const Tensor& b);
Tensor polygamma(const Tensor& n, const Tensor& x);

/// The number as a tensor of shape [] in x's dtype.
Tensor constant(const Tensor& x, double value);

Tensor operator+(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(const Tensor& a, double b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(const Tensor& a, double b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(const Tensor& a, double b);
Tensor operator/(double a, const Tensor& b);
Tensor pow(const Tensor& a, double b);
Tensor pow(double a, const Tensor& b);
Tensor maximum(const Tensor& a, double b);
Tensor minimum(const Tensor& a, double b);
Tensor fmod(const Tensor& a, double b);
Tensor remainder(const Tensor& a, double b);
Tensor copysign(const Tensor& a, double b);

// --- Comparisons: bool tensors, never differentiated; false where an operand is NaN (!= is true).
Tensor operator<(const Tensor& a, const Tensor& b);
Tensor operator<=(const Tensor& a, const Tensor& b);
Tensor operator>(const Tensor& a, const Tensor& b);
Tensor operator>=(const Tensor& a, const Tensor& b);
Tensor operator==(const Tensor& a, const Tensor& b);
Tensor operator!=(const Tensor& a, const Tensor& b);
Tensor operator<(const Tensor& a, double b);
Tensor operator<=(const Tensor& a, double b);
Tensor operator>(const Tensor& a, double b);
Tensor operator>=(const Tensor& a, double b);
Tensor operator<(double a, const Tensor& b);
Tensor operator<=(double a, const Tensor& b);
Tensor operator>(double a, const Tensor& b);
Tensor operator>=(double a, const Tensor& b);
Tensor operator==(const Tensor& a, double b);
Tensor operator!=(const Tensor& a, double b);
/// Of bool tensors; TypeError for others (logical_and and its kin take any dtype).
Tensor operator&(const Tensor& a, const Tensor& b);
Tensor operator|(const Tensor& a, const Tensor& b);
Tensor operator^(const Tensor& a, const Tensor& b);
Tensor operator~(const Tensor& a);
/// The dtype in which two operands meet: the wider one of bool < int64 < float32 < float64, but a scalar
/// (shape []) beside a tensor with axes counts only where it is of a higher kind (bool, integer,
/// floating), as in PyTorch.
DType result_type(const Tensor& a, const Tensor& b);
/// True when shape, dtype and every element agree (NaN equals nothing).
bool equal(const Tensor& a, const Tensor& b);
/// True when |a - b| <= atol + rtol |b| everywhere; shapes must agree.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8);

/// a where the bool tensor c is true, else b; all broadcast. The side not taken gets gradient 0, also
/// when it holds NaN or infinity.
Tensor where(const Tensor& c, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& c, const Tensor& a, double b);
Tensor where(const Tensor& c, double a, const Tensor& b);
Tensor where(const Tensor& c, double a, double b);  ///< float32

// --- Reductions. Without axes over all elements, giving shape []. Negative axes count from the end.
struct ReduceOptions {
  bool keepdim = false;  ///< keep the reduced axes with extent 1
};
/// One axis or a list of them: sum(x, 1), sum(x, {0, -1}).
struct Axes : std::vector<std::int64_t> {
  Axes() = default;
  template <std::signed_integral T> Axes(T axis) : vector{static_cast<std::int64_t>(axis)} {}
  Axes(std::initializer_list<std::int64_t> axes) : vector(axes) {}
  Axes(std::vector<std::int64_t> axes) : vector(std::move(axes)) {}
};
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, const Axes& axes, ReduceOptions options = {});
/// NaN for no elements.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, const Axes& axes, ReduceOptions options = {});
/// The largest element; NaN when there is one; ties share the gradient evenly. Throws ValueError for
/// no elements.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, const Axes& axes, ReduceOptions options = {});
/// x summed down to `shape`, the reverse of broadcasting.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// log(sum(exp(x))) along an axis, without overflow. All -inf gives -inf, with gradient 0.
Tensor logsumexp(const Tensor& x, std::int64_t axis, ReduceOptions options = {});
/// exp(x) / sum(exp(x)) along an axis. A row of -inf gives zeros.
Tensor softmax(const Tensor& x, std::int64_t axis);
Tensor log_softmax(const Tensor& x, std::int64_t axis);

// --- Linear algebra.
/// [m, k] by [k, n]; more axes in front are batches and broadcast; 1-D operands as PyTorch: a row or
/// a column whose axis is dropped from the result.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x W^T + b: x [..., k], W [n, k], b [n] or undefined; result [..., n].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
/// What linear applies to its result as part of the same record.
enum class Activation { none, sigmoid, tanh, relu };
/// The activation of x W^T + b, the same bits as in two steps with less time and memory.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation);

// --- Shape. Views share their elements with x.
/// The last two axes exchanged; a view.
Tensor transpose(const Tensor& x);
Tensor transpose(const Tensor& x, std::int64_t axis0, std::int64_t axis1);
/// One extent may be -1. A view where strides allow, else a copy.
Tensor reshape(const Tensor& x, const std::vector<std::int64_t>& shape);
template <std::same_as<Shape> S>  // braces mean the overload above
Tensor reshape(const Tensor& x, const S& shape);
/// A view that repeats elements; may not be changed in place.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// x itself when contiguous, else a copy.
Tensor contiguous(const Tensor& x);
/// A row-major copy with memory of its own: in-place changes of either leave the other as it is. Gradients
/// pass through; detach(clone(x)) is a copy that no tape knows.
Tensor clone(const Tensor& x);
/// Converted; x itself when it has that dtype already. Differentiable between floating-point dtypes.
Tensor to(const Tensor& x, DType dtype);
/// The elements of x [n, c] at column index[i] of row i: [n]. `index` is int64; throws ValueError for
/// one outside [0, c).
Tensor pick(const Tensor& x, const Tensor& index);
/// The reverse: zeros of [n, columns] with y[i] at column index[i] of row i.
Tensor unpick(const Tensor& y, const Tensor& index, std::int64_t columns);

// --- Losses.
/// The mean of (a - b)^2 over all elements; shapes and dtypes must agree. NaN for no elements.
Tensor mean_squared_error(const Tensor& a, const Tensor& b);
/// Of each row of x [n, c] the cross-entropy, in nats, of softmax(row) with its label, int64 [n]: [n]. A
/// label of -1 does not count: 0, and no gradient, whatever the row holds. With smoothing e the target is
/// 1 - e at the label, plus e / c everywhere. Throws ShapeError, TypeError; ValueError for a label outside
/// [-1, c) or e outside [0, 1]. nn::cross_entropy_loss has weights, reductions and further axes.
Tensor cross_entropy(const Tensor& x, const Tensor& label, double smoothing = 0);

/// The elements of x, shared, that no tape tracks.
Tensor detach(const Tensor& x);

// --- In place: nothing is recorded and the version of the storage goes up, so that a backward pass
// that saved the old elements throws. They throw TapeError for a tensor that a live tape of this
// thread uses as an input or parameter, and for repeated memory; change detach(x) instead.
void fill_(Tensor& x, double value);
void fill_(Tensor&& x, double value);
void add_(Tensor& x, const Tensor& y, double alpha = 1.0);  ///< x += alpha y
void add_(Tensor&& x, const Tensor& y, double alpha = 1.0);
void copy_(Tensor& x, const Tensor& y);  ///< y broadcast to x's shape, converted to its dtype
void copy_(Tensor&& x, const Tensor& y);

/// Tells the version check that x's elements were changed through mutable_data(); `function` is named
/// by the exception of a backward pass that had saved them.
void note_change(Tensor& x, const char* function);

// --- User-defined operations.
using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;
/// backward(inputs, output, dy) returns one gradient per input, of its shape and dtype (undefined:
/// none). Written with functions of this library it is differentiable itself.
using BackwardFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs,
                                                           const Tensor& y, const Tensor& dy)>;
/// A function whose derivative is `backward`, whatever `forward` does inside. What backward returns is
/// checked at every call: a wrong count, shape or dtype throws.
TensorFunction custom_function(TensorFunction forward, BackwardFunction backward);

}  // namespace autograd
