// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as
// easy as 1, 2, 3, SC 2011). Draw number i is a function of the seed and i alone, so that a stream does
// not depend on threads, platforms or the order in which elements are computed.
#pragma once

#include <array>
#include <cstdint>

namespace autograd {

/// A stream of random numbers. Not thread-safe; give each thread its own.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}

  /// The next 32 or 64 random bits.
  std::uint32_t next32();
  std::uint64_t next64();
  /// Uniform on [0, 1) with 53 random bits.
  double uniform();
  /// Standard normal; two uniforms each.
  double normal();

  std::uint64_t seed() const { return seed_; }
  /// How many words of 32 bits have been used; seek(position) continues exactly there.
  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position);
  /// Takes `blocks` whole blocks of four words for bulk use and returns the first one's number.
  std::uint64_t reserve(std::uint64_t blocks);
  /// Block `counter` of the stream with this seed: four words.
  static std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint64_t counter);
  /// The function behind it: Philox4x32-10 of any counter and key.
  static std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                             std::array<std::uint32_t, 2> key);

 private:
  std::uint64_t seed_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4> words_{};  // the block that holds position_, unless at its start
};

/// The generator that functions without a Generator argument use; one per thread.
Generator& default_generator();
/// Restarts this thread's default generator.
void manual_seed(std::uint64_t seed);

}  // namespace autograd
