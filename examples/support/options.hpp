// SPDX-License-Identifier: Apache-2.0
// Arguments of examples. Those that take no options explain themselves after --help and refuse anything
// else; those that do use CLI11, and the checks here for what its own ones let through.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace support {

/// Returns when there are no arguments; otherwise ends the program, with exit status 0 after --help
/// and 2 after anything else.
inline void takes_no_options(int argc, char** argv, const char* about) {
  if (argc < 2) return;
  const std::string path = argv[0], name = path.substr(path.find_last_of('/') + 1);
  const std::string argument = argv[1];
  if (argument == "--help" || argument == "-h") {
    std::printf("%s\nusage: %s     (no options)\n", about, name.c_str());
    std::exit(0);
  }
  std::fprintf(stderr, "%s: unknown argument: %s; need none\n", name.c_str(), argument.c_str());
  std::exit(2);
}

/// Whether all of `text` is a number that T holds; NaN and infinities are.
template <class T> bool read_number(const std::string& text, T& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

/// For CLI11's check(): what is wrong with a number that has to be greater than 0, or nothing.
inline std::string check_positive(const std::string& text) {
  double number = 0;
  if (read_number(text, number) && number > 0 && std::isfinite(number)) return "";
  return text + " given; need a finite number greater than 0";
}

/// The same for a seed. CLI11 would take -1 for 2^64 - 1.
inline std::string check_seed(const std::string& text) {
  std::uint64_t number = 0;
  if (read_number(text, number)) return "";
  return text + " given; need a whole number from 0 to 18446744073709551615";
}

/// Throws std::runtime_error unless a file of this name can be written; makes none, not even for a moment.
inline void require_writable(const std::string& path) {
  const std::filesystem::path file = path, folder = file.parent_path();
  errno = ENOENT;  // of a name that is empty
  const bool fine =
      std::filesystem::exists(std::filesystem::symlink_status(file))
          ? std::ofstream(file, std::ios::app).good()
          : !path.empty() && access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0;
  if (!fine) throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
}

}  // namespace support
