// SPDX-License-Identifier: Apache-2.0
// Vocabulary: tokens and their numbers, both ways. Immutable; any number of threads may read it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text.hpp"

namespace nn {

struct VocabularyOptions {
  std::int64_t min_count = 1;  ///< tokens seen less often are left out
  std::int64_t max_size = 0;   ///< at most so many, special ones counted; 0: no limit
  std::vector<std::string> specials = {"<unk>"};  ///< get the first numbers, in this order
  std::string unknown = "<unk>";  ///< the special token for unknown ones; "": these throw
};

class Vocabulary {
 public:
  /// Of all tokens: special ones, then by falling count, equals by their bytes. Throws ValueError when
  /// `unknown` is not special, or a special token is given twice, or for max_size < 0.
  static Vocabulary build(const std::vector<std::vector<std::string>>& sentences,
                          const VocabularyOptions& options = {});
  /// Of a list: token i has number i; `unknown` stands for unknown ones if it is there. Throws ValueError
  /// for a token given twice.
  explicit Vocabulary(std::vector<std::string> tokens, const std::string& unknown = "<unk>");

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  bool contains(std::string_view token) const { return find(token) >= 0; }
  /// The number of a token, or of the unknown one. Throws ValueError for an unknown token where there is
  /// no special one for it.
  std::int64_t id(std::string_view token) const;
  /// Throws ValueError for a number out of range.
  const std::string& token(std::int64_t id) const;
  Ids encode(const std::vector<std::string>& tokens) const;
  std::vector<std::string> decode(const Ids& ids) const;

  /// A token a line, with \\ and \n for backslashes and line ends; the first line names the unknown one.
  /// Atomic. load throws IoError for what save does not write.
  void save(const std::string& path) const;
  static Vocabulary load(const std::string& path);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  void index(const std::string& unknown);
  std::int64_t find(std::string_view token) const;

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
  std::int64_t unknown_ = -1;
};

}  // namespace nn
