// SPDX-License-Identifier: Apache-2.0
// Counting, ordering, and a text file that anybody can read.
#include "vocabulary.hpp"

#include <algorithm>

#include "../files/gzip.hpp"

namespace nn {

using autograd::ValueError;

namespace {

constexpr std::string_view kFirstLine = "# vocabulary, unknown: ";

std::string escaped(const std::string& token) {
  std::string out;
  for (const char c : token)
    out += c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
  return out;
}

std::string unescaped(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      out += line[i] == 'n' ? '\n' : line[i] == 'r' ? '\r' : line[i];
    } else {
      out += line[i];
    }
  }
  return out;
}

}  // namespace

Vocabulary Vocabulary::build(const std::vector<std::vector<std::string>>& sentences,
                             const VocabularyOptions& options) {
  if (options.max_size < 0) {
    throw ValueError("Vocabulary.build: max_size out of range: " +
                     std::to_string(options.max_size) + "; need max_size >= 0 (0: no limit)");
  }
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (const auto& sentence : sentences) {
    for (const std::string& token : sentence) ++counts[token];
  }
  for (const std::string& special : options.specials) counts.erase(special);
  std::vector<std::pair<std::string_view, std::int64_t>> order;
  for (const auto& entry : counts) {
    if (entry.second >= options.min_count) order.push_back(entry);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> tokens = options.specials;
  for (const auto& entry : order) {
    if (options.max_size > 0 && static_cast<std::int64_t>(tokens.size()) >= options.max_size) break;
    tokens.emplace_back(entry.first);
  }
  const auto& specials = options.specials;
  if (!options.unknown.empty() &&
      std::find(specials.begin(), specials.end(), options.unknown) == specials.end()) {
    throw ValueError("Vocabulary.build: the unknown token is not special: " +
                     detail::quote(options.unknown) + "; need it among options.specials");
  }
  return Vocabulary(std::move(tokens), options.unknown);
}

Vocabulary::Vocabulary(std::vector<std::string> tokens, const std::string& unknown)
    : tokens_(std::move(tokens)) {
  index(unknown);
}

void Vocabulary::index(const std::string& unknown) {
  for (const std::string& token : tokens_) {
    if (!ids_.emplace(token, static_cast<std::int64_t>(ids_.size())).second) {
      throw ValueError("Vocabulary: a token is given twice: " + detail::quote(token) +
                       "; need each once");
    }
  }
  unknown_ = unknown.empty() ? -1 : find(unknown);
}

std::int64_t Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

std::int64_t Vocabulary::id(std::string_view token) const {
  const std::int64_t found = find(token);
  if (found >= 0) return found;
  if (unknown_ >= 0) return unknown_;
  throw ValueError("Vocabulary.id: no such token: " + detail::quote(token) + "; need one of the " +
                   std::to_string(size()) + " tokens, or a special one for the unknown");
}

const std::string& Vocabulary::token(std::int64_t id) const {
  if (id < 0 || id >= size()) {
    throw ValueError("Vocabulary.token: no such number: " + std::to_string(id) +
                     "; need 0 <= id < size() (" + std::to_string(size()) + ")");
  }
  return tokens_[static_cast<std::size_t>(id)];
}

Ids Vocabulary::encode(const std::vector<std::string>& tokens) const {
  Ids ids;
  for (const std::string& token : tokens) ids.push_back(id(token));
  return ids;
}

std::vector<std::string> Vocabulary::decode(const Ids& ids) const {
  std::vector<std::string> tokens;
  for (const std::int64_t id : ids) tokens.push_back(token(id));
  return tokens;
}

void Vocabulary::save(const std::string& path) const {
  std::string text(kFirstLine);
  text += (unknown_ >= 0 ? std::to_string(unknown_) : "none") + "\n";
  for (const std::string& token : tokens_) text += escaped(token) + "\n";
  detail::OutputFile file("Vocabulary.save", path);
  file.write(text);
  file.commit();
}

Vocabulary Vocabulary::load(const std::string& path) {
  const auto fail = [&](const char* what) {
    detail::throw_io("Vocabulary.load", what, path, "", "a file that Vocabulary.save wrote");
  };
  std::vector<std::string> lines = read_lines(path);
  if (lines.empty() || !lines[0].starts_with(kFirstLine)) fail("not a vocabulary");
  const std::string place = lines[0].substr(kFirstLine.size());
  lines.erase(lines.begin());
  std::transform(lines.begin(), lines.end(), lines.begin(), unescaped);
  std::string unknown;
  if (place != "none") {
    const bool digits = !place.empty() && place.size() < 10 &&
                        place.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || std::stoul(place) >= lines.size()) fail("the unknown token is not there");
    unknown = lines[std::stoul(place)];
  }
  try {
    return Vocabulary(std::move(lines), unknown);
  } catch (const ValueError&) {
    fail("a token is there twice");
    throw;
  }
}

}  // namespace nn
