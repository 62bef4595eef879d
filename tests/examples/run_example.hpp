// SPDX-License-Identifier: Apache-2.0
// Runs the example programs as a user would. They are looked for in AUTOGRAD_EXAMPLES_DIR, the folder
// that examples/CMakeLists.txt builds into; each test works in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace examples_test {

namespace fs = std::filesystem;

struct Ran {
  int status = -1;  // 128 + signal when killed
  std::string out, err;
  double seconds = 0;
};

inline std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

class Examples : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "autograd_examples_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// The program and its options, under the shell, to the end.
  Ran run(const std::string& command) const {
    const std::string line = "cd '" + folder_.string() + "' && '" AUTOGRAD_EXAMPLES_DIR "/'" +
                             command + " 2>stderr.txt </dev/null";
    const auto begin = std::chrono::steady_clock::now();
    Ran ran;
    std::FILE* pipe = popen(line.c_str(), "r");
    if (!pipe) return ran;
    std::array<char, 4096> buffer;
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      ran.out.append(buffer.data(), n);
    }
    const int status = pclose(pipe);
    ran.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ran.err = contents(folder_ / "stderr.txt");
    return ran;
  }

  /// Bad options: exit status 2, nothing on standard output, one line that contains all of `parts`.
  void refuses(const std::string& command, const std::vector<std::string>& parts) const {
    const Ran ran = run(command);
    EXPECT_EQ(ran.status, 2) << command << "\n" << ran.out << ran.err;
    EXPECT_EQ(ran.out, "") << command;
    EXPECT_EQ(lines(ran.err).size(), 1u) << ran.err;
    for (const std::string& part : parts)
      EXPECT_TRUE(contains(ran.err, part)) << command << "\n" << ran.err;
  }

  /// Exit status 1, no result, one line of complaint: the program's name, a colon, and `part` somewhere.
  void fails(const std::string& command, const std::string& part) const {
    const Ran ran = run(command);
    EXPECT_EQ(ran.status, 1) << command << "\n" << ran.out;
    EXPECT_FALSE(contains(ran.out, "accuracy")) << ran.out;
    EXPECT_EQ(lines(ran.err).size(), 1u) << ran.err;
    EXPECT_TRUE(ran.err.starts_with(name_of(command) + ": ")) << ran.err;
    EXPECT_TRUE(contains(ran.err, part)) << command << "\n" << ran.err;
  }
  /// Interrupts training once there is a checkpoint, and resumes: the weights are those of a whole run.
  void resumes(const std::string& command) const {
    ASSERT_EQ(run(command + " --save whole --checkpoint whole.state").status, 0);
    const std::string options = " --save cut --checkpoint cut.state";
    EXPECT_EQ(interrupted(command + options, folder_ / "cut.state"), 130);
    const std::string complaint = contents(folder_ / "cut.txt");
    EXPECT_TRUE(contains(complaint, name_of(command) + ": interrupted; ")) << complaint;
    EXPECT_FALSE(fs::exists(folder_ / "cut"));
    const Ran resumed = run(command + options + " --resume");
    ASSERT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_TRUE(contents(folder_ / "cut") == contents(folder_ / "whole"));
    EXPECT_FALSE(contains(resumed.out, "nothing was left to do")) << resumed.out;
    const Ran again = run(command + options + " --resume");
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_TRUE(contains(again.out, "nothing was left to do: the checkpoint is that of the end"))
        << again.out;
    EXPECT_TRUE(contents(folder_ / "cut") == contents(folder_ / "whole"));
    fails(name_of(command) + " --data nowhere --checkpoint nodir/state",
          "cannot write nodir/state: ");
  }

  /// `command` in a process of its own; what it says to standard error is in cut.txt.
  pid_t start(const std::string& command) const {
    const std::string line =
        "exec '" AUTOGRAD_EXAMPLES_DIR "/'" + command + " >/dev/null 2>cut.txt";
    const pid_t child = fork();
    if (child == 0) {
      if (chdir(folder_.c_str()) == 0) execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      _exit(127);
    }
    if (child < 0) throw std::runtime_error("fork");  // -1 would be everybody's for kill()
    return child;
  }
  static void wait_for(const fs::path& file) {
    for (int i = 0; i < 20000 && !fs::exists(file); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
  }

  fs::path folder_;

  /// The exit status after SIGINT, which is sent as soon as `file` is there; standard error in cut.txt.
  int interrupted(const std::string& command, const fs::path& file) const {
    const pid_t child = start(command);
    wait_for(file);
    return stopped(child, SIGINT);
  }
  /// Waits until the program handles SIGINT by itself (proc(5): the mask of caught signals).
  static void wait_for_handler(pid_t child) {
    for (int i = 0; i < 20000; ++i) {
      for (const std::string& line :
           lines(contents("/proc/" + std::to_string(child) + "/status"))) {
        constexpr unsigned long long both = 1ull << (SIGINT - 1) | 1ull << (SIGTERM - 1);
        if (line.starts_with("SigCgt:") &&
            (std::stoull(line.substr(7), nullptr, 16) & both) == both)
          return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
  }
  /// The exit status after that signal.
  static int stopped(pid_t child, int signal) {
    kill(child, signal);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
  }

 private:
  static std::string name_of(const std::string& command) {
    return command.substr(0, command.find(' '));
  }
};

/// The examples that CLI11 parses the options of.
class WithOptions : public Examples {
 protected:
  void SetUp() override {
#if !__has_include(<CLI/CLI.hpp>)
    GTEST_SKIP() << "CLI11 is not installed";
#endif
    Examples::SetUp();
  }
};

}  // namespace examples_test
