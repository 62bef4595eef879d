// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding: words in pieces, learned by merging the most frequent pair of neighbors again and
// again. Sennrich, Haddow, Birch: Neural machine translation of rare words with subword units, ACL 2016;
// pieces, end-of-word mark "</w>" and files are those of their subword-nmt, version 0.2.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nn {

struct BpeOptions {
  std::int64_t merges = 8000;
  std::int64_t min_count = 2;  ///< pairs seen less often are not merged
};

/// Immutable once made; any number of threads may read it.
class BytePairEncoding {
 public:
  /// Learns from words between blanks. Characters are those of UTF-8. Of pairs equally frequent the one
  /// whose parts are older is merged. 58,000 sentences and 8,000 merges take a second. Throws ValueError
  /// for merges < 0.
  static BytePairEncoding train(std::span<const std::string> sentences, BpeOptions options = {});
  /// Of merges in their order. Throws ValueError for an empty part or a pair given twice.
  explicit BytePairEncoding(std::vector<std::pair<std::string, std::string>> merges);

  /// The pieces of all words; a word's last one ends in "</w>".
  std::vector<std::string> encode(std::string_view sentence) const;
  /// The words again, with single blanks between. Words that contain "</w>" themselves are not restored.
  static std::string decode(const std::vector<std::string>& pieces);

  const std::vector<std::pair<std::string, std::string>>& merges() const { return merges_; }

  /// As subword-nmt: "#version: 0.2", then a merge a line. Atomic. load throws IoError, with the line.
  void save(const std::string& path) const;
  static BytePairEncoding load(const std::string& path);

 private:
  struct Merge {
    std::int32_t rank, result;
  };
  std::int32_t intern(const std::string& symbol);
  void encode_word(std::string_view word, std::vector<std::string>& pieces) const;

  std::vector<std::pair<std::string, std::string>> merges_;
  std::unordered_map<std::string, std::int32_t> symbols_;
  std::unordered_map<std::uint64_t, Merge> pairs_;  // of two symbols
};

}  // namespace nn
