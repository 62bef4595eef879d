// SPDX-License-Identifier: Apache-2.0
// The end of a sweep: what has arrived at inputs and parameters becomes, or is added to, their gradients.
#include <utility>

#include "modes.hpp"
#include "ops/op.hpp"
#include "ops/shape_ops.hpp"
#include "tape.hpp"
#include "tape_inline.hpp"

namespace autograd {

namespace {

AUTOGRAD_COLD void hook(detail::LeafSlot& leaf) {
  Tensor g = Tensor::adopt(std::exchange(leaf.adjoint, nullptr));
  leaf.adjoint = detail::run_hooks(leaf.node, std::move(g)).release_node();
}

}  // namespace

// The first half of a deposit, which may throw.
void Tape::prepare_deposit(detail::LeafSlot& leaf) {
  const bool recorded = detail::recorder->tape != nullptr;
  if (detail::is_batched(leaf.adjoint)) detail::throw_batched();  // .grad outlives the vmap
  if (leaf.node->more) [[unlikely]]
    hook(leaf);
  const detail::Node* sum = leaf.node->grad;
  if (!sum) {
    // A gradient of its own: two inputs of a sum receive the same tensor.
    if (recorded || ops::unshared(leaf.adjoint)) return;
    const Tensor g = Tensor::adopt(std::exchange(leaf.adjoint, nullptr));
    leaf.adjoint = ops::Contiguous{}.forward(g).release_node();
    return;
  }
  leaf.in_place = !recorded && ops::exclusive(sum) && leaf.adjoint->contiguous;
  if (!leaf.in_place) add_to(leaf.adjoint, leaf.node->grad);
}

void Tape::deposit() {
  detail::Pile<detail::LeafSlot>& leaves = storage_->leaves;
  // First all that may throw: every gradient changes, or none does.
  detail::LeafSlot* end = leaves.end();
  for (detail::LeafSlot* leaf = leaves.begin() + 1; leaf != end; ++leaf) {
    const detail::Node *adjoint = leaf->adjoint, *node = leaf->node;
    if (!adjoint) continue;
    // The first gradient, which nothing else holds, needs nothing. (A batched one is not contiguous.)
    if (!node->grad && !node->more && ops::unshared(adjoint)) [[likely]]
      continue;
    const auto at = leaf - leaves.begin();
    prepare_deposit(*leaf);
    leaf = leaves.begin() + at;  // a hook may have made the array grow
    end = leaves.end();
  }
  for (detail::LeafSlot* leaf = leaves.begin() + 1; leaf != end; ++leaf) {
    detail::Node* adjoint = std::exchange(leaf->adjoint, nullptr);
    if (!adjoint) continue;
    detail::Node*& sum = leaf->node->grad;
    if (!sum) [[likely]] {
      sum = adjoint;
      continue;
    }
    if (leaf->in_place) {
      add_to(sum, adjoint);  // in place, as was found out above
    } else {
      std::swap(sum, adjoint);
    }
    if (adjoint) detail::release(adjoint);
  }
}

}  // namespace autograd
