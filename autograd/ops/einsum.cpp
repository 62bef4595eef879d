// SPDX-License-Identifier: Apache-2.0
#include "einsum.hpp"

#include <bit>
#include <limits>
#include <optional>

#include "../inline.hpp"

namespace autograd::ops {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
/// Up to here every order is tried: 3^n pairs of subsets.
constexpr std::size_t kExhaustive = 8;

[[noreturn]] AUTOGRAD_COLD void bad(const std::string& what, const std::string& expression,
                                    const std::string& need) {
  throw ValueError("einsum: " + what + ": \"" + expression + "\"; need " + need);
}

/// The letters of one operand, kEllipsis standing for all axes of "...".
Labels letters_of(const std::string& term, const std::string& expression) {
  Labels labels;
  bool ellipsis = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (c == ' ') continue;
    if (c >= 'A' && c <= 'Z') {
      labels.push_back(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      labels.push_back(26 + c - 'a');
    } else if (term.compare(i, 3, "...") == 0 && !ellipsis) {
      labels.push_back(kEllipsis);
      ellipsis = true;
      i += 2;
    } else {
      bad(std::string("unexpected '") + c + "' in the expression", expression,
          "letters, at most one \"...\" for each operand, commas between operands and one \"->\"");
    }
  }
  return labels;
}

std::vector<std::string> terms_of(const std::string& text) {
  std::vector<std::string> terms(1);
  for (char c : text) {
    if (c == ',') {
      terms.emplace_back();
    } else {
      terms.back() += c;
    }
  }
  return terms;
}

/// The letter as it was written, or "...".
std::string written(Label label) {
  if (label >= kEllipsis) return "\"...\"";
  return std::string("'") + static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26) + "'";
}

// kEllipsis replaced by `axes` labels, the rightmost always the same.
Labels expanded(const Labels& letters, int axes) {
  Labels labels;
  for (Label label : letters) {
    if (label != kEllipsis) {
      labels.push_back(label);
      continue;
    }
    for (int i = 0; i < axes; ++i) labels.push_back(kLabels - axes + i);
  }
  return labels;
}

// The labels of "...", then the letters that occur once.
Labels implicit_output(const std::vector<Labels>& operands) {
  std::array<int, kLabels> times{};
  for (const Labels& labels : operands) {
    for (Label label : labels) ++times[static_cast<std::size_t>(label)];
  }
  Labels output;
  for (Label label = kEllipsis; label < kLabels; ++label) {
    if (times[static_cast<std::size_t>(label)]) output.push_back(label);
  }
  for (Label label = 0; label < kEllipsis; ++label) {
    if (times[static_cast<std::size_t>(label)] == 1) output.push_back(label);
  }
  return output;
}

void check_output(const Labels& output, LabelSet known, const std::string& expression) {
  if (output.size() > static_cast<std::size_t>(kMaxDim)) {
    bad("too many axes in the output", expression, "at most " + std::to_string(kMaxDim));
  }
  LabelSet seen = 0;
  for (Label label : output) {
    if (!contains(known, label)) {
      bad(written(label) + " of the output is in no operand", expression,
          "letters that some operand has");
    }
    if (contains(seen, label)) {
      bad(written(label) + " is twice in the output", expression, "each letter once");
    }
    seen |= LabelSet{1} << label;
  }
}

// Chooses the order of contractions.
class Planner {
 public:
  Planner(const EinsumPlan& plan, std::vector<LabelSet> sets)
      : plan_(plan), sets_(std::move(sets)) {}

  std::vector<std::pair<int, int>> run() {
    if (sets_.size() <= kExhaustive) {
      exhaust();
    } else {
      descend();
    }
    return std::move(steps_);
  }

 private:
  // What is left of `inside` when all that only it has is summed over.
  LabelSet kept(LabelSet inside, LabelSet outside) const {
    return inside & (outside | set_of(plan_.output));
  }
  double work(LabelSet labels) const {
    double product = 1;
    for (Label i = 0; i < kLabels; ++i) {
      if (contains(labels, i)) {
        product *= static_cast<double>(plan_.extent[static_cast<std::size_t>(i)]);
      }
    }
    return product;
  }
  // Of a pair with these labels whose result is `result`: a result that has too many axes is no way.
  double cost(LabelSet labels, LabelSet result) const {
    return std::popcount(result) > kMaxDim ? kNever : work(labels);
  }
  [[noreturn]] static void no_way() {
    throw ShapeError("einsum: every order has a product of too many axes; need at most " +
                     std::to_string(kMaxDim) + " axes in each product of two operands");
  }

  // The best order of every subset of the operands, by its best split in two.
  void exhaust() {
    const std::size_t n = sets_.size(), all = (std::size_t{1} << n) - 1;
    std::vector<LabelSet> whole(all + 1), result(all + 1);
    best_.assign(all + 1, kNever);
    split_.assign(all + 1, 0);
    for (std::size_t s = 1; s <= all; ++s) {
      for (std::size_t k = 0; k < n; ++k) whole[s] |= s >> k & 1 ? sets_[k] : 0;
    }
    for (std::size_t s = 1; s <= all; ++s) {
      result[s] = kept(whole[s], whole[all & ~s]);
      if ((s & (s - 1)) == 0) {
        best_[s] = 0;
        continue;
      }
      for (std::size_t a = (s - 1) & s; a > 0; a = (a - 1) & s) {
        const std::size_t b = s & ~a;
        if (a < b) continue;  // each split once
        const double total = best_[a] + best_[b] + cost(result[a] | result[b], result[s]);
        if (total < best_[s]) {
          best_[s] = total;
          split_[s] = b;
        }
      }
    }
    if (best_[all] == kNever) no_way();
    next_ = static_cast<int>(n);
    emit(all);
  }
  int emit(std::size_t s) {
    if ((s & (s - 1)) == 0) return std::countr_zero(s);
    const int a = emit(split_[s]), b = emit(s & ~split_[s]);
    steps_.emplace_back(a, b);
    return next_++;
  }

