// SPDX-License-Identifier: Apache-2.0
// Recognizes spoken digits: log-mel spectrograms and a small convolutional network, 98 % right.
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "support/training.hpp"

namespace ag = autograd;
namespace fs = std::filesystem;

constexpr std::int64_t kRate = 8000, kBands = 40, kDigits = 10;
// Frames of 16 ms: of 3,000 recordings 99 in 100 are shorter than these 1.02 s. Longer ones lose both ends.
constexpr std::int64_t kHop = 128, kFrames = 64;
constexpr double kDecibel = 80;  // what lies further below the loudest frame counts as silence

struct Options : support::Training {
  std::vector<std::string> predict;
  bool validate = false;
  Options() { epochs = 14, batch = 32, lr = 5e-3; }
};

/// Log-mel spectrogram [1, bands, frames]: 1 for the loudest place, whatever the microphone, 0 for silence.
static ag::Tensor features(const std::string& path) {
  static const nn::MelSpectrogram mel(
      {.sample_rate = kRate, .n_fft = 256, .hop_length = kHop, .n_mels = kBands});
  const nn::Audio audio = nn::read_wav(path);
  if (audio.sample_rate != kRate) {
    throw ag::IoError("sample rate of '" + path + "' is " + std::to_string(audio.sample_rate) +
                      "; need " + std::to_string(kRate) + " (sox in.wav -r 8000 out.wav converts)");
  }
  const ag::Tensor level = nn::power_to_decibel(mel(ag::mean(audio.samples, {0})),
                                                {.top = kDecibel});  // [bands, frames]
  const ag::Tensor x = (level - ag::amax(level)) / kDecibel + 1.0;
  const std::int64_t missing = kFrames - x.size(1), left = missing / 2;
  return ag::reshape(ag::pad(x, {left, missing - left}), {1, kBands, kFrames});  // < 0 cuts
}

/// Recordings {digit}_{speaker}_{index}.wav with first <= index <= last, as spectrograms and digits.
static nn::TensorDataset read_set(const Options& options, int first, int last) {
  const fs::path folder = fs::path(options.data) / "recordings";
  if (!fs::is_directory(folder)) {
    throw ag::IoError("no folder '" + folder.string() + "'; see --help for the data");
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".wav") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());  // folders have no order of their own
  std::vector<nn::Sample> samples;
  for (const std::string& name : names) {
    int index = -1;
    const bool plain = name[0] >= '0' && name[0] <= '9' &&
                       support::read_number(name.substr(name.find_last_of('_') + 1), index);
    if (!plain || index < first || index > last) continue;
    samples.push_back({features((folder / (name + ".wav")).string()),
                       ag::tensor(static_cast<double>(name[0] - '0'), ag::int64)});
  }
  if (samples.empty()) {
    throw ag::IoError("no recordings in '" + folder.string() +
                      "'; need files such as 7_jackson_0.wav and 7_jackson_5.wav");
  }
  return nn::TensorDataset(nn::stack_samples(samples));
}

/// Each block halves bands and frames; pooled first, normalization and ReLU have a quarter to do. In the
/// end the mean is over time alone: when something sounds does not matter, at which pitch does. (Of the
/// hold-out, means over both got 81 % right after 10 epochs, these 97 % after 8.)
static nn::Sequential make_model(ag::Generator& generator) {
  nn::Sequential model;
  std::int64_t in = 1;
  for (const std::int64_t out : {16, 32, 64}) {
    model.append(nn::Conv2d(in, out, 3, generator, {.padding = 1, .bias = false}));
    model.append(nn::MaxPool2d(2));
    model.append(nn::BatchNorm2d(out));
    model.append(nn::ReLU());
    in = out;
  }
  model.append(nn::AdaptiveAvgPool2d({kBands / 8, 1}));
  model.append(nn::Flatten());
  model.append(nn::Dropout(0.2, generator));
  model.append(nn::Linear(in * kBands / 8, kDigits, generator));
  return model;
}

/// The same words from other mouths: later and earlier, higher and lower, and with gaps.
static nn::Batch vary(nn::Batch batch, ag::Generator& generator) {
  batch[0] = nn::random_shift(batch[0], 2, generator);
  batch[0] = nn::mask_spectrogram(
      batch[0], {.frequency_masks = 1, .frequency_width = 8, .time_masks = 2, .time_width = 8},
      generator);
  return batch;
}

static int train(const Options& options) {
  const double begin = nn::steady_seconds();
  // The standard split: index 0 to 4 is the test set. Options were chosen by recordings 5 to 9.
  const nn::TensorDataset held =
      read_set(options, options.validate ? 5 : 0, options.validate ? 9 : 4);
  const nn::TensorDataset set = read_set(options, options.validate ? 10 : 5, 1000000);
  ag::Generator generator(options.seed);
  nn::Sequential model = make_model(generator);
  nn::DataLoader loader(set, {.batch_size = options.batch,
                              .shuffle = true,
                              .workers = 1,
                              .seed = options.seed,
                              .transform = vary});
  nn::AdamW optimizer(model.parameters(), {.lr = options.lr});
  nn::OneCycleLR schedule(optimizer, {.max_lr = options.lr,
                                      .total_steps = options.epochs * loader.size() + 1,
                                      .cycle_momentum = false});
  nn::Trainer trainer(optimizer, {.schedule = &schedule});
  nn::Accuracy seen;  // on varied recordings, for the bar
  const auto loss = [&](const nn::Batch& batch) {
    const ag::Tensor scores = model(batch[0]);
    if (trainer.batch() == 0) seen.reset();
    seen.update(scores, batch[1]);
    trainer.show({{"accuracy", seen.value()}});
    return nn::cross_entropy_loss(scores, batch[1], {.label_smoothing = 0.1});
  };
  const nn::InterruptGuard interrupt;
  const auto stop = [&] { return interrupt.requested(); };
  if (!nn::fit(trainer, loader, loss, {.epochs = options.epochs, .interrupted = stop})) {
    return support::interrupted(options, interrupt);
  }
  const std::string pace = support::pace(options.epochs, "epochs", trainer.updates(), begin, 0);
  nn::save_safetensors(options.save, model.state_dict());
  std::printf("%s, training loss %.4f; weights: %s\n", pace.c_str(),
              trainer.history().column("loss").back(), options.save.c_str());
  std::printf("%s accuracy %.2f %%\n", options.validate ? "validation" : "test",
              100 * support::accuracy(model, held));
  return 0;
}

static int predict(const Options& options) {
  ag::Generator generator(options.seed);
  nn::Sequential model = make_model(generator);
  model.load_state_dict(nn::load_safetensors(options.save));
  model.eval();
  for (const std::string& path : options.predict) {
    const ag::Tensor share =
        ag::softmax(model(ag::reshape(features(path), {1, 1, kBands, kFrames})), 1);
    const int digit = int(ag::argmax(share).item());
    std::printf("%s: %d (%.1f %%)\n", path.c_str(), digit, 100 * share.at({0, digit}));
  }
  return 0;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Recognizes spoken digits.\n\n"
      "Data: the Free Spoken Digit Dataset, "
      "https://github.com/Jakobovski/free-spoken-digit-dataset:\n"
      "its folder recordings/ goes into FOLDER, so that there is "
      "FOLDER/recordings/7_jackson_0.wav:\n"
      "--data FOLDER",
      "spoken_digits");
  support::add_flags(app, options, {.data = "folder of recordings/", .predict = "WAV files"});
  app.add_flag("--validate", options.validate, "recordings 5 to 9 in place of the test set");
  return support::run(app, argc, argv, options, train, predict);
}
