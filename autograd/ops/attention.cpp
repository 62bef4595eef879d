// SPDX-License-Identifier: Apache-2.0
#include "attention.hpp"

#include <limits>

#include "../create.hpp"
#include "../kernels/attention.hpp"
#include "../network.hpp"
#include "dropout.hpp"
#include "layout.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;
using kernels::AttentionShape;
using kernels::MatrixBatch;

/// x itself if its rows are contiguous, else a copy.
Tensor with_rows(const Tensor& x) {
  const Layout layout = layout_of(x);
  const int last = x.dim() - 1;
  return x.shape()[last] <= 1 || layout.stride(last) == 1 ? x : row_major(x);
}

/// Where the matrices of x begin when its leading axes broadcast to those of `whole`.
MatrixBatch matrices(const Tensor& x, const Shape& whole) {
  const Layout layout = layout_of(x);
  MatrixBatch result{{0}, layout.stride(x.dim() - 2)};
  if (x.shape()[x.dim() - 2] == 1 && whole[whole.dim() - 2] != 1) result.row = 0;
  for (int axis = 0; axis + 2 < whole.dim(); ++axis) {
    const int own = axis - whole.dim() + x.dim();
    const std::int64_t step = own < 0 || x.shape()[own] == 1 ? 0 : layout.stride(own);
    std::vector<std::int64_t> next;
    for (const std::int64_t at : result.at) {
      for (std::int64_t i = 0; i < whole[axis]; ++i) next.push_back(at + i * step);
    }
    result.at = std::move(next);
  }
  return result;
}

Shape with_last(Shape shape, std::int64_t last) {
  shape[shape.dim() - 1] = last;
  return shape;
}

/// The operands as kernels want them, with what holds their elements.
struct Operands {
  Tensor q, k, v, attend;
  AttentionShape s;

  Operands(const Attention& op, const Tensor& query, const Tensor& key, const Tensor& value)
      : q(with_rows(query)), k(with_rows(key)), v(with_rows(value)) {
    const auto extent = [](const Tensor& x, int axis) {
      return static_cast<std::size_t>(x.shape()[x.dim() + axis]);
    };
    s.queries = extent(q, -2);
    s.keys = extent(k, -2);
    s.e = extent(q, -1);
    s.v = extent(v, -1);
    s.q = matrices(q, q.shape());
    s.k = matrices(k, k.shape());
    s.val = matrices(v, v.shape());
    s.causal = op.causal;
    s.scale = op.scale;
    s.p = op.p;
    s.seed = op.seed;
    s.first_block = op.first_block;
    if (!op.attend) return;
    attend = op.attend->unchanged(Attention::info.name);
    s.mask = matrices(attend, with_last(q.shape(), k.shape()[k.dim() - 2]));
    const bool each = attend.shape().back() != 1 || s.keys == 1;
    s.mask_column = each ? layout_of(attend).stride(attend.dim() - 1) : 0;
    s.attend = data<bool>(attend);
  }
};

}  // namespace

Tensor Attention::forward(const Tensor& q, const Tensor& k, const Tensor& v) const {
  const Operands operands(*this, q, k, v);
  Tensor y = make(with_last(q.shape(), v.shape().back()), q.dtype());
  dispatch_floating(info.name, q.dtype(), [&]<class T>(T) {
    kernels::attention_forward<T>(operands.s, data<T>(operands.q), data<T>(operands.k),
                                  data<T>(operands.v), data<T>(y));
  });
  return y;
}

void Attention::backward_kernels(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const {
  const Operands operands(*this, saved.in[0], saved.in[1], saved.in[2]);
  const Dense g(dy);
  Tensor to[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (dx.wants(i)) to[i] = make(saved.in[i].shape(), dy.dtype());
  }
  dispatch_floating(info.name, dy.dtype(), [&]<class T>(T) {
    const auto place = [](Tensor& t) { return t.defined() ? data<T>(t) : nullptr; };
    kernels::attention_backward<T>(operands.s, data<T>(operands.q), data<T>(operands.k),
                                   data<T>(operands.v), g.data<T>(),
                                   {place(to[0]), place(to[1]), place(to[2])});
  });
  for (std::size_t i = 0; i < 3; ++i) {
    if (to[i].defined()) dx.set(i, std::move(to[i]));
  }
}

Tensor Attention::mask(const Shape& scores) const {
  if (attend) return attend->unchanged(info.name);
  if (!causal) return {};
  const std::int64_t queries = scores[scores.dim() - 2], keys = scores.back();
  return reshape(arange(queries), {queries, 1}) >= arange(keys);
}

void Attention::backward(const Saved<3>& saved, const Tensor& dy, Gradients<3>& dx) const {
  if (!dx.recorded()) return backward_kernels(saved, dy, dx);
  const auto& [q, k, v] = saved.in;
  const Tensor scaled = q * scale;
  Tensor scores = matmul(scaled, transpose(k));
  const Tensor attends = mask(scores.shape());
  if (attends.defined()) {
    scores = where(attends, scores, -std::numeric_limits<double>::infinity());
  }
  const Tensor weights = softmax(scores, -1);
  const auto dropped = [this](const Tensor& x) {
    return p > 0 ? ops::drop(x, p, seed, first_block) : x;
  };
  Tensor slopes = dropped(matmul(dy, transpose(v)));
  slopes = weights * (slopes - sum(weights * slopes, {-1}, {.keepdim = true}));
  if (attends.defined()) slopes = where(attends, slopes, 0.0);
  if (dx.wants(0)) dx.set(0, matmul(slopes, k) * scale);
  if (dx.wants(1)) dx.set(1, matmul(transpose(slopes), scaled));
  if (dx.wants(2)) dx.set(2, matmul(transpose(dropped(weights)), dy));
}

std::vector<OpCase> Attention::cases() {
  const std::vector<Shape> shapes = {{2, 3, 2}, {2, 4, 2}, {2, 4, 3}};
  const auto with = [](AttentionMask mask) {
    return [mask](const Inputs& in) {
      return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = mask});
    };
  };
  return {{"all keys", shapes, with(AttentionMask::none)},
          {"causal", shapes, with(AttentionMask::causal)},
          {"some keys, one query without", shapes,
           [](const Inputs& in) {
             const Tensor kept = tensor({{1, 0, 1, 1}, {0, 0, 0, 0}, {0, 1, 0, 0}}) > 0.5;
             return scaled_dot_product_attention(
                 in[0], in[1], in[2], {.mask = AttentionMask::attend_where, .attend = kept});
           }},
          {"strided operands, leading axes broadcast",
           {{2, 3, 2}, {4, 2}, {3, 4}},
           [](const Inputs& in) {
             return scaled_dot_product_attention(transpose(in[0], 0, 1), in[1], transpose(in[2]),
                                                 {.scale = 0.8});
           }}};
}

}  // namespace autograd::ops
