// SPDX-License-Identifier: Apache-2.0
// Random graphs over the whole op list: from a seed, 3 to 30 ops drawn from ops::differentiable_functions(), each fed
// with what earlier ones gave. Structured ops are called as their cases do, rows by their shapes here.
//
// What an op is fed: some elements of an earlier tensor, scaled, shifted and bent into the interval
// that its case is drawn from, as plain memory, as a part of larger memory, or transposed. The graph's
// value is one number to which every op's result contributes.
#pragma once

#include <algorithm>
#include <map>
#include <sstream>

#include "support.hpp"

namespace ops_test {

/// An op of the list in one of its uses.
struct GraphOp {
  std::string name, label;
  std::vector<autograd::Shape> inputs;
  autograd::Interval range = {-2, 2};
  autograd::TensorFunction f;
};

inline std::vector<GraphOp> row_graph_ops(const RowCalls& row) {
  using Shapes = std::vector<autograd::Shape>;
  std::vector<Shapes> uses = {{{2, 3}}, {{4}}, {autograd::Shape{}}};
  if (row.arity == 2) {
    uses = {{{2, 3}, {2, 3}}, {{3, 1}, {1, 2}}, {{2, 3}, {3}}, {autograd::Shape{}, {2, 2}}};
  }
  std::vector<GraphOp> list;
  for (const autograd::Interval& range : row.info.cases) {
    if (!(range.low < range.high)) continue;
    for (const Shapes& shapes : uses) {
      list.push_back({row.info.name, "row", shapes, range, row.f});
    }
  }
  return list;
}

/// Every op with its uses; without those that this library is built without.
inline const std::vector<std::vector<GraphOp>>& graph_ops() {
  static const std::vector<std::vector<GraphOp>> all = [] {
    std::vector<std::vector<GraphOp>> ops;
    for (const autograd::ops::OpEntry& op : autograd::ops::differentiable_functions()) {
      if (op.arity > 0) {
        ops.push_back(row_graph_ops(*find_row(op.name)));
        continue;
      }
      std::vector<GraphOp> list;
      for (const autograd::ops::OpCase& c : op.cases) {
        list.push_back({op.name, c.label, c.inputs, c.range, c.f});
      }
      const bool needs_eigen = !autograd::has_decompositions() && [&] {
        try {
          Inputs in;
          for (const autograd::Shape& s : list[0].inputs) in.push_back(ones(s, autograd::float64));
          list[0].f(in);
        } catch (const autograd::Error& error) {
          return std::string(error.what()).find("built without") != std::string::npos;
        }
        return false;
      }();
      if (!needs_eigen) ops.push_back(list);
    }
    return ops;
  }();
  return all;
}

class RandomGraph {
 public:
  explicit RandomGraph(std::uint64_t seed) : random_(seed) {
    const std::size_t leaves = 1 + below(3), ops = 3 + below(28);
    for (std::size_t i = 0; i < leaves; ++i) {
      inputs_.push_back(draw({static_cast<std::int64_t>(1 + below(9))}, random_, {-2, 2}));
    }
    Inputs pool = inputs_;
    for (int attempts = 0; steps_.size() < ops && attempts < 200; ++attempts) {
      const auto& uses = graph_ops()[below(graph_ops().size())];
      add_step(uses[below(uses.size())], pool);
    }
    for (const Tensor& x : pool) weights_.push_back(draw({x.numel()}, random_, {-1, 1}));
  }

  /// What the graph is a function of: float64, one axis each.
  const Inputs& inputs() const { return inputs_; }

  /// sum of weights times asinh over all results: large ones do not drown the others.
  Tensor operator()(const Inputs& inputs) const {
    Inputs pool = inputs;
    for (const Step& step : steps_) pool.push_back(run(step, pool));
    Tensor total;
    for (std::size_t i = 0; i < pool.size(); ++i) {
      const Tensor flat = reshape(pool[i], {-1});
      const Tensor term = sum(autograd::asinh(flat) * weights_[i]);
      total = total.defined() ? total + term : term;
    }
    return total;
  }

