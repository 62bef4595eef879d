// SPDX-License-Identifier: Apache-2.0
// Sound: WAV files through libsndfile, optional when nn is built (without it read_wav throws IoError).
#pragma once

#include <cstdint>
#include <string>

#include <autograd/autograd.hpp>

namespace nn {

struct Audio {
  autograd::Tensor samples;  ///< float32 [channels, frames]; integers of the file scaled to [-1, 1)
  std::int64_t sample_rate = 0;  ///< frames a second
};

/// As torchaudio.load: PCM of 8 to 32 bits, floating numbers, A-law, mu-law, ADPCM. Throws IoError for
/// what is no WAV file, is damaged or cut off.
Audio read_wav(const std::string& path);

/// PCM of 16 bits, atomically; samples [channels, frames] or [frames] are clamped to [-1, 1], NaN is 0.
/// Throws ShapeError, TypeError, ValueError for a rate < 1, IoError.
void write_wav(const std::string& path, const Audio& audio);

}  // namespace nn
