// SPDX-License-Identifier: Apache-2.0
// A row gives its beam + 1 best tokens: enough for `beam` that go on, whether or not one of them ends.
#include "beam_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include <autograd/autograd.hpp>

namespace nn {

namespace {

using autograd::Tensor;
using autograd::ValueError;

struct Hypothesis {
  Ids ids;
  double score = 0;
};

/// A sentence that is being continued: beginnings, best first, and the best continuation that has ended.
struct Search {
  std::size_t sentence;
  std::vector<Hypothesis> live{Hypothesis{}};
  Hypothesis best{{}, -std::numeric_limits<double>::infinity()};
  std::int64_t ended = 0;

  void end(Ids ids, double score, double length_penalty) {
    const double mean = score / std::pow(static_cast<double>(ids.size() + 1), length_penalty);
    if (ended++ == 0 || mean > best.score) best = {std::move(ids), mean};
  }
};

/// The best tokens of every row [m, k].
struct Best {
  std::size_t k;
  std::vector<double> logp;
  std::vector<std::int64_t> tokens;
};

Best best_tokens(const Tensor& scores, std::int64_t m, std::int64_t beam) {
  if (scores.dim() != 2 || scores.size(0) != m || scores.size(1) < 1) {
    throw autograd::ShapeError("beam_search: the scores have the wrong shape: they are " +
                               to_string(scores.shape()) + "; need [" + std::to_string(m) +
                               ", tokens]");
  }
  const std::int64_t k = std::min(beam + 1, scores.size(1));
  const autograd::ValuesAndIndices top = autograd::topk(scores, k, 1);
  const Tensor logp = top.values - autograd::logsumexp(scores, 1, {.keepdim = true});
  Best best{static_cast<std::size_t>(k), autograd::to_vector<double>(to(logp, autograd::float64)),
            autograd::to_vector<std::int64_t>(top.indices)};
  if (std::any_of(best.logp.begin(), best.logp.end(), [](double p) { return std::isnan(p); })) {
    const std::vector<double> first =
        autograd::to_vector<double>(to(top.values, autograd::float64));
    bool none = false;  // a row whose best token is at -inf has none
    for (std::size_t at = 0; at < first.size(); at += best.k) {
      none = none || first[at] == -std::numeric_limits<double>::infinity();
    }
    throw ValueError(none ? "beam_search: nothing to go on with: all scores of a beginning are "
                            "-inf; need a number among them"
                          : "beam_search: scores are NaN or +inf; need numbers or -inf");
  }
  return best;
}

/// One token more for a sentence whose first row is `row`; its next rows go to the end of `rows`.
void extend(Search& search, std::size_t row, const Best& best, const BeamSearchOptions& options,
            Ids& rows) {
  const auto beam = static_cast<std::size_t>(options.beam);
  std::vector<std::pair<double, std::size_t>> candidates;
  for (std::size_t at = row * best.k; at < (row + search.live.size()) * best.k; ++at) {
    candidates.emplace_back(-(search.live[at / best.k - row].score + best.logp[at]), at);
  }
  std::sort(candidates.begin(), candidates.end());
  std::vector<Hypothesis> live;
  for (std::size_t rank = 0; rank < candidates.size() && live.size() < beam; ++rank) {
    const auto [cost, at] = candidates[rank];
    Ids ids = search.live[at / best.k - row].ids;
    if (best.tokens[at] == options.end) {
      if (rank < beam) search.end(std::move(ids), -cost, options.length_penalty);
      continue;
    }
    ids.push_back(best.tokens[at]);
    live.push_back({std::move(ids), -cost});
    rows.push_back(static_cast<std::int64_t>(at / best.k));
  }
  search.live = std::move(live);
}

void check(std::int64_t n, const BeamSearchOptions& options) {
  if (n >= 0 && options.beam >= 1 && options.max_length >= 1 &&
      std::isfinite(options.length_penalty))
    return;
  throw ValueError("beam_search: out of range: n " + std::to_string(n) + ", beam " +
                   std::to_string(options.beam) + ", max_length " +
                   std::to_string(options.max_length) + ", length_penalty " +
                   autograd::detail::text(options.length_penalty) +
                   "; need n >= 0, beam >= 1, max_length >= 1, a finite length_penalty");
}

}  // namespace

std::vector<Ids> beam_search(std::int64_t n, const std::function<Tensor(const BeamStep&)>& step,
                             const BeamSearchOptions& options) {
  check(n, options);
  std::vector<Ids> results(static_cast<std::size_t>(n));
  std::vector<Search> searches;
  for (std::size_t i = 0; i < results.size(); ++i) searches.push_back({.sentence = i});
  Ids rows(results.size()), last(results.size(), options.begin);
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  bool same = true;
  for (std::int64_t position = 0; !searches.empty(); ++position) {
    const Best best =
        best_tokens(step({autograd::tensor(last), autograd::tensor(rows), position, same}),
                    static_cast<std::int64_t>(last.size()), options.beam);
    rows.clear();
    last.clear();
    same = true;
    std::size_t row = 0;
    std::vector<Search> next;
    for (Search& search : searches) {
      const std::size_t first = rows.size(), had = search.live.size();
      extend(search, row, best, options, rows);
      row += had;
      const bool done = search.ended >= options.beam || search.live.empty();
      if (done || position + 1 == options.max_length) {
        if (search.ended == 0) {
          search.end(search.live[0].ids, search.live[0].score, options.length_penalty);
        }
        results[search.sentence] = std::move(search.best.ids);
        rows.resize(first);
        same = false;
        continue;
      }
      same = same && search.live.size() == had;
      for (const Hypothesis& each : search.live) last.push_back(each.ids.back());
      next.push_back(std::move(search));
    }
    searches = std::move(next);
  }
  return results;
}

}  // namespace nn
