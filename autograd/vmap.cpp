// SPDX-License-Identifier: Apache-2.0
// Batched nodes, and vmap itself.
#include "vmap.hpp"

#include <new>
#include <string>

#include "batching.hpp"
#include "node_inline.hpp"
#include "shaping.hpp"
#include "tape_inline.hpp"

namespace autograd {

namespace detail {

namespace {

constinit thread_local VmapScope* innermost = nullptr;
constinit thread_local VmapLoops loops;

/// In the place of a batched node's elements.
struct Batch {
  Node* physical;  // owned
  std::uint64_t scope;
};
static_assert(sizeof(Batch) <= kInlineBytes);

const Batch& batch_of(const Node* node) {
  return *std::launder(reinterpret_cast<const Batch*>(node->small));
}

Tensor make_batched(const Tensor& physical, std::uint64_t scope) {
  Node* of = physical.node();
  Node* node = fresh_node(of->dtype);
  node->data = nullptr;
  node->contiguous = false;
  node->tiny = Tiny::no;
  node->shape = Shape{};
  for (int i = 1; i < of->shape.dim(); ++i) node->shape.push_back(of->shape[i]);
  std::int64_t stride = 1;
  for (int i = node->shape.dim(); i-- > 0;) {
    node->strides[static_cast<std::size_t>(i)] = stride;
    stride *= node->shape[i];
  }
  node->numel = stride;
  node->base = of->base;
  retain(of->base);
  retain(of);
  new (node->small) Batch{of, scope};
  return Tensor::adopt(node);
}

bool belongs(const Node* node, const VmapScope& scope) {
  return !node->data && batch_of(node).scope == scope.serial();
}

}  // namespace

VmapScope::VmapScope(std::int64_t examples)
    : size_(examples), serial_(next_serial()), outer_(innermost), recorder_(detail::recorder) {
  innermost = this;
  modes |= kVmap;
}
VmapScope::~VmapScope() {
  innermost = outer_;
  if (!outer_) modes &= ~static_cast<std::uint32_t>(kVmap);
}

VmapLoops vmap_loops() { return loops; }

Node* physical_node(const Node* node) { return batch_of(node).physical; }

void throw_batched() {
  throw NotBatched(
      "vmap: the elements of one example are asked for: inside vmap a tensor stands for all "
      "examples, and outside of it for none; need a tensor that vmap returned");
}

const VmapScope* batch_scope(Node* const* in, std::size_t n) {
  bool any = false;
  for (std::size_t k = 0; k < n; ++k) any = any || !in[k]->data;
  if (!any) return nullptr;
  for (const VmapScope* scope = innermost; scope; scope = scope->outer()) {
    for (std::size_t k = 0; k < n; ++k) {
      if (belongs(in[k], *scope)) return scope;
    }
  }
  throw_batched();
}

const VmapScope* batch_scope(std::initializer_list<Tensor> in) {
  std::vector<Node*> nodes;
  for (const Tensor& x : in) nodes.push_back(x.node());
  return batch_scope(nodes.data(), nodes.size());
}

BatchOperand operand_of(Node* node, const VmapScope& scope) {
  const bool own = belongs(node, scope);
  return {Tensor::share(own ? batch_of(node).physical : node), node->shape.dim(), own};
}

Tensor aligned(const BatchOperand& x, int dim) {
  if (!x.batched || x.dim == dim) return x.x;
  Shape shape{x.x.shape()[0]};
  for (int i = x.dim; i < dim; ++i) shape.push_back(1);
  for (int i = 1; i <= x.dim; ++i) shape.push_back(x.x.shape()[i]);
  return reshape(x.x, shape);
}

Tensor batched(const Tensor& physical, const VmapScope& scope) {
  // An op may return a tensor that it was made with: of all examples, where one was asked for.
  if (belongs(physical.node(), scope)) throw_batched();
  return make_batched(physical, scope.serial());
}

Tensor alias_of_batch(const Tensor& x) {
  const Batch& batch = batch_of(x.node());
  return make_batched(Tensor::share(batch.physical), batch.scope);
}
Tensor detached_batch(const Tensor& x) {
  const Batch& batch = batch_of(x.node());
  return make_batched(detach(Tensor::share(batch.physical)), batch.scope);
}

Tensor batch_loop(const void* op, Tensor (*f)(const void* op, const Tensor* x),
                  const BatchOperand* x, std::size_t n, std::int64_t examples) {
  ++loops.operations;
  std::vector<Tensor> results, in(n);
  for (std::int64_t i = 0; i < examples; ++i) {
    for (std::size_t k = 0; k < n; ++k) in[k] = x[k].batched ? select(x[k].x, 0, i) : x[k].x;
    results.push_back(f(op, in.data()));
  }
  return stack(results);
}

namespace {

/// The arguments, the mapped ones with the examples in front.
struct Arguments {
  std::vector<Tensor> x;
  std::vector<bool> mapped;
  std::int64_t examples = -1;

