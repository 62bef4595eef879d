// SPDX-License-Identifier: Apache-2.0
// set_memory_limit: a tape that passes it throws, names the limit, and is usable afterwards; and the
// resident size of the process over long runs. HARD_CASES rows 54 and 73.
#include <gtest/gtest.h>
#include <unistd.h>
#include <autograd/autograd.hpp>

#include <fstream>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;

class MemoryLimit : public testing::Test {
 protected:
  void TearDown() override { set_memory_limit(~std::size_t{0}); }
  // Lets the library grow by some more bytes.
  static std::size_t allow(std::size_t bytes) {
    empty_cache();
    const MemoryStats stats = memory_stats();
    const std::size_t limit = stats.current_bytes + stats.cached_bytes + bytes;
    set_memory_limit(limit);
    return limit;
  }
};

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST_F(MemoryLimit, ScalarsThatPassItThrowAndTheTapeGoesOn) {
  Tape tape;
  const Var x = tape.input(1.0);
  const Tape::Mark mark = tape.mark();
  const std::string limit = std::to_string(allow(4 * kMiB));
  Var y = x;
  long recorded = 0;
  const std::string message = message_of<Error>([&] {
    for (; recorded < 10000000; ++recorded) y = y * x;
  });
  EXPECT_NE(message.find("need at most the limit of " + limit + " bytes"), std::string::npos)
      << message;
  EXPECT_NE(message.find("set_memory_limit"), std::string::npos) << message;
  EXPECT_GT(recorded, 3 * static_cast<long>(kMiB) / 25);
  EXPECT_EQ(tape.size(), static_cast<std::size_t>(recorded) + 1);  // and no half of a statement
  // There is no room for the adjoints either: the recording stays, and can be swept in smaller parts.
  EXPECT_THROW(tape.backward(y), Error);
  EXPECT_EQ(tape.size(), static_cast<std::size_t>(recorded) + 1);
  tape.rewind(mark);
  tape.backward(x * x * x);
  EXPECT_EQ(x.grad(), 3);
  set_memory_limit(~std::size_t{0});
  y = x;
  for (long i = 0; i < recorded + 100000; ++i) y = y * x;
  tape.backward(y);
  EXPECT_EQ(x.grad(), static_cast<double>(recorded) + 100000 + 4);
}

TEST_F(MemoryLimit, TensorsThatPassItThrowAndTheTapeGoesOn) {
  Tape tape;
  const Tensor x = tape.input(full({1000}, 2.0, float64));
  const Tape::Mark mark = tape.mark();
  allow(4 * kMiB);
  Tensor y = x;
  const std::string message = message_of<Error>([&] {
    for (int i = 0; i < 100000; ++i) y = y * x;
  });
  EXPECT_NE(message.find("set_memory_limit"), std::string::npos) << message;
  y = Tensor();
  tape.rewind(mark);
  tape.backward(sum(x * x));
  EXPECT_EQ(x.grad().at({999}), 4);
}

TEST_F(MemoryLimit, NoRoomForATape) {
  allow(0);
  std::vector<std::unique_ptr<Tape>> tapes;
  EXPECT_THROW(
      {
        for (int i = 0; i < 1000; ++i) tapes.push_back(std::make_unique<Tape>());
      },
      Error);
  while (!tapes.empty()) tapes.pop_back();
  set_memory_limit(~std::size_t{0});
  Tape tape;
  const Var x = tape.input(3.0);
  tape.backward(x * x);
  EXPECT_EQ(x.grad(), 6);
}

// --- Resident size.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;  // allocators that keep what is freed
#else
constexpr bool kInstrumented = false;
#endif

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

void a_hundred_thousand_tapes() {
  for (int i = 0; i < 100000; ++i) {
    Tape tape;
    const Var x = tape.input(2.0);
    const Tensor w = tape.input(ones({3}));
    tape.backward(sin(x) * x + unstack(sum(w * w) * ones({1}))[0]);
  }
}

void ten_million_statements_term_by_term() {
  Tape tape;
  const Var x = tape.input(1e-3);
  const Tape::Mark mark = tape.mark();
  for (int term = 0; term < 10000; ++term) {
    Var y = x;
    for (int i = 0; i < 1000; ++i) y = y + x * y;
    tape.backward_to(y, mark);
  }
}

void ten_million_statements_on_tapes() {
  for (int i = 0; i < 10; ++i) {
    Tape tape;
    const Var x = tape.input(1e-9);
    Var y = x;
    for (int k = 0; k < 1000000; ++k) y = y + x;
    tape.backward(y);
  }
}

void flat(void (*work)()) {
  if (kInstrumented) GTEST_SKIP() << "the resident size says nothing under a sanitizer";
  work();
  const double before = resident_mb();
  work();
  EXPECT_LT(resident_mb(), before + 2);
}

TEST(ResidentSize, AHundredThousandTapes) { flat(a_hundred_thousand_tapes); }
TEST(ResidentSize, TenMillionStatementsTermByTerm) { flat(ten_million_statements_term_by_term); }
TEST(ResidentSize, TenMillionStatementsOnTapes) { flat(ten_million_statements_on_tapes); }

}  // namespace
}  // namespace autograd
