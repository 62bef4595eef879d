// SPDX-License-Identifier: Apache-2.0
// What training programs share: their flags, training or predicting as these say, being interrupted (exit
// status 130, after SIGTERM 143), and counting right answers. A program's Options are a Training and a member `predict`, of
// whatever it predicts from.
#pragma once

#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "command_line.hpp"
#include "run_file.hpp"

namespace support {

/// The flags' values; what they hold before add_flags() are the defaults.
struct Training {
  std::string program, data, save, checkpoint;
  std::int64_t epochs = 1, batch = 1;
  double lr = 1e-3;
  std::uint64_t seed = 1;
  int threads = autograd::num_threads();
  bool resume = false;
};

/// What help says of the flags that differ. Where a text is empty there is no such flag.
struct FlagTexts {
  std::string data = "", predict = "", epochs = "over the training set";
  bool checkpoint = false;  ///< whether there are --checkpoint and --resume
};

/// --data, --predict, --save, ...; the file names are those of the program.
template <class Options> void add_flags(CLI::App& app, Options& options, const FlagTexts& texts) {
  options.program = app.get_name();
  options.save = options.program + ".safetensors";
  options.checkpoint = options.program + ".checkpoint";
  if (!texts.data.empty()) app.add_option("--data", options.data, texts.data);
  app.add_option("--predict", options.predict, texts.predict + ": no training");
  app.option_defaults()->always_capture_default();
  app.add_option("--save", options.save, "weights: written by training, read by --predict");
  if (texts.checkpoint) {
    app.add_option("--checkpoint", options.checkpoint,
                   "all that training needs to go on; written now and then");
    app.add_flag("--resume", options.resume, "go on from the checkpoint");
  }
  if (!texts.epochs.empty()) {
    app.add_option("--epochs", options.epochs, texts.epochs)->check(CLI::Range(1, 1000000));
  }
  app.add_option("--batch", options.batch, "samples a step")->check(CLI::Range(1, 1000000));
  app.add_option("--lr", options.lr, "largest learning rate")->check(check_positive);
  app.add_option("--seed", options.seed, "of all that is random")->check(check_seed);
  app.add_option("--threads", options.threads, "at most")->check(CLI::Range(1, 1024));
}

/// Throws where the weights would take the place of the checkpoint.
inline void require_other_file(const std::string& save, const std::string& checkpoint) {
  const auto place = [](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path));
  };
  if (place(save) != place(checkpoint)) return;
  throw CLI::ValidationError("--save and --checkpoint are one file: '" + save + "'; need two");
}

/// train(options) or predict(options), as the flags say; each returns an exit status.
template <class Options>
int run(CLI::App& app, int argc, char** argv, const Options& options, int (*train)(const Options&),
        int (*predict)(const Options&)) {
  return run(app, argc, argv, [&] {
    const bool needs_data = app.get_option_no_throw("--data") != nullptr;
    if (needs_data && options.data.empty() == options.predict.empty()) {
      throw CLI::ValidationError("either --data or --predict is needed");
    }
    if (options.predict.empty()) {
      require_writable(options.save);
      if (app.get_option_no_throw("--checkpoint") != nullptr) {
        require_writable(options.checkpoint);
        require_other_file(options.save, options.checkpoint);
      }
    }
    autograd::set_num_threads(options.threads);
    return options.predict.empty() ? train(options) : predict(options);
  });
}

/// Saves what an interrupted run needs and says how to go on. Returns the exit status.
inline int interrupted(const Training& options, const nn::InterruptGuard& guard,
                       const RunFile& file) {
  file.save();
  std::fprintf(stderr, "%s: interrupted; the same command with --resume goes on\n",
               options.program.c_str());
  return 128 + guard.signal();
}
/// The same of a program without checkpoints.
inline int interrupted(const Training& options, const nn::InterruptGuard& guard) {
  std::fprintf(stderr, "%s: interrupted; no weights were saved\n", options.program.c_str());
  return 128 + guard.signal();
}

/// "6 epochs in 31.4 s, 90 steps/s" since `begin`, or that a resumed run had no steps left.
inline std::string pace(std::int64_t count, const char* unit, std::int64_t steps, double begin,
                        int decimals) {
  if (steps == 0) return "nothing was left to do: the checkpoint is that of the end";
  std::array<char, 128> line;
  const double seconds = nn::steady_seconds() - begin;
  std::snprintf(line.data(), line.size(), "%lld %s in %.1f s, %.*f steps/s",
                static_cast<long long>(count), unit, seconds, decimals,
                static_cast<double>(steps) / seconds);
  return line.data();
}

/// The share of samples {x, label} that the model has right; leaves it in evaluation mode.
inline double accuracy(nn::Sequential& model, const nn::TensorDataset& samples) {
  model.eval();
  nn::Accuracy right;
  for (const nn::Batch& batch : nn::DataLoader(samples, {.batch_size = 500})) {
    right.update(model(batch[0]), batch[1]);
  }
  return right.value();
}

}  // namespace support
