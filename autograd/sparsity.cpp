// SPDX-License-Identifier: Apache-2.0
#include "sparsity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "statement_sweep.hpp"
#include "trace.hpp"

namespace autograd::detail {

namespace {

constexpr std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// Sets of nodes that each node is coupled with, none later than itself: linked lists in one pool. A
// list may hold a node twice; it is rid of repetitions when it has doubled, so work and memory stay
// within a constant of what distinct couplings take.
class Couplings {
 public:
  explicit Couplings(std::int32_t nodes) : lists_(at(nodes) + 1), seen_(at(nodes) + 1, 0) {}

  void add(std::int32_t i, std::int32_t j) {
    if (i < j) std::swap(i, j);
    List& list = lists_[at(i)];
    if (list.head && pool_[at(list.head)].node == j) return;
    std::int32_t link = free_;
    if (link) {
      free_ = pool_[at(link)].next;
    } else {
      link = static_cast<std::int32_t>(pool_.size());
      pool_.push_back({});
    }
    pool_[at(link)] = {j, list.head};
    list.head = link;
    if (++list.size > 2 * list.distinct + 32) compact(list);
  }

  /// The nodes coupled with i, each once; its list is empty afterwards.
  void take(std::int32_t i, std::vector<std::int32_t>& nodes) {
    nodes.clear();
    List& list = lists_[at(i)];
    ++stamp_;
    std::int32_t last = 0;
    for (std::int32_t link = list.head; link; link = pool_[at(link)].next) {
      const std::int32_t j = pool_[at(link)].node;
      if (seen_[at(j)] != stamp_) nodes.push_back(j);
      seen_[at(j)] = stamp_;
      last = link;
    }
    if (last) {
      pool_[at(last)].next = free_;
      free_ = list.head;
    }
    list = {};
  }

 private:
  struct Link {
    std::int32_t node, next;
  };
  struct List {
    std::int32_t head = 0, size = 0, distinct = 0;
  };

  void compact(List& list) {
    ++stamp_;
    std::int32_t* to = &list.head;
    list.size = 0;
    while (const std::int32_t link = *to) {
      Link& l = pool_[at(link)];
      if (seen_[at(l.node)] == stamp_) {
        *to = l.next;
        l.next = free_;
        free_ = link;
      } else {
        seen_[at(l.node)] = stamp_;
        ++list.size;
        to = &l.next;
      }
    }
    list.distinct = list.size;
  }

