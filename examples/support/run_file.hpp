// SPDX-License-Identifier: Apache-2.0
// The checkpoint file of a training program: its state, and in the metadata what the run was begun with,
// so that --resume with other options or data is refused and not a mixture of two runs. Options that do
// not change the weights (threads, file names, what is printed) are not settings.
#pragma once

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// An option or a property of the data; numbers as the fewest digits that read back.
struct Setting {
  std::string name, value;

  Setting(std::string what, std::string word) : name(std::move(what)), value(std::move(word)) {}
  template <class T>
    requires std::integral<T> || std::floating_point<T> Setting(std::string what, T number)
        : name(std::move(what)) {
      std::array<char, 64> digits;
      value.assign(digits.data(),
                   std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
    }
};

/// Tells data from other data: 64 bits in hex. FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv).
inline std::string checksum(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::array<char, 16> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr};
}
inline std::string checksum(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return checksum(all);
}
/// Of whole numbers.
inline std::string checksum(const autograd::Tensor& x) {
  const auto numbers = autograd::to_vector<std::int64_t>(x);
  return checksum({reinterpret_cast<const char*>(numbers.data()),  // the bytes behind a span
                   numbers.size() * sizeof numbers[0]});
}

class RunFile {
 public:
  /// `options` has checkpoint, resume, batch, lr and seed; `settings` are what else decides about the
  /// weights. With options.resume the state is that of the file: throws IoError when that cannot be read,
  /// ValueError when it is of a run with other settings, which it names.
  template <class Options>
  RunFile(const Options& options, nn::TrainingState& state, std::vector<Setting> settings)
      : path_(options.checkpoint), state_(&state) {
    settings.insert(settings.begin(),
                    {{"--batch", options.batch}, {"--lr", options.lr}, {"--seed", options.seed}});
    for (const Setting& setting : settings) words_[setting.name] = setting.value;
    if (!options.resume) return;
    check(settings);
    state.load_state_dict(nn::load_safetensors(path_));
  }

  void save() const { nn::save_safetensors(path_, state_->state_dict(), words_); }

 private:
  void check(const std::vector<Setting>& settings) const {
    const nn::Metadata saved = nn::safetensors_metadata(path_);
    std::string wrong;
    for (const auto& [name, value] : settings) {
      const auto at = saved.find(name);
      if (at != saved.end() && at->second == value) continue;
      wrong += (wrong.empty() ? "" : ", ") + name + " " +
               (at == saved.end() ? "none" : at->second) + " there and " + value + " here";
    }
    if (wrong.empty()) return;
    throw autograd::ValueError("--resume: '" + path_ + "' is of another run: " + wrong +
                               "; need the options and the data that it was begun with");
  }

  std::string path_;
  const nn::TrainingState* state_;
  nn::Metadata words_;
};

}  // namespace support
