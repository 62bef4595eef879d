// SPDX-License-Identifier: Apache-2.0
// libsndfile reads from memory, so that it never sees a path. It quietly shortens what is cut off; the
// lengths in the RIFF header are therefore checked first.
#include "wav.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "file.hpp"

#ifdef NN_HAVE_SNDFILE
#include <sndfile.h>
#endif

namespace nn {

using autograd::Tensor;

#ifdef NN_HAVE_SNDFILE

namespace {

using detail::FileErrors;

struct Memory {
  const std::string& bytes;
  sf_count_t at = 0;
};

sf_count_t length(void* user) {
  return static_cast<sf_count_t>(static_cast<Memory*>(user)->bytes.size());
}
sf_count_t tell(void* user) { return static_cast<Memory*>(user)->at; }
sf_count_t seek(sf_count_t offset, int whence, void* user) {
  Memory& memory = *static_cast<Memory*>(user);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.at : length(user);
  sf_count_t to = 0;
  if (__builtin_add_overflow(base, offset, &to) || to < 0) return -1;
  return memory.at = std::min(to, length(user));
}
sf_count_t read(void* to, sf_count_t count, void* user) {
  Memory& memory = *static_cast<Memory*>(user);
  const sf_count_t n = std::clamp<sf_count_t>(count, 0, length(user) - memory.at);
  std::memcpy(to, memory.bytes.data() + memory.at, static_cast<std::size_t>(n));
  memory.at += n;
  return n;
}
sf_count_t no_write(const void*, sf_count_t, void*) { return 0; }

std::uint64_t number32(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, 4);
  return value;
}

/// Channels and rate, of which libsndfile says "Internal error" when they are 0.
void check_format(const FileErrors& errors, const std::string& bytes, std::size_t at) {
  const std::uint64_t channels = number32(bytes, at) >> 16, rate = number32(bytes, at + 4);
  if (channels >= 1 && rate >= 1 && rate <= 0x7FFFFFFF) return;
  errors.fail("the header is malformed",
              ", " + std::to_string(channels) + " channels at " + std::to_string(rate) + " Hz",
              "one channel or more, 1 to 2147483647 Hz");
}

/// RIFF, WAVE, and chunks that end inside of the file; one byte of padding may be missing.
void check_chunks(const FileErrors& errors, const std::string& bytes) {
  if (bytes.size() < 12 || !bytes.starts_with("RIFF") || bytes.compare(8, 4, "WAVE") != 0) {
    errors.fail("not a WAV file", "", "RIFF and WAVE at the start");
  }
  bool data = false;
  for (std::uint64_t at = 12; at + 8 <= bytes.size();) {
    const std::uint64_t size = number32(bytes, at + 4);
    if (size > bytes.size() - at - 8) {
      errors.fail("the file is cut off",
                  ", a chunk of " + std::to_string(size) + " bytes where " +
                      std::to_string(bytes.size() - at - 8) + " are left",
                  "a complete file");
    }
    if (bytes.compare(at, 4, "fmt ") == 0 && size >= 16) check_format(errors, bytes, at + 8);
    data = data || bytes.compare(at, 4, "data") == 0;
    at += 8 + size + size % 2;
  }
  if (!data) errors.fail("the file is cut off", ", it has no chunk of samples", "a complete file");
}

}  // namespace

Audio read_wav(const std::string& path) {
  const detail::InputFile file("read_wav", path);
  const std::string bytes = detail::read_all(file, std::uint64_t{1} << 32);
  check_chunks(file.errors(), bytes);
  Memory memory{bytes};
  SF_VIRTUAL_IO io{&length, &seek, &read, &no_write, &tell};
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> sound(
      sf_open_virtual(&io, SFM_READ, &info, &memory), &sf_close);
  if (!sound) {
    file.errors().fail("the sound is damaged", std::string(": ") + sf_strerror(nullptr),
                       "an intact WAV file");
  }
  const auto frames = static_cast<std::uint64_t>(std::max<sf_count_t>(info.frames, 0));
  const auto channels = static_cast<std::uint64_t>(std::max(info.channels, 0));
  std::uint64_t total = 0;
  // The densest format that libsndfile knows stores a sample in two bits.
  if (channels == 0 || __builtin_mul_overflow(frames, channels, &total) ||
      total / 4 > bytes.size() || info.samplerate < 1) {
    file.errors().fail("the header lies about sizes",
                       ", " + std::to_string(frames) + " frames of " + std::to_string(channels) +
                           " channels at " + std::to_string(info.samplerate) + " Hz",
                       "what " + std::to_string(bytes.size()) + " bytes can hold");
  }
  std::vector<float> mixed(total);
  if (sf_readf_float(sound.get(), mixed.data(), info.frames) != info.frames) {
    file.errors().fail("the sound is damaged", ", fewer frames than its header says",
                       "an intact WAV file");
  }
  Tensor samples =
      autograd::empty({static_cast<std::int64_t>(channels), static_cast<std::int64_t>(frames)});
  const auto to = samples.mutable_data<float>();
  for (std::uint64_t i = 0; i < total; ++i) to[i % channels * frames + i / channels] = mixed[i];
  return {samples, info.samplerate};
}

#else

Audio read_wav(const std::string& path) {
  detail::throw_io("read_wav", "nn was built without libsndfile", path, "",
                   "libsndfile (package libsndfile1-dev) when nn is built");
}

#endif

void write_wav(const std::string& path, const Audio& audio) {
  const Tensor& x = audio.samples;
  if (x.dim() < 1 || x.dim() > 2 || (x.dim() == 2 && (x.size(0) < 1 || x.size(0) > 1024))) {
    throw autograd::ShapeError("write_wav: not a sound: " + to_string(x.shape()) +
                               "; need [channels, frames] or [frames], 1 to 1024 channels");
  }
  autograd::dispatch_floating("write_wav", x.dtype(), [](auto) {});
  const std::int64_t channels = x.dim() == 2 ? x.size(0) : 1, frames = x.size(-1);
  const std::int64_t bytes = 2 * channels * frames;
  if (audio.sample_rate < 1 || audio.sample_rate > 1'000'000 || bytes > 0xFFFFFF00) {
    throw autograd::ValueError("write_wav: out of range: " + std::to_string(audio.sample_rate) +
                               " Hz, " + std::to_string(bytes) +
                               " bytes; need a rate of 1 to 1,000,000 Hz, less than 4 GiB");
  }
  const auto put = [](std::string& to, std::int64_t value, int count) {
    for (int i = 0; i < count; ++i) to += static_cast<char>(value >> 8 * i & 255);
  };
  std::string out = "RIFF";
  put(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, 1, 2);  // PCM
  put(out, channels, 2);
  put(out, audio.sample_rate, 4);
  put(out, audio.sample_rate * channels * 2, 4);
  put(out, channels * 2, 2);
  put(out, 16, 2);
  out += "data";
  put(out, bytes, 4);
  const Tensor values = autograd::contiguous(autograd::to(autograd::detach(x), autograd::float32));
  const auto from = values.data<float>();
  for (std::int64_t i = 0; i < channels * frames; ++i) {
    const float value = from[static_cast<std::size_t>(i % channels * frames + i / channels)];
    const float scaled = std::isnan(value) ? 0 : std::clamp(value * 32768, -32768.0f, 32767.0f);
    put(out, std::lround(scaled), 2);
  }
  detail::OutputFile file("write_wav", path);
  file.write(out);
  file.commit();
}

}  // namespace nn
