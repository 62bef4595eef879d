// SPDX-License-Identifier: Apache-2.0
// The frame of a program with flags: parse them, do the work, and say what went wrong.
// Exit status: what the work returns, 1 for an error (output that cannot be written is one), 2 for bad
// flags.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>

#include "options.hpp"

namespace support {

/// work() with the flags parsed. It may throw CLI::ValidationError for flags that do not go together.
template <class Work> int run(CLI::App& app, int argc, char** argv, Work&& work) {
  try {
    app.parse(argc, argv);
    const int status = work();
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
      throw std::runtime_error("cannot write to standard output");
    }
    return status;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 1;
  }
}

}  // namespace support
