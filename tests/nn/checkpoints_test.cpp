// SPDX-License-Identifier: Apache-2.0
// Checkpoints and interrupts; event files and CSV logs.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "files_support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::Folder;
using nn_test::slurp;
using nn_test::spill;

nn::StateDict state(double value) {
  nn::StateDict all;
  all.insert("model.weight", ag::full({2, 3}, value));
  all.insert("optimizer.steps", ag::full({}, value, ag::int64));
  return all;
}

bool has_json() {
  try {
    nn::load_safetensors(nn_test::golden("linear.safetensors"));
    return true;
  } catch (const ag::IoError&) {
    return false;
  }
}

TEST(Checkpoints, KeepsTheLast) {
  if (!has_json()) GTEST_SKIP() << "nn was built without JSON";
  const Folder folder;
  nn::Checkpoints checkpoints(folder / "a/b", {.keep = 2});
  EXPECT_FALSE(checkpoints.load_latest());
  spill(folder / "a/b/notes.txt", "mine");
  spill(folder / "a/b/checkpoint-1.safetensors", "not of this run");
  for (std::int64_t step = 10; step <= 50; step += 10) {
    checkpoints.save(step, state(static_cast<double>(step)),
                     {{"epoch", std::to_string(step / 10)}});
  }
  EXPECT_EQ(checkpoints.steps(), (std::vector<std::int64_t>{40, 50}));
  EXPECT_EQ(slurp(folder / "a/b/notes.txt"), "mine");
  const auto latest = checkpoints.load_latest();
  EXPECT_EQ(latest->step, 50);
  EXPECT_EQ(latest->words.at("epoch"), "5");
  EXPECT_EQ(latest->state.at("optimizer.steps").item(), 50);
  checkpoints.save(45, state(45));
  EXPECT_EQ(checkpoints.steps(), (std::vector<std::int64_t>{40, 45, 50}));
  EXPECT_EQ(checkpoints.load(40).state.at("model.weight").at({1, 2}), 40);
  EXPECT_THROW(checkpoints.load(41), ag::IoError);
  spill(checkpoints.path(50), slurp(checkpoints.path(50)).substr(0, 100));
  EXPECT_THROW(checkpoints.load_latest(), ag::IoError);
  nn::Checkpoints all(folder / "c", {.keep = 0});
  for (std::int64_t step = 0; step < 5; ++step) all.save(step, state(0));
  EXPECT_EQ(all.steps().size(), 5u);
}

TEST(Checkpoints, Refuses) {
  const Folder folder;
  spill(folder / "file", "x");
  EXPECT_THROW(nn::Checkpoints(folder / "file"), ag::IoError);
  expect_message<ag::ValueError>("Checkpoints: keep out of range: -1; need keep >= 0",
                                 [&] { nn::Checkpoints(folder / "a", {.keep = -1}); });
  expect_message<ag::ValueError>("Checkpoints: step out of range: -1; need 0 <= step < 10^12",
                                 [&] { nn::Checkpoints(folder / "a").save(-1, {}); });
}

TEST(Interrupt, FirstAsksSecondEnds) {
  const pid_t child = fork();
  if (child == 0) {
    {
      nn::InterruptGuard guard;
      const nn::InterruptGuard inner;
      if (guard.requested()) _exit(1);
      raise(SIGINT);
      if (!guard.requested() || !inner.requested() || inner.signal() != SIGINT) _exit(2);
    }
    {
      nn::InterruptGuard guard;
      if (guard.requested()) _exit(3);
      raise(SIGTERM);
      if (!guard.requested() || guard.signal() != SIGTERM) _exit(4);
      raise(SIGTERM);  // ends the program
    }
    _exit(5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << WEXITSTATUS(status);
}

TEST(TensorBoard, Crc32c) {
  using nn::detail::crc32c;
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
}

TEST(TensorBoard, Records) {
  const Folder folder;
  nn::TensorBoardWriter writer(folder / "runs");
  writer.add_scalar("loss", 1.5, 300);
  const std::string bytes = slurp(writer.path());
  std::vector<std::string> records;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, 8);
    ASSERT_LE(at + 16 + length, bytes.size());
    records.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(bytes.substr(at, 16 + length), nn::detail::framed_record(records.back()));
    at += 16 + length;
  }
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].substr(9),
            "\x1a\x0d"
            "brain.Event:2");
  // step 300, a summary of 13 bytes, a value of 11: tag of 4, float 1.5
  EXPECT_EQ(records[1].substr(9),
            std::string("\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\xc0\x3f", 18));
  EXPECT_THROW(writer.add_scalar("", 1, 1), ag::ValueError);
  EXPECT_THROW(writer.add_scalar("\xff", 1, 1), ag::ValueError);
  spill(folder / "file", "x");
  EXPECT_THROW(nn::TensorBoardWriter(folder / "file"), ag::IoError);
}

TEST(CsvLog, GoesOn) {
  const Folder folder;
  const std::string path = folder / "log.csv";
  nn::CsvLog(path, {"step", "a,\"b\""}).write({1, 0.1});
  nn::CsvLog again(path, {"step", "a,\"b\""});
  again.write({2, NAN});
  EXPECT_EQ(slurp(path), "step,\"a,\"\"b\"\"\"\n1,0.1\n2,nan\n");
  EXPECT_EQ(nn::read_csv(path).numbers({"a,\"b\""}, ag::float64).at({0, 0}), 0.1);
  spill(path, slurp(path) + "3,");  // cut off by a kill
  nn::CsvLog(path, {"step", "a,\"b\""}).write({3, 0.5});
  EXPECT_EQ(slurp(path), "step,\"a,\"\"b\"\"\"\n1,0.1\n2,nan\n3,0.5\n");
  spill(folder / "cut.csv", "ste");
  nn::CsvLog(folder / "cut.csv", {"step"}).write({1});
  EXPECT_EQ(slurp(folder / "cut.csv"), "step\n1\n");
  const std::string zeros(10000, '0');  // longer than what is read at once
  spill(folder / "long.csv", "step\n7\n" + zeros);
  nn::CsvLog(folder / "long.csv", {"step"}).write({8});
  EXPECT_EQ(slurp(folder / "long.csv"), "step\n7\n8\n");
  expect_message<ag::ValueError>("CsvLog.write: number of values: 1; need one for each column (2)",
                                 [&] { again.write({1}); });
  expect_message<ag::IoError>("CsvLog: the file has other columns: '" + path +
                                  "'; need the columns it began with, or another path",
                              [&] { nn::CsvLog(path, {"x"}); });
  EXPECT_THROW(nn::CsvLog(folder / "no/log.csv", {"x"}), ag::IoError);
}

}  // namespace
