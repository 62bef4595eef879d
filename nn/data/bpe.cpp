// SPDX-License-Identifier: Apache-2.0
// Learning: counts of pairs are kept up to date, a merge visits only the words that have the pair, and a
// heap with stale entries gives the most frequent one: n log n where counting anew is merges times n.
// Encoding: a heap of the possible merges of a word, so that a word of a megabyte is no attack either.
#include "bpe.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

#include <autograd/autograd.hpp>

#include "../files/gzip.hpp"
#include "text.hpp"

namespace nn {

using autograd::ValueError;

namespace {

constexpr std::string_view kEnd = "</w>";
constexpr std::string_view kVersion = "#version: 0.2";

std::uint64_t key(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32 |
         static_cast<std::uint32_t>(b);
}

/// Bytes of the character at the start of `text`; 1 where it is not UTF-8.
std::size_t character(std::string_view text) {
  return std::max<std::size_t>(detail::code_point_length(text, 0), 1);
}

/// The characters of a word, the last one with the end mark.
std::vector<std::string> characters(std::string_view word) {
  std::vector<std::string> all;
  while (!word.empty()) {
    const std::size_t length = character(word);
    all.emplace_back(word.substr(0, length));
    word.remove_prefix(length);
  }
  all.back() += kEnd;
  return all;
}

struct Word {
  std::vector<std::int32_t> symbols;
  std::int64_t count;
};

/// The words of a corpus while pairs in them are being merged.
class Trainer {
 public:
  explicit Trainer(std::span<const std::string> sentences) {
    std::unordered_map<std::string, std::int64_t> counts;
    for (const std::string& sentence : sentences) {
      for (std::string& word : tokenize(sentence)) ++counts[std::move(word)];
    }
    std::vector<std::pair<std::string, std::int64_t>> sorted(counts.begin(), counts.end());
    std::sort(sorted.begin(), sorted.end());  // an order of its own, for any hash
    for (const auto& [word, count] : sorted) {
      Word entry{{}, count};
      for (const std::string& symbol : characters(word)) entry.symbols.push_back(intern(symbol));
      words_.push_back(std::move(entry));
    }
    for (std::size_t i = 0; i < words_.size(); ++i) add_pairs(i);
  }

  /// The next pair to merge, merged in all words; false when none is frequent enough.
  bool merge_next(std::int64_t min_count, std::pair<std::string, std::string>& merged) {
    while (!heap_.empty()) {
      const auto [count, negative_key] = heap_.top();
      heap_.pop();
      const std::uint64_t pair = ~negative_key;
      const std::int64_t now = counts_[pair];
      if (now != count) {
        if (now > 0 && now < count) heap_.emplace(now, negative_key);
        continue;  // stale: it became rarer, or a newer entry is in the heap
      }
      if (now < std::max<std::int64_t>(min_count, 1)) return false;
      const auto a = static_cast<std::int32_t>(pair >> 32), b = static_cast<std::int32_t>(pair);
      merged = {names_[static_cast<std::size_t>(a)], names_[static_cast<std::size_t>(b)]};
      replace(pair, a, b, intern(merged.first + merged.second));
      return true;
    }
    return false;
  }

 private:
  std::int32_t intern(const std::string& symbol) {
    const auto [at, is_new] = symbols_.emplace(symbol, static_cast<std::int32_t>(names_.size()));
    if (is_new) names_.push_back(symbol);
    return at->second;
  }

  void add_pairs(std::size_t word) {
    const Word& entry = words_[word];
    for (std::size_t i = 0; i + 1 < entry.symbols.size(); ++i) {
      const std::uint64_t pair = key(entry.symbols[i], entry.symbols[i + 1]);
      counts_[pair] += entry.count;
      auto& where = where_[pair];
      if (where.empty() || where.back() != word) where.push_back(word);
      touched_.push_back(pair);
    }
  }
  void remove_pairs(const Word& entry) {
    for (std::size_t i = 0; i + 1 < entry.symbols.size(); ++i) {
      counts_[key(entry.symbols[i], entry.symbols[i + 1])] -= entry.count;
    }
  }
  void push_touched() {
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    for (const std::uint64_t pair : touched_) heap_.emplace(counts_[pair], ~pair);
    touched_.clear();
  }

  void replace(std::uint64_t pair, std::int32_t a, std::int32_t b, std::int32_t result) {
    const std::vector<std::size_t> where = std::move(where_[pair]);
    where_.erase(pair);
    for (const std::size_t i : where) {
      std::vector<std::int32_t>& symbols = words_[i].symbols;
      const auto has = [&](std::size_t k) {
        return k + 1 < symbols.size() && symbols[k] == a && symbols[k + 1] == b;
      };
      std::size_t k = 0;
      while (k < symbols.size() && !has(k)) ++k;
      if (k == symbols.size()) continue;  // an earlier merge took it away
      remove_pairs(words_[i]);
      std::size_t to = k;
      for (; k < symbols.size(); ++k) {
        const bool here = has(k);
        symbols[to++] = here ? result : symbols[k];
        k += here;
      }
      symbols.resize(to);
      add_pairs(i);
    }
    counts_.erase(pair);
    push_touched();
  }

  std::vector<Word> words_;
  std::vector<std::string> names_;  // of symbols
  std::unordered_map<std::string, std::int32_t> symbols_;
  std::unordered_map<std::uint64_t, std::int64_t> counts_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> where_;  // words, some no longer
  std::priority_queue<std::pair<std::int64_t, std::uint64_t>> heap_;   // count, ~pair
  std::vector<std::uint64_t> touched_;