  /// The ops in their order, for messages and for counting.
  const std::vector<std::string>& names() const { return names_; }
  std::string text() const {
    std::string list;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      list += "\n  t" + std::to_string(inputs_.size() + i) + " = " + steps_[i].op->name + " (" +
              steps_[i].op->label + ")";
      for (const Feed& feed : steps_[i].feeds) list += " t" + std::to_string(feed.source);
    }
    return list;
  }

 private:
  enum class Layout { plain, part, transposed };
  struct Feed {
    std::size_t source = 0;
    Tensor index, scale, offset;  // which elements, and how they are bent
    autograd::Shape shape;
    autograd::Interval range = {0, 0};
    Layout layout = Layout::plain;
  };
  struct Step {
    const GraphOp* op;
    std::vector<Feed> feeds;
  };

  std::size_t below(std::size_t n) { return random_.next32() % n; }

  void add_step(const GraphOp& op, Inputs& pool) {
    Step step{&op, {}};
    for (const autograd::Shape& shape : op.inputs) step.feeds.push_back(feed(shape, op, pool));
    const Tensor y = run(step, pool);
    // A result without elements feeds nothing, one that overflowed has no differences.
    for (double v : values(y)) {
      if (!(std::abs(v) < 1e12)) return;
    }
    if (y.numel() == 0) return;
    pool.push_back(autograd::detach(y));
    steps_.push_back(std::move(step));
    names_.push_back(op.name);
  }

  Feed feed(const autograd::Shape& shape, const GraphOp& op, const Inputs& pool) {
    Feed f;
    // Half of the time the newest result, so that graphs are deep as well as wide.
    f.source = below(2) == 0 ? pool.size() - 1 : below(pool.size());
    f.shape = shape;
    f.range = op.range;
    f.layout = static_cast<Layout>(below(3));
    if (f.layout == Layout::transposed && shape.dim() < 2) f.layout = Layout::part;
    const std::int64_t n = shape.numel() + (f.layout == Layout::part ? 3 : 0);
    std::vector<std::int64_t> index;
    const auto count = static_cast<std::size_t>(pool[f.source].numel()), start = below(count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      index.push_back(static_cast<std::int64_t>((start + i) % count));
    }
    f.index = autograd::tensor(index);
    // Distinct for every element, so that no ties arise from repeated ones.
    f.scale = draw({n}, random_, {0.5, 1.5});
    f.offset = draw({n}, random_, {-2, 2});
    return f;
  }

  // asinh keeps what is large moderate without losing its derivative; the sine stays in the interval.
  static Tensor bent(const Tensor& x, const Feed& f) {
    const double middle = (f.range.low + f.range.high) / 2, half = (f.range.high - f.range.low) / 2;
    return sin(autograd::asinh(x) * f.scale + f.offset) * (0.95 * half) + middle;
  }

  static Tensor run(const Step& step, const Inputs& pool) {
    Inputs in;
    for (const Feed& f : step.feeds) {
      const Tensor flat = reshape(pool[f.source], {-1});
      Tensor x = bent(index_select(flat, 0, f.index), f);
      if (f.layout == Layout::part) x = narrow(x, 0, 2, f.shape.numel());
      std::vector<std::int64_t> extents;
      for (int i = 0; i < f.shape.dim(); ++i) extents.push_back(f.shape[i]);
      if (f.layout == Layout::transposed) {
        std::swap(extents[extents.size() - 1], extents[extents.size() - 2]);
      }
      x = reshape(x, autograd::Shape(extents));
      in.push_back(f.layout == Layout::transposed ? autograd::transpose(x) : x);
    }
    return step.op->f(in);
  }

  autograd::Generator random_;
  Inputs inputs_, weights_;
  std::vector<Step> steps_;
  std::vector<std::string> names_;
};

/// What one seed showed: differences along a direction and the derivatives beside them.
struct GraphCheck {
  bool smooth = false;  // the differences of different steps agree
  double difference = 0, tolerance = 0;
  double reverse = 0, forward = 0;

  bool passes(double factor = 1) const {
    return std::abs(reverse * factor - difference) <= tolerance;
  }
};

