// SPDX-License-Identifier: Apache-2.0
// Letters of two bytes in UTF-8 are enough for the alphabets whose cases differ by simple rules.
#include "text.hpp"

#include <algorithm>
#include <numeric>

namespace nn {

using autograd::Tensor;
using autograd::ValueError;

namespace {

/// The lower case of a character of two bytes, U+0080 to U+07FF, that stays one of two bytes.
unsigned lower(unsigned c) {
  if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x410 && c <= 0x42F)) return c + 32;
  if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  // Pairs of neighbors: the even one is upper case up to U+0137, the odd one up to U+0148, ...
  if (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) return c | 1;
  if (c >= 0x139 && c <= 0x148) return c + (c & 1);
  if (c >= 0x14A && c <= 0x177) return c | 1;
  if (c == 0x178) return 0xFF;
  if (c >= 0x179 && c <= 0x17E) return c + (c & 1);
  return c;
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto first = static_cast<unsigned char>(out[i]);
    if (first >= 'A' && first <= 'Z') {
      out[i] = static_cast<char>(first + 32);
    } else if (first >= 0xC3 && first <= 0xDF && i + 1 < out.size()) {
      const auto second = static_cast<unsigned char>(out[i + 1]);
      if ((second & 0xC0) != 0x80) continue;
      const unsigned c = lower((first & 0x1Fu) << 6 | (second & 0x3Fu));
      out[i] = static_cast<char>(0xC0 | c >> 6);
      out[++i] = static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return out;
}

std::vector<std::string> tokenize(std::string_view text, TokenizeOptions options) {
  const std::string lowered = options.lower ? lower_case(text) : std::string();
  if (options.lower) text = lowered;
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    if (options.punctuation && is_punctuation(text[at])) {
      ++at;
    } else {
      while (at < text.size() && !is_blank(text[at]) &&
             !(options.punctuation && is_punctuation(text[at]))) {
        ++at;
      }
    }
    words.emplace_back(text.substr(start, at - start));
  }
  return words;
}

std::vector<std::string> ngrams(const std::vector<std::string>& tokens, int n) {
  if (n < 1) throw ValueError("ngrams: n out of range: " + std::to_string(n) + "; need n >= 1");
  std::vector<std::string> all;
  for (std::size_t length = 1;
       length <= std::min<std::size_t>(static_cast<std::size_t>(n), tokens.size()); ++length) {
    for (std::size_t i = 0; i + length <= tokens.size(); ++i) {
      std::string joined = tokens[i];
      for (std::size_t k = 1; k < length; ++k) joined += " " + tokens[i + k];
      all.push_back(std::move(joined));
    }
  }
  return all;
}

Tensor pad_sequences(const std::vector<Ids>& sequences, std::int64_t padding) {
  std::size_t longest = 0;
  for (const Ids& ids : sequences) longest = std::max(longest, ids.size());
  Tensor rows = autograd::empty(
      {static_cast<std::int64_t>(sequences.size()), static_cast<std::int64_t>(longest)},
      autograd::int64);
  auto to = rows.mutable_data<std::int64_t>().begin();
  for (const Ids& ids : sequences) {
    to = std::copy(ids.begin(), ids.end(), to);
    to = std::fill_n(to, longest - ids.size(), padding);
  }
  return rows;
}

Tensor lengths_of(const std::vector<Ids>& sequences) {
  Ids lengths;
  for (const Ids& ids : sequences) lengths.push_back(static_cast<std::int64_t>(ids.size()));
  return autograd::tensor(lengths);
}