 public:
  /// To be called once, after construction.
  void start() { push_touched(); }
};

}  // namespace

BytePairEncoding BytePairEncoding::train(std::span<const std::string> sentences,
                                         BpeOptions options) {
  if (options.merges < 0) {
    throw ValueError("BytePairEncoding.train: merges out of range: " +
                     std::to_string(options.merges) + "; need merges >= 0");
  }
  Trainer trainer(sentences);
  trainer.start();
  std::vector<std::pair<std::string, std::string>> merges;
  std::pair<std::string, std::string> merged;
  while (static_cast<std::int64_t>(merges.size()) < options.merges &&
         trainer.merge_next(options.min_count, merged)) {
    merges.push_back(merged);
  }
  return BytePairEncoding(std::move(merges));
}

std::int32_t BytePairEncoding::intern(const std::string& symbol) {
  return symbols_.emplace(symbol, static_cast<std::int32_t>(symbols_.size())).first->second;
}

BytePairEncoding::BytePairEncoding(std::vector<std::pair<std::string, std::string>> merges)
    : merges_(std::move(merges)) {
  std::int32_t rank = 0;
  for (const auto& [left, right] : merges_) {
    const std::int32_t a = intern(left), b = intern(right), both = intern(left + right);
    if (left.empty() || right.empty() || !pairs_.emplace(key(a, b), Merge{rank++, both}).second) {
      throw ValueError("BytePairEncoding: a merge is empty or given twice: " + detail::quote(left) +
                       " " + detail::quote(right) + "; need each pair once");
    }
  }
}

void BytePairEncoding::encode_word(std::string_view word, std::vector<std::string>& pieces) const {
  struct Piece {
    std::int32_t symbol;  // -1: none of the training's
    std::size_t begin, end;
    std::ptrdiff_t before, after;
  };
  std::vector<Piece> list;
  std::size_t at = 0;
  for (const std::string& symbol : characters(word)) {
    const auto found = symbols_.find(symbol);
    const std::size_t end = std::min(at + symbol.size(), word.size());
    const auto place = static_cast<std::ptrdiff_t>(list.size());
    list.push_back({found == symbols_.end() ? -1 : found->second, at, end, place - 1, place + 1});
    at = end;
  }
  const auto n = static_cast<std::ptrdiff_t>(list.size());
  const auto piece = [&](std::ptrdiff_t i) -> Piece& { return list[static_cast<std::size_t>(i)]; };

  using Entry = std::tuple<std::int32_t, std::ptrdiff_t, std::int32_t>;  // rank, left place, result
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap;
  const auto offer = [&](std::ptrdiff_t i) {
    if (i < 0 || piece(i).after >= n) return;
    const auto found = pairs_.find(key(piece(i).symbol, piece(piece(i).after).symbol));
    if (found != pairs_.end()) heap.emplace(found->second.rank, i, found->second.result);
  };
  for (std::ptrdiff_t i = 0; i < n; ++i) offer(i);
  while (!heap.empty()) {
    const auto [rank, i, result] = heap.top();
    heap.pop();
    Piece& left = piece(i);
    if (left.begin == left.end || left.after >= n) continue;  // merged into its left neighbor since
    Piece& right = piece(left.after);
    const auto found = pairs_.find(key(left.symbol, right.symbol));
    if (found == pairs_.end() || found->second.rank != rank) continue;  // another pair by now
    left.symbol = result;
    left.end = right.end;
    left.after = right.after;
    right.begin = right.end;
    if (left.after < n) piece(left.after).before = i;
    offer(left.before);
    offer(i);
  }
  for (std::ptrdiff_t i = 0; i < n; i = piece(i).after) {
    pieces.emplace_back(word.substr(piece(i).begin, piece(i).end - piece(i).begin));
  }
  pieces.back() += kEnd;
}

std::vector<std::string> BytePairEncoding::encode(std::string_view sentence) const {
  std::vector<std::string> pieces;
  for (const std::string& word : tokenize(sentence)) encode_word(word, pieces);
  return pieces;
}

std::string BytePairEncoding::decode(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) {
    const bool last = piece.ends_with(kEnd);
    text += piece.substr(0, piece.size() - (last ? kEnd.size() : 0));
    if (last) text += ' ';
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

void BytePairEncoding::save(const std::string& path) const {
  std::string text = std::string(kVersion) + "\n";
  for (const auto& [left, right] : merges_) text += left + " " + right + "\n";
  detail::OutputFile file("BytePairEncoding.save", path);
  file.write(text);
  file.commit();
}

BytePairEncoding BytePairEncoding::load(const std::string& path) {
  const std::vector<std::string> lines = read_lines(path);
  const auto fail = [&](const std::string& what) {
    detail::throw_io("BytePairEncoding.load", what, path, "",
                     "a file that BytePairEncoding.save wrote");
  };
  if (lines.empty() || lines[0] != kVersion) fail("the first line is not '#version: 0.2'");
  std::vector<std::pair<std::string, std::string>> merges;
  std::unordered_map<std::string_view, std::size_t> places;  // the same line is the same merge
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string line = "line " + std::to_string(i + 1);
    const std::size_t blank = lines[i].find(' ');
    if (blank == std::string::npos || lines[i].find(' ', blank + 1) != std::string::npos) {
      fail(line + " is not two pieces");
    }
    if (blank == 0 || blank + 1 == lines[i].size()) fail(line + " has an empty piece");
    const auto [first, fresh] = places.emplace(lines[i], i + 1);
    if (!fresh) fail(line + " repeats line " + std::to_string(first->second));
    merges.emplace_back(lines[i].substr(0, blank), lines[i].substr(blank + 1));
  }
  return BytePairEncoding(std::move(merges));
}

}  // namespace nn
