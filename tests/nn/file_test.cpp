// SPDX-License-Identifier: Apache-2.0
// Writing a file: the old one or the new one, whatever happens, and no litter.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "files_support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::Folder;
using nn_test::slurp;
using nn_test::spill;
namespace fs = std::filesystem;

TEST(File, WritesAndReplaces) {
  const Folder folder;
  const std::string path = folder / "a";
  nn::write_file(path, "one");
  EXPECT_EQ(slurp(path), "one");
  ::chmod(path.c_str(), 0640);
  nn::write_file(path, std::string(1 << 20, 'x'));
  EXPECT_EQ(nn::read_file(path), std::string(1 << 20, 'x'));
  struct stat status {};
  ::stat(path.c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_THROW(nn::read_file(path, 1000), ag::IoError);
}

TEST(File, WritesThroughLinks) {
  const Folder folder;
  spill(folder / "real", "old");
  fs::create_symlink("real", folder / "link");
  nn::write_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(slurp(folder / "real"), "new");
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THROW(nn::write_file(folder / "loop", "x"), ag::IoError);
}

TEST(File, RefusesWhatIsNoFile) {
  const Folder folder;
  fs::create_directory(folder / "d");
  EXPECT_THROW(nn::write_file(folder / "d", "x"), ag::IoError);
  EXPECT_THROW(nn::write_file("/dev/null", "x"), ag::IoError);
  EXPECT_THROW(nn::write_file("", "x"), ag::IoError);
  expect_message<ag::IoError>("write_file: cannot write: '" + folder / "no/a" +
                                  "': No such file or directory; need a folder that is there and "
                                  "can be written",
                              [&] { nn::write_file(folder / "no/a", "x"); });
  EXPECT_THROW(nn::write_file(folder / std::string(300, 'a'), "x"), ag::IoError);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(File, PathsOfNothing) {
  using namespace std::string_literals;
  const Folder folder;
  const auto refuses = [](const std::string& function, const std::string& of, auto&& f) {
    expect_message<ag::IoError>(function + ": the path is empty: ''; need the name of " + of,
                                [&] { f(""); });
    expect_message<ag::IoError>(function +
                                    ": the path has a zero byte: 'a\\x00b'; need the name of " +
                                    of + ", without zero bytes",
                                [&] { f("a\0b"s); });
  };
  refuses("write_file", "a file", [](const std::string& p) { nn::write_file(p, "x"); });
  refuses("read_file", "a file", [](const std::string& p) { nn::read_file(p); });
  refuses("CsvLog", "a file", [](const std::string& p) { nn::CsvLog(p, {"x"}); });
  refuses("TensorBoardWriter", "a folder", [](const std::string& p) { nn::TensorBoardWriter{p}; });
  refuses("Checkpoints", "a folder", [](const std::string& p) { nn::Checkpoints{p}; });
  EXPECT_FALSE(fs::exists("a"));
  const std::string name(300, 'x');
  expect_message<ag::IoError>("Checkpoints: cannot make the folder: '" + folder / name +
                                  "': File name too long; need a folder that can be written",
                              [&] { nn::Checkpoints(folder / name); });
  expect_message<ag::IoError>(
      "CsvLog: not a regular file: '/dev/full'; need a file, not a folder, pipe or device",
      [] { nn::CsvLog("/dev/full", {"x"}); });
}

TEST(File, AnExceptionWhileWritingLeavesTheOldFile) {
  const Folder folder;
  spill(folder / "a", "old");
  try {
    nn::detail::OutputFile file("f", folder / "a");
    file.write("half");
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(slurp(folder / "a"), "old");
  EXPECT_EQ(folder.files(), 1u);
}

// A limit on the size of files stands in for a full disk: both make write(2) fail in the middle.
TEST(File, DiskFull) {
  const Folder folder;
  spill(folder / "a", "old");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 5000;
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message;
  try {
    nn::write_file(folder / "a", std::string(100000, 'x'));
  } catch (const ag::IoError& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(message,
            "write_file: cannot write: '" + folder / "a" +
                "': File too large; need room for it on the disk; what was there before is "
                "untouched");
  EXPECT_EQ(slurp(folder / "a"), "old");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(File, KilledWhileWriting) {
  const Folder folder;
  const std::string path = folder / "a", first(300000, '1'), second(300000, '2');
  nn::write_file(path, first);
  constexpr int kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      for (;;) {
        nn::write_file(path, second);
        nn::write_file(path, first);
      }
    }
    usleep(static_cast<useconds_t>(1000 + round * 311));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const std::string now = slurp(path);
    EXPECT_TRUE(now == first || now == second) << now.size();
  }
  // A kill between linkat and rename leaves a second file: whole, and rare unless the disk is busy.
  for (const std::string& name : folder.names()) {
    const std::string left = slurp(name);
    EXPECT_TRUE(left == first || left == second) << name << ": " << left.size();
  }
  EXPECT_LT(folder.files(), kRounds / 2u);
}

TEST(File, ManyWritersOfOnePath) {
  const Folder folder;
  std::vector<std::thread> threads;
  for (char c : {'a', 'b', 'c'}) {
    threads.emplace_back([&folder, c] {
      for (int i = 0; i < 20; ++i) nn::write_file(folder / "f", std::string(10000, c));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string now = slurp(folder / "f");
  EXPECT_EQ(now, std::string(10000, now[0]));
  EXPECT_EQ(folder.files(), 1u);
}

TEST(File, QuotedText) {
  using namespace std::string_literals;
  using nn::detail::quote;
  EXPECT_EQ(quote("größe € \U0001F600"), "'größe € \U0001F600'");
  EXPECT_EQ(quote("a\0b\n\t\r\x1b[2J\x7f"s), R"('a\x00b\n\t\r\x1b[2J\x7f')");
  EXPECT_EQ(quote("\xff\xc3z\xe2\x82"), R"('\xff\xc3z\xe2\x82')");
  EXPECT_EQ(quote("\xc2\x9b"), R"('\xc2\x9b')");  // a terminal's ESC [ in one code point
  EXPECT_EQ(quote("\xc2\xa0"), "'\xc2\xa0'");
  EXPECT_EQ(quote("äöü", 3), "'äöü'");
  EXPECT_EQ(quote("äöüß", 3), "'äöü...' (8 bytes)");
  EXPECT_EQ(quote(std::string(5'000'000, '\1')).size(), 4 * 100 + 5 + 16u);
  EXPECT_EQ(nn::detail::escaped(nn::detail::escaped("\x1b\\")), "\\x1b\\");
}

TEST(File, Utf8) {
  using nn::detail::is_utf8;
  for (const char* good :
       {"", "abc", "\u00e4\u20ac\U0001F600", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\xff", "\x80", "\xc0\x80", "\xc3", "\xe2\x82", "\xed\xa0\x80",
                          "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "a\xc3z"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