  Arguments(const std::vector<Tensor>& inputs, const VmapOptions& options);
  void add(std::size_t k, const Tensor& input, std::int64_t axis);
};

Arguments::Arguments(const std::vector<Tensor>& inputs, const VmapOptions& options) {
  const auto& axes = options.in_axes;
  if (!axes.empty() && axes.size() != inputs.size()) {
    throw ValueError("vmap: in_axes does not fit: it has " + std::to_string(axes.size()) +
                     " axes for " + std::to_string(inputs.size()) +
                     " arguments; need one for each (std::nullopt: not mapped)");
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const auto axis = axes.empty() ? std::optional<std::int64_t>(0) : axes[k];
    mapped.push_back(axis.has_value());
    if (axis) {
      add(k, inputs[k], *axis);
    } else {
      x.push_back(inputs[k]);
    }
  }
  if (examples < 0) throw ValueError("vmap: no argument is mapped; need an axis for at least one");
  if (examples == 0) throw ValueError("vmap: no examples; need at least one");
}

void Arguments::add(std::size_t k, const Tensor& input, std::int64_t axis) {
  if (input.dim() == 0) {
    throw ShapeError(
        "vmap: argument " + std::to_string(k) +
        " is a scalar; need an axis that counts examples (or std::nullopt in in_axes)");
  }
  const int at = normalize_axis("vmap", axis, input.dim());
  const std::int64_t n = input.shape()[at];
  if (examples >= 0 && n != examples) {
    throw ShapeError("vmap: numbers of examples differ: argument " + std::to_string(k) + " is " +
                     to_string(input.shape()) + " with examples along axis " + std::to_string(at) +
                     ", one before has " + std::to_string(examples) + "; need as many (" +
                     std::to_string(n) + " != " + std::to_string(examples) + ")");
  }
  examples = n;
  x.push_back(at == 0 ? input : movedim(input, at, 0));
}

std::vector<Tensor> at_once(const BatchFunction& f, const Arguments& arguments) {
  const VmapScope scope(arguments.examples);
  std::vector<Tensor> in = arguments.x;
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (arguments.mapped[k]) in[k] = batched(in[k], scope);
  }
  std::vector<Tensor> results = f(in);
  for (Tensor& y : results) {
    (void)y.shape();  // throws for no tensor at all
    const BatchOperand result = operand_of(y.node(), scope);
    if (result.batched) {
      y = result.x;
    } else {  // the same for all examples
      std::vector<std::int64_t> shape{arguments.examples};
      shape.insert(shape.end(), y.shape().begin(), y.shape().end());
      y = broadcast_to(y, Shape(shape));
    }
  }
  return results;
}

std::vector<Tensor> one_by_one(const BatchFunction& f, const Arguments& arguments) {
  ++loops.functions;
  std::vector<std::vector<Tensor>> lists;  // of each result, over the examples
  for (std::int64_t i = 0; i < arguments.examples; ++i) {
    std::vector<Tensor> in = arguments.x;
    for (std::size_t k = 0; k < in.size(); ++k) {
      if (arguments.mapped[k]) in[k] = select(in[k], 0, i);
    }
    const std::vector<Tensor> results = f(in);
    if (i == 0) lists.resize(results.size());
    if (results.size() != lists.size()) {
      throw ShapeError("vmap: f returned " + std::to_string(lists.size()) +
                       " results for the first example and " + std::to_string(results.size()) +
                       " for example " + std::to_string(i) + "; need the same number");
    }
    for (std::size_t k = 0; k < results.size(); ++k) lists[k].push_back(results[k]);
  }
  std::vector<Tensor> results;
  for (const auto& list : lists) results.push_back(stack(list));
  return results;
}

}  // namespace

std::vector<Tensor> vmap(const BatchFunction& f, const std::vector<Tensor>& inputs,
                         const VmapOptions& options) {
  const Arguments arguments(inputs, options);
  std::vector<Tensor> results;
  try {
    results = at_once(f, arguments);
  } catch (const NotBatched&) {
    results = one_by_one(f, arguments);
  }
  for (Tensor& y : results) {
    const int at = normalize_axis("vmap", options.out_axis, y.dim());
    if (at != 0) y = movedim(y, 0, at);
  }
  return results;
}

}  // namespace detail
}  // namespace autograd