  std::vector<List> lists_;
  std::vector<std::uint32_t> seen_;
  std::uint32_t stamp_ = 0;
  std::vector<Link> pool_{{}};
  std::int32_t free_ = 0;
};

}  // namespace

Pattern hessian_pattern(const Trace& trace, std::int32_t n, std::int32_t y) {
  Couplings couplings(std::max(y, n));
  std::vector<bool> live(at(std::max(y, n)) + 1);
  live[at(y)] = true;
  std::vector<std::int32_t> coupled;
  for (std::int32_t i = y; i > n; --i) {
    if (!live[at(i)]) continue;  // nothing that y depends on
    const auto [a, b, curvature] = trace[i];
    live[at(a)] = live[at(b)] = true;
    couplings.take(i, coupled);
    for (const std::int32_t j : coupled) {
      if (j == i) {
        couplings.add(a, a);
        if (b) couplings.add(a, b), couplings.add(b, b);
      } else {
        couplings.add(a, j);
        if (b) couplings.add(b, j);
      }
    }
    if (curvature & 1) couplings.add(a, a);
    if (curvature & 2) couplings.add(a, b);
    if (curvature & 4) couplings.add(b, b);
  }

  // Both triangles: row i is its lower part, then the columns of later rows, which come in order.
  std::vector<std::int32_t> lower_begin{0}, lower, count(at(n) + 1, 0);
  for (std::int32_t i = 1; i <= n; ++i) {
    couplings.take(i, coupled);
    std::sort(coupled.begin(), coupled.end());
    for (const std::int32_t j : coupled) {
      lower.push_back(j - 1);
      ++count[at(i - 1)];
      if (j != i) ++count[at(j - 1)];
    }
    lower_begin.push_back(static_cast<std::int32_t>(lower.size()));
  }
  Pattern pattern;
  pattern.begin.resize(at(n) + 1);
  for (std::int32_t i = 0; i < n; ++i)
    pattern.begin[at(i) + 1] = pattern.begin[at(i)] + count[at(i)];
  pattern.columns.resize(at(pattern.begin[at(n)]));
  std::vector<std::int32_t> end(pattern.begin.begin(), pattern.begin.end() - 1);
  for (std::int32_t i = 0; i < n; ++i) {
    for (std::int32_t k = lower_begin[at(i)]; k < lower_begin[at(i) + 1]; ++k) {
      const std::int32_t j = lower[at(k)];
      pattern.columns[at(end[at(i)]++)] = j;
      if (j != i) pattern.columns[at(end[at(j)]++)] = i;
    }
  }
  return pattern;
}

namespace {

/// The star coloring. Each edge of two colored vertices belongs to a star of two colors; a star of two
/// edges or more has a hub.
class StarColoring {
 public:
  explicit StarColoring(const Pattern& pattern)
      : p_(pattern),
        color_(at(p_.rows()), -1),
        treated_(at(p_.rows()), -1),
        star_(p_.columns.size(), -1),
        hub_(),
        mirror_(p_.columns.size()) {
    std::vector<std::int32_t> end(p_.begin.begin(), p_.begin.end() - 1);
    for (std::int32_t i = 0; i < p_.rows(); ++i) {  // rows ascend in every column
      for (std::int32_t e = p_.begin[at(i)]; e < p_.begin[at(i) + 1]; ++e) {
        mirror_[at(e)] = end[at(p_.columns[at(e)])]++;
      }
    }
  }

  std::vector<std::int32_t> run() {
    // Looking through the neighbors of neighbors costs the square of a column's entries. One with this
    // many gets a color of its own, which serves all of its entries; there are few such columns.
    const double many = std::max(64.0, 4 * std::sqrt(static_cast<double>(p_.columns.size())));
    heavy_.resize(at(p_.rows()));
    for (std::int32_t v = 0; v < p_.rows(); ++v) {
      if (static_cast<double>(p_.row(v).size()) > many) {
        heavy_[at(v)] = true;
        color_[at(v)] = new_color();
      }
    }
    for (std::int32_t v = 0; v < p_.rows(); ++v) {
      if (!heavy_[at(v)] && !p_.row(v).empty()) color_one(v);
    }
    return std::move(color_);
  }
  std::int32_t colors() const { return static_cast<std::int32_t>(forbidden_.size()); }

 private:
  struct First {
    std::int32_t vertex = -1, edge = -1;
  };

  std::int32_t new_color() {
    forbidden_.push_back(-1);
    first_.push_back({});
    return colors() - 1;
  }
  // Calls visit(neighbor, edge) for the colored neighbors of v other than `but` that are not heavy.
  template <class F> void for_colored(std::int32_t v, std::int32_t but, F&& visit) {
    for (std::int32_t e = p_.begin[at(v)]; e < p_.begin[at(v) + 1]; ++e) {
      const std::int32_t w = p_.columns[at(e)];
      if (w != v && w != but && color_[at(w)] >= 0 && !heavy_[at(w)]) visit(w, e);
    }
  }
  void forbid(std::int32_t v, std::int32_t w) { forbidden_[at(color_[at(w)])] = v; }

  void treat(std::int32_t v, std::int32_t w) {
    for_colored(w, v, [&](std::int32_t x, std::int32_t) { forbid(v, x); });
    treated_[at(w)] = v;
  }