  // The cheapest pair, again and again.
  void descend() {
    std::vector<std::pair<int, LabelSet>> left;
    for (std::size_t k = 0; k < sets_.size(); ++k) left.emplace_back(static_cast<int>(k), sets_[k]);
    for (next_ = static_cast<int>(sets_.size()); left.size() > 1; ++next_) {
      double least = kNever;
      std::size_t at_i = 0, at_j = 0;
      LabelSet chosen = 0;
      for (std::size_t i = 0; i < left.size(); ++i) {
        for (std::size_t j = i + 1; j < left.size(); ++j) {
          LabelSet others = 0;
          for (std::size_t k = 0; k < left.size(); ++k)
            others |= k == i || k == j ? 0 : left[k].second;
          const LabelSet both = left[i].second | left[j].second, result = kept(both, others);
          const double c = cost(both, result);
          if (c >= least) continue;
          least = c;
          at_i = i;
          at_j = j;
          chosen = result;
        }
      }
      if (least == kNever) no_way();
      steps_.emplace_back(left[at_i].first, left[at_j].first);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(at_j));
      left[at_i] = {next_, chosen};
    }
  }

  const EinsumPlan& plan_;
  std::vector<LabelSet> sets_;
  std::vector<std::pair<int, int>> steps_;
  std::vector<double> best_;
  std::vector<std::size_t> split_;
  int next_ = 0;
};

}  // namespace

LabelSet set_of(const Labels& labels) {
  LabelSet set = 0;
  for (Label label : labels) set |= LabelSet{1} << label;
  return set;
}

EinsumPlan::EinsumPlan(const std::string& expression, const std::vector<Shape>& shapes) {
  const std::size_t arrow = expression.find("->");
  const std::vector<std::string> terms = terms_of(expression.substr(0, arrow));
  if (terms.size() != shapes.size()) {
    bad("the number of operands differs", expression,
        std::to_string(terms.size()) + " operands (" + std::to_string(shapes.size()) + " given)");
  }
  int axes = 0;  // of "...", at most
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const Labels letters = letters_of(terms[k], expression);
    const bool ellipsis = contains(set_of(letters), kEllipsis);
    const int rest = shapes[k].dim() - static_cast<int>(letters.size()) + (ellipsis ? 1 : 0);
    if (rest < 0 || (rest > 0 && !ellipsis)) {
      throw ShapeError("einsum: the number of axes differs: operand " + std::to_string(k) + " is " +
                       to_string(shapes[k]) + ", its letters are \"" + terms[k] +
                       "\"; need one letter for each axis, or \"...\"");
    }
    axes = std::max(axes, rest);
    operands.push_back(expanded(letters, rest));
  }
  measure(shapes);
  LabelSet known = 0;
  for (const Labels& labels : operands) known |= set_of(labels);
  output = arrow == std::string::npos
               ? implicit_output(operands)
               : expanded(letters_of(expression.substr(arrow + 2), expression), axes);
  check_output(output, known, expression);
  std::vector<LabelSet> sets;
  for (std::size_t k = 0; k < shapes.size(); ++k) sets.push_back(present(k, shapes[k]));
  // What one operand alone has is summed over before anything else.
  for (std::size_t k = 0; k < sets.size(); ++k) {
    LabelSet others = set_of(output);
    for (std::size_t j = 0; j < sets.size(); ++j) others |= j == k ? 0 : sets[j];
    sets[k] &= others;
  }
  steps = Planner(*this, std::move(sets)).run();
}

void EinsumPlan::measure(const std::vector<Shape>& shapes) {
  extent.fill(1);
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    std::array<std::int64_t, kLabels> own;
    own.fill(-1);
    for (int i = 0; i < shapes[k].dim(); ++i) {
      const auto label = static_cast<std::size_t>(operands[k][static_cast<std::size_t>(i)]);
      const std::int64_t e = shapes[k][i];
      const bool repeats = own[label] >= 0 && own[label] != e;
      if (repeats || (e != extent[label] && e != 1 && extent[label] != 1)) {
        throw ShapeError("einsum: the extents of " + written(static_cast<Label>(label)) +
                         " differ: axis " + std::to_string(i) + " of operand " + std::to_string(k) +
                         " of shape " + to_string(shapes[k]) + "; need " +
                         std::to_string(repeats ? own[label] : extent[label]) +
                         (repeats ? "" : " or 1") + " (" + std::to_string(e) + ")");
      }
      own[label] = e;
      if (e != 1) extent[label] = e;
    }
  }
}

LabelSet EinsumPlan::present(std::size_t k, const Shape& shape) const {
  LabelSet set = 0;
  for (int i = 0; i < shape.dim(); ++i) {
    const Label label = operands[k][static_cast<std::size_t>(i)];
    if (shape[i] == extent[static_cast<std::size_t>(label)]) set |= LabelSet{1} << label;
  }
  return set;
}

}  // namespace autograd::ops