/// (f(x + h v) - f(x - h v)) / 2h.
inline double along(const RandomGraph& f, const Inputs& v, double h) {
  Inputs above, below;
  for (std::size_t k = 0; k < v.size(); ++k) {
    above.push_back(f.inputs()[k] + v[k] * h);
    below.push_back(f.inputs()[k] - v[k] * h);
  }
  return (f(above).item() - f(below).item()) / (2 * h);
}

/// Derivatives along one random direction. The differences are extrapolated to step 0 (Richardson)
/// from h and h/2, and again from h/2 and h/4. Where f is smooth the error of the second is a fifteenth
/// of their distance; where a kink lies inside of the step (a floor, a maximum, a sort) it is a few
/// times that. So ten times the distance is allowed, and where they differ by more than 1e-6 the step
/// is shortened; what differs still at the shortest one proves nothing.
inline GraphCheck check_graph(const RandomGraph& f, std::uint64_t seed) {
  GraphCheck check;
  autograd::Generator random(seed ^ 0x5eed);
  Inputs v;
  for (const Tensor& x : f.inputs()) v.push_back(randn(x.shape(), random, autograd::float64));
  const Inputs g = autograd::grad(f, f.inputs());
  for (std::size_t k = 0; k < v.size(); ++k) check.reverse += sum(g[k] * v[k]).item();
  check.forward = autograd::jvp(f, f.inputs(), v).second.item();
  for (double h : {4e-4, 4e-5, 4e-6}) {
    const double a = along(f, v, h), b = along(f, v, h / 2), c = along(f, v, h / 4);
    const double coarse = b + (b - a) / 3, fine = c + (c - b) / 3;
    check.difference = fine;
    // 1e-15 of values of about 10 over h / 4, at least.
    check.tolerance = 10 * std::abs(fine - coarse) + 1e-12 / h + 1e-8 * (1 + std::abs(fine));
    check.smooth = std::abs(fine - coarse) <= 1e-6 * (1 + std::abs(fine));
    if (check.smooth) break;
  }
  return check;
}

struct GraphTotals {
  int graphs = 0, smooth = 0, controlled = 0, undetected = 0;
  std::map<std::string, int> drawn;  // by op, in graphs that were compared
};

/// One seed: forward mode and reverse mode agree, and differences with them where they can tell.
inline void expect_graph_agrees(std::uint64_t seed, GraphTotals& totals) {
  const RandomGraph graph(seed);
  const GraphCheck check = check_graph(graph, seed);
  const auto context = [&] { return "seed " + std::to_string(seed) + graph.text(); };
  ++totals.graphs;
  EXPECT_TRUE(std::abs(check.forward - check.reverse) <= 1e-9 * (1 + std::abs(check.reverse)))
      << "forward " << check.forward << ", reverse " << check.reverse << ", " << context();
  if (!check.smooth) return;
  ++totals.smooth;
  EXPECT_TRUE(check.passes()) << "differences " << check.difference << " to " << check.tolerance
                              << ", reverse " << check.reverse << ", " << context();
  for (const std::string& name : graph.names()) ++totals.drawn[name];
  if (std::abs(check.reverse) < 0.1) return;
  ++totals.controlled;
  if (check.passes(1.001)) ++totals.undetected;
}

/// The seeds from `first` on; every op of the list is in some graph, few graphs prove nothing, and a
/// derivative that is off by a thousandth is noticed.
inline void check_graphs(std::uint64_t first, std::uint64_t count) {
  GraphTotals totals;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    try {
      expect_graph_agrees(seed, totals);
    } catch (const std::exception& error) {
      ADD_FAILURE() << "seed " << seed << ": " << error.what();
    }
  }
  for (const auto& uses : graph_ops()) EXPECT_GT(totals.drawn[uses[0].name], 0) << uses[0].name;
  EXPECT_GT(totals.smooth, totals.graphs * 3 / 4);
  EXPECT_GT(totals.controlled, totals.smooth / 2);
  EXPECT_LT(totals.undetected, totals.controlled / 50);
  testing::Test::RecordProperty("smooth", totals.smooth);
  testing::Test::RecordProperty("controlled", totals.controlled);
  testing::Test::RecordProperty("undetected", totals.undetected);
}

}  // namespace ops_test