Bags flatten_bags(const std::vector<Ids>& sequences) {
  Ids all, offsets;
  for (const Ids& ids : sequences) {
    offsets.push_back(static_cast<std::int64_t>(all.size()));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return {autograd::tensor(all), autograd::tensor(offsets)};
}

namespace {

/// Cuts `order` into batches within both limits.
void cut(const Ids& order, const std::vector<Ids>& columns, const BucketOptions& options,
         std::vector<Ids>& batches) {
  Ids batch, longest(columns.size());
  for (const std::int64_t i : order) {
    std::int64_t width = 0;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      longest[k] = std::max(longest[k], columns[k][static_cast<std::size_t>(i)]);
      width += longest[k];
    }
    const auto count = static_cast<std::int64_t>(batch.size()) + 1;
    const bool too_many_tokens =
        options.max_tokens > 0 && width > 0 && count > options.max_tokens / width;
    if (!batch.empty() && (count > options.batch_size || too_many_tokens)) {
      batches.push_back(std::exchange(batch, {}));
      for (std::size_t k = 0; k < columns.size(); ++k) {
        longest[k] = columns[k][static_cast<std::size_t>(i)];
      }
    }
    batch.push_back(i);
  }
  if (!batch.empty()) batches.push_back(std::move(batch));
}

/// Neighbors in this order are alike in the first two columns.
void sort_by_lengths(Ids& order, const std::vector<Ids>& columns) {
  const auto key = [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    if (columns.size() == 1) return std::pair(columns[0][at], std::int64_t{0});
    const std::int64_t step = columns[0][at] / 2, second = columns[1][at];
    return std::pair(step, step % 2 == 0 ? second : -second);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return key(a) < key(b); });
}

void check_lengths(const std::vector<Ids>& columns, const BucketOptions& options) {
  const bool negative = std::any_of(columns.begin(), columns.end(), [](const Ids& lengths) {
    return std::any_of(lengths.begin(), lengths.end(), [](std::int64_t n) { return n < 0; });
  });
  if (options.batch_size < 1 || options.max_tokens < 0 || negative) {
    throw ValueError("bucket_by_length: out of range: batch_size " +
                     std::to_string(options.batch_size) + ", max_tokens " +
                     std::to_string(options.max_tokens) +
                     "; need batch_size >= 1, max_tokens >= 0, lengths >= 0");
  }
  if (columns.empty() || std::any_of(columns.begin(), columns.end(), [&](const Ids& lengths) {
        return lengths.size() != columns[0].size();
      })) {
    throw ValueError("bucket_by_lengths: " + std::to_string(columns.size()) +
                     " columns of different length; need at least one, with a length for every "
                     "sample");
  }
}

template <class T> void mix(std::vector<T>& items, autograd::Generator& generator) {
  const Ids order = autograd::to_vector<std::int64_t>(
      autograd::randperm(static_cast<std::int64_t>(items.size()), generator));
  std::vector<T> mixed;
  for (const std::int64_t i : order) mixed.push_back(std::move(items[static_cast<std::size_t>(i)]));
  items = std::move(mixed);
}

}  // namespace

std::function<std::vector<Ids>(autograd::Generator&)> bucket_by_length(
    std::vector<std::int64_t> lengths, BucketOptions options) {
  std::vector<Ids> columns;
  columns.push_back(std::move(lengths));
  return bucket_by_lengths(std::move(columns), options);
}

std::function<std::vector<Ids>(autograd::Generator&)> bucket_by_lengths(std::vector<Ids> columns,
                                                                        BucketOptions options) {
  check_lengths(columns, options);
  return [columns = std::move(columns), options](autograd::Generator& generator) {
    Ids order(columns[0].size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    if (options.shuffle) mix(order, generator);
    std::size_t pool = order.size();
    if (options.shuffle && options.batch_size < static_cast<std::int64_t>(order.size())) {
      pool = std::min(pool, static_cast<std::size_t>(options.batch_size) * 100);
    }
    std::vector<Ids> batches;
    for (std::size_t at = 0; at < order.size(); at += pool) {
      Ids part(order.begin() + static_cast<std::ptrdiff_t>(at),
               order.begin() + static_cast<std::ptrdiff_t>(std::min(order.size(), at + pool)));
      sort_by_lengths(part, columns);
      cut(part, columns, options, batches);
    }
    if (options.shuffle) mix(batches, generator);
    return batches;
  };
}

}  // namespace nn
