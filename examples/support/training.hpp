// SPDX-License-Identifier: Apache-2.0
// The flags that training programs share, and their frame: parse, train or predict, and say what went wrong.
// Exit status: 0, 1 for an error, 2 for bad flags, 130 after an interrupt.
#pragma once

#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#include "options.hpp"
#include "run_file.hpp"

namespace support {

struct Training {
  std::string data, save, checkpoint, predict;
  std::int64_t batch = 1;
  double lr = 1e-3;
  std::uint64_t seed = 1;
  int threads = autograd::num_threads();
  bool resume = false;
};

/// --data, --predict, --save, ...; the defaults are what `options` holds, the file names those of the program.
inline void add_flags(CLI::App& app, Training& options, const std::string& data,
                      const std::string& predict) {
  app.option_defaults()->always_capture_default();
  options.save = app.get_name() + ".safetensors";
  options.checkpoint = app.get_name() + ".checkpoint";
  app.add_option("--data", options.data, data);
  app.add_option("--predict", options.predict, predict + ": no training");
  app.add_option("--save", options.save, "weights: written by training, read by --predict");
  app.add_option("--checkpoint", options.checkpoint,
                 "all that training needs to go on; written now and then");
  app.add_flag("--resume", options.resume, "go on from the checkpoint");
  app.add_option("--batch", options.batch, "samples a step")->check(CLI::Range(1, 100000));
  app.add_option("--lr", options.lr, "largest learning rate")->check(check_positive);
  app.add_option("--seed", options.seed, "of all that is random")->check(check_seed);
  app.add_option("--threads", options.threads, "at most")->check(CLI::Range(1, 1024));
}

/// train() or predict(), as the flags say.
template <class Train, class Predict>
int run(CLI::App& app, int argc, char** argv, const Training& options, Train&& train,
        Predict&& predict) {
  try {
    app.parse(argc, argv);
    if (options.data.empty() == options.predict.empty()) {
      throw CLI::ValidationError("either --data or --predict is needed");
    }
    if (options.predict.empty()) require_writable(options.save);
    autograd::set_num_threads(options.threads);
    return options.predict.empty() ? train() : predict();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 1;
  }
}

/// Saves what an interrupted run needs and says how to go on. Returns the exit status.
inline int interrupted(const CLI::App& app, const RunFile& file) {
  file.save();
  std::fprintf(stderr, "%s: interrupted; the same command with --resume goes on\n",
               app.get_name().c_str());
  return 130;
}

}  // namespace support
