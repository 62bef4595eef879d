// SPDX-License-Identifier: Apache-2.0
// Text in two languages as numbers: words in byte-pair pieces, one list of them for both languages, so that
// names and numbers stay themselves.
#pragma once

#include <nn/nn.hpp>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace support {

struct Pieces {
  static constexpr std::int64_t kPad = 0, kUnknown = 1, kBegin = 2, kEnd = 3;

  nn::BytePairEncoding bpe;
  nn::Vocabulary list;

  static Pieces learn(const std::vector<std::string>& sentences, std::int64_t merges) {
    auto bpe = nn::BytePairEncoding::train(sentences, {.merges = merges});
    std::vector<nn::Tokens> all;
    for (const std::string& sentence : sentences) all.push_back(bpe.encode(sentence));
    auto list = nn::Vocabulary::build(all, {.specials = {"<pad>", "<unk>", "<s>", "</s>"}});
    return {std::move(bpe), std::move(list)};
  }

  /// Of each sentence, in small letters, with kEnd behind.
  std::vector<nn::Ids> encode(const std::vector<std::string>& sentences) const {
    std::vector<nn::Ids> all;
    for (const std::string& sentence : sentences) {
      all.push_back(list.encode(bpe.encode(nn::lower_case(sentence))));
      all.back().push_back(kEnd);
    }
    return all;
  }
  std::string decode(const nn::Ids& ids) const {
    return nn::BytePairEncoding::decode(list.decode(ids));
  }

  /// Files beside the weights: <path>.bpe and <path>.pieces.
  void save(const std::string& path) const {
    bpe.save(path + ".bpe");
    list.save(path + ".pieces");
  }
  static Pieces load(const std::string& path) {
    return {nn::BytePairEncoding::load(path + ".bpe"), nn::Vocabulary::load(path + ".pieces")};
  }
};

/// Lines that translate each other.
struct ParallelText {
  std::vector<std::string> source, target;

  /// <path>.<from> and <path>.<to>, each gzipped (and then .gz) or not.
  static ParallelText read(const std::string& path, const std::string& from,
                           const std::string& to) {
    const auto lines = [](const std::string& file) {
      return nn::read_lines(std::filesystem::exists(file) ? file : file + ".gz");
    };
    ParallelText text{lines(path + "." + from), lines(path + "." + to)};
    if (text.source.empty() || text.source.size() != text.target.size()) {
      throw std::runtime_error(
          path + ": not translations of each other: " + std::to_string(text.source.size()) +
          " lines of ." + from + ", " + std::to_string(text.target.size()) + " of ." + to +
          "; need as many of both, and at least one");
    }
    return text;
  }
  std::vector<std::string> both() const {
    std::vector<std::string> all = source;
    all.insert(all.end(), target.begin(), target.end());
    return all;
  }
  nn::SequenceDataset encode(const Pieces& pieces) const {
    return nn::SequenceDataset({pieces.encode(source), pieces.encode(target)}, Pieces::kPad);
  }
};

}  // namespace support
