// SPDX-License-Identifier: Apache-2.0
// vmap: a function of one example as a function of a batch. f is called once, with tensors that look like
// one example and stand for all; each operation on them is done for the whole batch. vmap nests, and
// composes with the drivers both ways: vmap of grad gives a gradient for each example, and what vmap
// computes is recorded by the tapes around it.
//
// How an operation is done for a batch:
//   elementwise functions, where and comparisons, softmax and its kind, sums, means, norms, variances,
//     largest and smallest elements, scans, matmul, linear, mean_squared_error, cat, stack, reshape,
//     permute, slices, flip, pad, diagonals, triangles, conversions   at once, by a rule (batch_rules.hpp)
//   all other differentiable operations (convolutions, decompositions, index operations, ...)
//     one example after the other, inside the one call of f
//   whatever asks for the elements of one example: item(), a branch on a value, data<T>(), indices that
//     are examples themselves, custom_function, checkpoint, dropout, changes in place, backward inside f
//     f is called anew, once for each example, and the results are stacked
// So every f works and gives the same values; only f with side effects notices, because it may be called
// once, n times, or n + 1 times. Random numbers that f draws by itself: in one call they are the same for
// every example. Draw them outside where they should differ.
//
// Threads: as all functions of tensors. A tensor that f was given and that outlives the call throws.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace autograd {

struct VmapOptions {
  /// For each argument the axis that counts the examples; std::nullopt: the same for all of them.
  /// Left out: axis 0 of every argument.
  std::vector<std::optional<std::int64_t>> in_axes = {};
  std::int64_t out_axis = 0;  ///< of every result
};

namespace detail {

using BatchFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;
std::vector<Tensor> vmap(const BatchFunction& f, const std::vector<Tensor>& inputs,
                         const VmapOptions& options);

// Results of f as a list, and back: a tensor, a list, or a pair of these.
inline void flatten(const Tensor& y, std::vector<Tensor>& list) { list.push_back(y); }
inline void flatten(const std::vector<Tensor>& y, std::vector<Tensor>& list) {
  list.insert(list.end(), y.begin(), y.end());
}
template <class A, class B> void flatten(const std::pair<A, B>& y, std::vector<Tensor>& list) {
  flatten(y.first, list);
  flatten(y.second, list);
}

template <class Y> struct Unflatten;
template <> struct Unflatten<Tensor> {
  static Tensor of(const Tensor*& next, const Tensor*) { return *next++; }
};
template <> struct Unflatten<std::vector<Tensor>> {  // the last one in a pair
  static std::vector<Tensor> of(const Tensor*& next, const Tensor* end) {
    return {std::exchange(next, end), end};
  }
};
template <class B> struct Unflatten<std::pair<Tensor, B>> {
  static std::pair<Tensor, B> of(const Tensor*& next, const Tensor* end) {
    Tensor first = *next++;
    return {std::move(first), Unflatten<B>::of(next, end)};
  }
};

/// What vmap returns: f for batches.
template <class F> class Vmapped {
 public:
  Vmapped(F f, VmapOptions options) : f_(std::move(f)), options_(std::move(options)) {}

  /// For f of a list of tensors.
  auto operator()(const std::vector<Tensor>& inputs) const {
    return run<std::invoke_result_t<const F&, const std::vector<Tensor>&>>(f_, inputs);
  }
  /// For f of so many tensors.
  template <class... X>
    requires(sizeof...(X) > 0 && (std::is_same_v<X, Tensor> && ...))
  auto operator()(const X&... x) const { return call(std::index_sequence_for<X...>(), x...); }

 private:
  template <std::size_t... K, class... X>
  auto call(std::index_sequence<K...>, const X&... x) const {
    return run<std::invoke_result_t<const F&, const X&...>>(
        [this](const std::vector<Tensor>& in) { return f_(in[K]...); }, {x...});
  }
  template <class Y, class G> Y run(const G& g, const std::vector<Tensor>& inputs) const {
    const std::vector<Tensor> list = vmap(
        [&](const std::vector<Tensor>& in) {
          std::vector<Tensor> results;
          flatten(g(in), results);
          return results;
        },
        inputs, options_);
    const Tensor* next = list.data();
    return Unflatten<Y>::of(next, list.data() + list.size());
  }

  F f_;
  VmapOptions options_;
};

/// How often this thread had to take examples one by one, since the start: for tests.
struct VmapLoops {
  std::int64_t operations = 0, functions = 0;
};
VmapLoops vmap_loops();

}  // namespace detail

/// The function that takes batches where f takes one example: vmap(f)(x, y), or vmap(f)(list) for f of a
/// std::vector<Tensor>. f returns a tensor, a std::vector<Tensor>, or a pair of the two (value_and_grad).
///   vmap([&](const Tensor& x, const Tensor& t) { return grad(loss_of(x, t), weights); })(xs, ts)
/// Calling it throws ShapeError where arguments disagree on the number of examples, ValueError for no examples
/// and for in_axes that do not fit the arguments.
template <class F> detail::Vmapped<F> vmap(F f, VmapOptions options = {}) {
  return {std::move(f), std::move(options)};
}

}  // namespace autograd