  void color_one(std::int32_t v) {
    for_colored(v, v, [&](std::int32_t w, std::int32_t) { forbid(v, w); });
    for_colored(v, v, [&](std::int32_t w, std::int32_t e) {
      First& first = first_[at(color_[at(w)])];
      if (first.vertex == v) {  // w shares its color with an earlier neighbor: v becomes a hub
        const std::int32_t q = p_.columns[at(first.edge)];
        if (treated_[at(q)] != v) treat(v, q);
        treat(v, w);
      } else {
        first = {v, e};
        for_colored(w, v, [&](std::int32_t x, std::int32_t wx) {
          if (hub_[at(star_[at(wx)])] == x) forbid(v, x);
        });
      }
    });
    // Colors of heavy columns are theirs alone.
    std::int32_t color = 0;
    const auto taken = [&] { return forbidden_[at(color)] == v || (color < heavy_colors()); };
    while (color < colors() && taken()) ++color;
    if (color == colors()) new_color();
    color_[at(v)] = color;
    update_stars(v);
  }

  std::int32_t heavy_colors() {
    if (heavy_colors_ < 0)
      heavy_colors_ = static_cast<std::int32_t>(std::ranges::count(heavy_, true));
    return heavy_colors_;
  }

  void put(std::int32_t edge, std::int32_t star) {
    star_[at(edge)] = star_[at(mirror_[at(edge)])] = star;
  }

  void update_stars(std::int32_t v) {
    for_colored(v, v, [&](std::int32_t w, std::int32_t vw) {
      std::int32_t joined = -1;
      for_colored(w, v, [&](std::int32_t x, std::int32_t wx) {
        if (color_[at(x)] == color_[at(v)]) joined = star_[at(wx)];
      });
      if (joined >= 0) {
        hub_[at(joined)] = w;
        put(vw, joined);
        return;
      }
      const First& first = first_[at(color_[at(w)])];
      if (first.vertex == v && first.edge != vw) {
        const std::int32_t star = star_[at(first.edge)];
        hub_[at(star)] = v;
        put(vw, star);
      } else {
        hub_.push_back(-1);
        put(vw, static_cast<std::int32_t>(hub_.size()) - 1);
      }
    });
  }

