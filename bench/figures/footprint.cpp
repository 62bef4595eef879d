// SPDX-License-Identifier: Apache-2.0
// What using the library costs besides time in it: compiling a page, program size, start-up and
// memory. CMakeLists.txt passes the compiler and the files to look at.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "figures.hpp"

namespace bench {
namespace {

constexpr double kMissing = std::numeric_limits<double>::infinity();  // meets no bound

struct Run {
  double seconds, peak_bytes;
};

/// Runs a program with its output thrown away. The peak is never below this program's own size when
/// it starts the other (Linux counts the moment before exec), so measure before growing.
Run run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const double start = now();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    const int nowhere = open("/dev/null", O_RDWR);
    for (int stream = 0; stream < 3; ++stream) dup2(nowhere, stream);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || status != 0) {
    throw std::runtime_error(command[0] + " failed");
  }
  return {now() - start, static_cast<double>(usage.ru_maxrss) * 1024};
}

double fastest(int times, const std::vector<std::string>& command) {
  double seconds = kMissing;
  for (int i = 0; i < times; ++i) seconds = std::min(seconds, run(command).seconds);
  return seconds;
}

double file_bytes(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  return error ? kMissing : static_cast<double>(bytes);
}

}  // namespace

void footprint_figures(Figures& figures, const std::string& folder) {
  const std::string xor_program = BENCH_XOR, minimal = BENCH_MINIMAL;
  const bool have_xor = !xor_program.empty();
  const Run training =
      have_xor ? run({xor_program, "--output", folder + "/xor.png"}) : Run{kMissing, kMissing};
  const double peak = run({minimal}).peak_bytes;

  const std::string page = folder + "/page.cpp";
  std::ofstream(page) << "#include <autograd/autograd.hpp>\n#include <nn/nn.hpp>\n";
  std::vector<std::string> compile{BENCH_COMPILER, "-std=c++20", "-O2", "-I" BENCH_ROOT, page};
  auto check = compile, object = compile;
  check.push_back("-fsyntax-only");
  object.insert(object.end(), {"-c", "-o", folder + "/page.o"});

  figures.push_back(
      {"compile a page with both headers: -O2 -fsyntax-only", fastest(5, check), "s", 2.5});
  figures.push_back({"the same page: -O2 -c", fastest(5, object), "s", 2.5, "libtorch 15.9"});
  figures.push_back(
      {"`xor`: size of the program", have_xor ? file_bytes(xor_program) / 1e6 : kMissing, "MB", 4});
  figures.push_back({"`xor --help`: start to end",
                     have_xor ? fastest(20, {xor_program, "--help"}) * 1e3 : kMissing, "ms", 5,
                     "libtorch 410"});
  figures.push_back(
      {"`xor`: peak resident memory", training.peak_bytes / 1e6, "MB", 15, "libtorch 167"});
  figures.push_back({"`xor`: start to end, pictures included", training.seconds, "s"});
  figures.push_back({"minimal program: size", file_bytes(minimal) / 1e6, "MB"});
  figures.push_back({"minimal program: start to end", fastest(20, {minimal}) * 1e3, "ms"});
  figures.push_back({"minimal program: peak resident memory", peak / 1e6, "MB"});
  figures.push_back({"`libautograd.a`", file_bytes(BENCH_AUTOGRAD) / 1e6, "MB"});
  figures.push_back({"`libnn.a`", file_bytes(BENCH_NN) / 1e6, "MB"});
}

}  // namespace bench