  const Pattern& p_;
  std::vector<std::int32_t> color_, treated_;
  std::vector<std::int32_t> forbidden_;  // by color: the last vertex that may not have it
  std::vector<First> first_;             // by color: the first neighbor that has it, of a vertex
  std::vector<std::int32_t> star_;       // by edge
  std::vector<std::int32_t> hub_;        // by star; -1: one edge
  std::vector<std::int32_t> mirror_;     // by position: the transposed one
  std::vector<bool> heavy_;
  std::int32_t heavy_colors_ = -1;
};

}  // namespace

Coloring color_symmetric(const Pattern& pattern) {
  Coloring result;
  StarColoring coloring(pattern);
  result.of = coloring.run();
  result.colors = coloring.colors();
  // Entry (i, j) stands alone in row i of color[j] when no other column of row i has that color; else
  // in row j of color[i].
  result.from.resize(pattern.columns.size());
  std::vector<std::int32_t> seen(at(result.colors), -1), times(at(result.colors));
  for (std::int32_t i = 0; i < pattern.rows(); ++i) {
    for (const std::int32_t j : pattern.row(i)) {
      const std::size_t c = at(result.of[at(j)]);
      times[c] = seen[c] == i ? times[c] + 1 : 1;
      seen[c] = i;
    }
    for (std::int32_t e = pattern.begin[at(i)]; e < pattern.begin[at(i) + 1]; ++e) {
      const std::int32_t j = pattern.columns[at(e)];
      const bool alone = times[at(result.of[at(j)])] == 1;
      const std::int64_t row = alone ? i : j, color = result.of[at(alone ? j : i)];
      result.from[at(e)] = row * result.colors + color;
    }
  }
  return result;
}

Pattern transposed(const Pattern& pattern, std::int32_t columns) {
  Pattern result;
  result.begin.assign(at(columns) + 1, 0);
  for (const std::int32_t j : pattern.columns) ++result.begin[at(j) + 1];
  for (std::size_t j = 0; j < at(columns); ++j) result.begin[j + 1] += result.begin[j];
  result.columns.resize(pattern.columns.size());
  std::vector<std::int32_t> end(result.begin.begin(), result.begin.end() - 1);
  for (std::int32_t i = 0; i < pattern.rows(); ++i) {
    for (const std::int32_t j : pattern.row(i)) result.columns[at(end[at(j)]++)] = i;
  }
  return result;
}

Coloring color_columns(const Pattern& pattern, std::int32_t columns) {
  const Pattern rows_of = transposed(pattern, columns);
  Coloring result;
  result.of.assign(at(columns), -1);
  std::vector<std::int32_t> forbidden;
  for (std::int32_t j = 0; j < columns; ++j) {
    if (rows_of.row(j).empty()) continue;
    for (const std::int32_t i : rows_of.row(j)) {
      for (const std::int32_t k : pattern.row(i)) {
        if (const std::int32_t c = result.of[at(k)]; c >= 0) forbidden[at(c)] = j;
      }
    }
    const auto free = std::ranges::find_if(forbidden, [&](std::int32_t v) { return v != j; });
    result.of[at(j)] = static_cast<std::int32_t>(free - forbidden.begin());
    if (free == forbidden.end()) forbidden.push_back(-1);
  }
  result.colors = static_cast<std::int32_t>(forbidden.size());
  for (std::int32_t i = 0; i < pattern.rows(); ++i) {
    for (const std::int32_t j : pattern.row(i)) {
      result.from.push_back(std::int64_t{i} * result.colors + result.of[at(j)]);
    }
  }
  return result;
}

namespace {

// Outputs one by one, each walking down to its inputs: little work when outputs depend on little. Gives
// up at the output where `budget` node visits are used up; returns how many outputs were done.
std::size_t walk(const Linearization& f, std::int64_t budget,
                 std::vector<std::vector<std::int32_t>>& rows) {
  std::vector<std::int32_t> seen(at(f.nodes()), -1), stack;
  for (std::size_t i = 0; i < f.outputs.size(); ++i) {
    const auto stamp = static_cast<std::int32_t>(i);
    const auto visit = [&](std::int32_t k) {
      if (k < 0 || seen[at(k)] == stamp) return;
      seen[at(k)] = stamp;
      if (k < f.inputs) {
        rows[i].push_back(k);
      } else {
        stack.push_back(k);
      }
    };
    visit(f.outputs[i]);
    while (!stack.empty()) {
      const std::int32_t k = stack.back();
      stack.pop_back();
      for (std::int32_t e = f.begin[at(k)]; e < f.begin[at(k) + 1]; ++e, --budget) {
        visit(f.index[at(e)]);
      }
    }
    std::ranges::sort(rows[i]);
    if (budget < 0) return i + 1;
  }
  return f.outputs.size();
}

// The outputs from `first` on, 256 at a time, as sets of bits that travel backward over all nodes.
void sweep_bits(const Linearization& f, std::size_t first,
                std::vector<std::vector<std::int32_t>>& rows) {
  using Bits = std::array<std::uint64_t, 4>;
  std::vector<Bits> bits;
  for (; first < f.outputs.size(); first += 256) {
    bits.assign(at(f.nodes()), Bits{});
    const std::size_t last = std::min(first + 256, f.outputs.size());
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t bit = i - first;
      if (f.outputs[i] >= 0) bits[at(f.outputs[i])][bit / 64] |= std::uint64_t{1} << bit % 64;
    }
    for (std::int32_t k = f.nodes() - 1; k >= f.inputs; --k) {
      const Bits b = bits[at(k)];
      if (b == Bits{}) continue;
      for (std::int32_t e = f.begin[at(k)]; e < f.begin[at(k) + 1]; ++e) {
        Bits& to = bits[at(f.index[at(e)])];
        for (std::size_t w = 0; w < 4; ++w) to[w] |= b[w];
      }
    }
    for (std::int32_t k = 0; k < f.inputs; ++k) {
      for (std::size_t i = first; i < last; ++i) {
        const std::size_t bit = i - first;
        if (bits[at(k)][bit / 64] >> bit % 64 & 1) rows[i].push_back(k);
      }
    }
  }
}

}  // namespace

Pattern jacobian_pattern(const Linearization& f) {
  std::vector<std::vector<std::int32_t>> rows(f.outputs.size());
  const auto size = static_cast<std::int64_t>(f.index.size() + rows.size());
  sweep_bits(f, walk(f, 64 * size, rows), rows);
  Pattern pattern;
  for (const auto& row : rows) {
    pattern.columns.insert(pattern.columns.end(), row.begin(), row.end());
    pattern.begin.push_back(static_cast<std::int32_t>(pattern.columns.size()));
  }
  return pattern;
}

std::vector<double> push(const Linearization& f, const Coloring& columns) {
  const std::size_t colors = at(columns.colors);
  std::vector<double> result(f.outputs.size() * colors);
  std::vector<Lanes> tangents(at(f.nodes()));
  for (std::size_t first = 0; first < colors; first += Lanes::kCount) {
    const std::size_t lanes = std::min<std::size_t>(Lanes::kCount, colors - first);
    for (std::int32_t k = 0; k < f.inputs; ++k) {
      tangents[at(k)] = {};
      const std::size_t lane = at(columns.of[at(k)]) - first;  // wraps around below `first`
      if (columns.of[at(k)] >= 0 && lane < lanes) tangents[at(k)].of[lane] = 1;
    }
    for (std::int32_t k = f.inputs; k < f.nodes(); ++k) {
      Lanes sum{};
      for (std::int32_t e = f.begin[at(k)]; e < f.begin[at(k) + 1]; ++e) {
        sum = add_product(sum, f.partial[at(e)], tangents[at(f.index[at(e)])]);
      }
      tangents[at(k)] = sum;
    }
    for (std::size_t i = 0; i < f.outputs.size(); ++i) {
      if (f.outputs[i] < 0) continue;
      const Lanes& t = tangents[at(f.outputs[i])];
      std::copy(t.of, t.of + lanes, result.data() + i * colors + first);
    }
  }
  return result;
}

std::vector<double> push_direction(const Linearization& f, double (*v)(std::size_t)) {
  std::vector<double> tangents(at(f.nodes())), result;
  for (std::size_t k = 0; k < at(f.inputs); ++k) tangents[k] = v(k);
  for (std::int32_t k = f.inputs; k < f.nodes(); ++k) {
    for (std::int32_t e = f.begin[at(k)]; e < f.begin[at(k) + 1]; ++e) {
      tangents[at(k)] += f.partial[at(e)] * tangents[at(f.index[at(e)])];
    }
  }
  for (const std::int32_t k : f.outputs) result.push_back(k < 0 ? 0.0 : tangents[at(k)]);
  return result;
}

std::vector<double> pull(const Linearization& f, const Coloring& rows) {
  const std::size_t colors = at(rows.colors);
  std::vector<double> result(at(f.inputs) * colors);
  std::vector<Lanes> adjoints;
  for (std::size_t first = 0; first < colors; first += Lanes::kCount) {
    const std::size_t lanes = std::min<std::size_t>(Lanes::kCount, colors - first);
    adjoints.assign(at(f.nodes()), Lanes{});
    for (std::size_t i = 0; i < f.outputs.size(); ++i) {
      const std::size_t lane = at(rows.of[i]) - first;
      if (f.outputs[i] >= 0 && rows.of[i] >= 0 && lane < lanes) {
        adjoints[at(f.outputs[i])].of[lane] += 1;
      }
    }
    for (std::int32_t k = f.nodes() - 1; k >= f.inputs; --k) {
      const Lanes a = adjoints[at(k)];
      if (is_zero(a)) continue;
      for (std::int32_t e = f.begin[at(k)]; e < f.begin[at(k) + 1]; ++e) {
        Lanes& sum = adjoints[at(f.index[at(e)])];
        sum = add_product(sum, f.partial[at(e)], a);
      }
    }
    for (std::size_t k = 0; k < at(f.inputs); ++k) {
      std::copy(adjoints[k].of, adjoints[k].of + lanes, result.data() + k * colors + first);
    }
  }
  return result;
}

}  // namespace autograd::detail
