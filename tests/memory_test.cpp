// SPDX-License-Identifier: Apache-2.0
// Pools and reference counts: statistics, hostile sizes, flat memory, and handles that travel between
// threads in every order (which the tsan preset repeats). Each test ends with the bytes it began with.
#include <gtest/gtest.h>
#include <autograd/create.hpp>
#include <autograd/memory.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace autograd {
namespace {

std::size_t current() { return memory_stats().current_bytes; }

class Memory : public testing::Test {
 protected:
  void TearDown() override {
    set_memory_limit(std::numeric_limits<std::size_t>::max());
    EXPECT_EQ(current(), before_);
  }
  const std::size_t before_ = current();
};

void in_thread(const std::function<void()>& f) { std::thread(f).join(); }

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(Memory, BlocksAreAlignedDistinctAndReused) {
  const std::size_t sizes[] = {1, 63, 64, 65, 1024, 1025, 1280, 4096, 5000, 40000, 1 << 20};
  for (std::size_t bytes : sizes) {
    void* a = detail::allocate(bytes);
    void* b = detail::allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a) % 64, 0u);
    std::memset(a, 1, bytes);
    std::memset(b, 2, bytes);
    EXPECT_EQ(static_cast<char*>(a)[bytes - 1], 1);
    detail::deallocate(a, bytes);
    EXPECT_EQ(detail::allocate(bytes), a) << "last in, first out, for " << bytes;
    detail::deallocate(a, bytes);
    detail::deallocate(b, bytes);
  }
  detail::deallocate(detail::allocate(0), 0);
  detail::deallocate(nullptr, 10);
}

TEST_F(Memory, StatisticsCountWholeBlocks) {
  const MemoryStats start = memory_stats();
  {
    Tensor large = empty({1 << 20});
    const MemoryStats held = memory_stats();
    EXPECT_GE(held.current_bytes, start.current_bytes + (4u << 20));
    EXPECT_LE(held.current_bytes, start.current_bytes + (6u << 20));
    EXPECT_GE(held.peak_bytes, held.current_bytes);
  }
  const MemoryStats end = memory_stats();
  EXPECT_EQ(end.current_bytes, start.current_bytes);
  EXPECT_GE(end.cached_bytes, 4u << 20);
  EXPECT_GE(end.peak_bytes, 4u << 20);
}

TEST_F(Memory, FlatOverAMillionTensors) {
  auto round = [](int n) {
    Tensor chain = zeros({4});
    for (int i = 0; i < n; ++i) {
      Tensor next = empty(chain.shape()), larger = empty({16 + i % 100});
      chain = next;
    }
  };
  round(1000);
  const MemoryStats warm = memory_stats();
  round(500'000);
  EXPECT_EQ(memory_stats().system_allocations, warm.system_allocations);
  EXPECT_EQ(memory_stats().current_bytes, warm.current_bytes);
}

TEST_F(Memory, ManyLiveNodesComeBackFromTheCentralList) {
  auto round = [] {
    std::vector<Tensor> live;
    for (int i = 0; i < 20'000; ++i) live.push_back(full({4}, i));
    for (int i = 0; i < 20'000; i += 999) EXPECT_EQ(live[static_cast<std::size_t>(i)].at({3}), i);
  };
  round();
  const std::uint64_t warm = memory_stats().system_allocations;
  for (int i = 0; i < 5; ++i) round();
  EXPECT_EQ(memory_stats().system_allocations, warm);
}

TEST_F(Memory, EmptyCacheGivesBackAllThatIsFree) {
  {
    std::vector<Tensor> live;
    for (int i = 0; i < 3000; ++i) live.push_back(full({i}, i));
    const std::vector<Tensor> kept(live.begin() + 1000, live.begin() + 1003);
    live.clear();
    empty_cache();
    const MemoryStats stats = memory_stats();
    EXPECT_LT(stats.cached_bytes, 1u << 20) << "only the slabs of what lives stay";
    EXPECT_EQ(kept[1].at({1000}), 1001);
  }
  empty_cache();
  if (before_ == 0) {
    EXPECT_EQ(memory_stats().cached_bytes, 0u);
  }
  EXPECT_EQ(full({40}, 3).at({39}), 3);
}

// As in training with batches of all lengths: blocks of every size class, never many at once.
TEST_F(Memory, IdleBlocksOfOtherSizesMakeRoom) {
  empty_cache();
  const std::size_t mib = std::size_t{1} << 20;
  std::size_t most_held = 0, peak = 0;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t size = 16 * mib; size <= 128 * mib; size += size / 4) {
      std::vector<detail::Block> blocks;
      for (std::size_t bytes = 0; bytes + size <= 256 * mib; bytes += size)
        blocks.emplace_back(size);
      const MemoryStats stats = memory_stats();
      most_held = std::max(most_held, stats.current_bytes + stats.cached_bytes);
      peak = stats.peak_bytes;
    }
  }
  EXPECT_LE(most_held, peak + peak / 2 + 64 * mib);
}

TEST_F(Memory, AnIdleBlockIsLentForASmallerSizeAndComesBackAsItself) {
  empty_cache();
  const std::size_t mib = std::size_t{1} << 20,
                    use = std::max(memory_stats().peak_bytes, 256 * mib);
  const auto fill = [](std::size_t size, std::size_t total) {
    std::vector<detail::Block> blocks;
    while (blocks.size() * size < total) blocks.emplace_back(size);
    return blocks;
  };
  fill(32 * mib, use);                                  // idle from here on
  const auto held = fill(8 * mib, use / 2 + 64 * mib);  // no more is to come from the system
  const MemoryStats before = memory_stats();
  void* lent = detail::allocate(20 * mib);
  std::memset(lent, 1, 20 * mib);
  EXPECT_EQ(memory_stats().system_allocations, before.system_allocations);
  EXPECT_EQ(memory_stats().current_bytes, before.current_bytes + 32 * mib);
  detail::deallocate(lent, 20 * mib);
  EXPECT_EQ(memory_stats().cached_bytes, before.cached_bytes);
  void* whole = detail::allocate(32 * mib);
  EXPECT_EQ(whole, lent);
  detail::deallocate(whole, 32 * mib);
}

TEST_F(Memory, AbsurdSizesThrow) {
  const std::string text = message_of([] { empty({100'000, 100'000, 2500}); });  // 100 TB
  EXPECT_NE(text.find("allocate: cannot get 100000000000000 bytes: "), std::string::npos) << text;
  EXPECT_NE(text.find("; need "), std::string::npos) << text;
  EXPECT_THROW(empty({std::int64_t{1} << 48}), Error);
  EXPECT_THROW(empty({std::int64_t{1} << 48}, float64), Error);
  EXPECT_THROW(empty({std::int64_t{1} << 49}), ValueError);
  EXPECT_THROW(empty({std::int64_t{1} << 32, std::int64_t{1} << 32}), ValueError);
  EXPECT_THROW(empty({std::int64_t{1} << 62, 4}), ValueError);
  EXPECT_THROW(empty({3, std::numeric_limits<std::int64_t>::max()}), ValueError);
  EXPECT_EQ(empty({std::int64_t{1} << 40, 0, std::int64_t{1} << 40}).numel(), 0);
  EXPECT_THROW(detail::allocate(std::numeric_limits<std::size_t>::max()), Error);
  EXPECT_THROW(detail::allocate((std::size_t{1} << 47) + 1), Error);
}

TEST_F(Memory, LimitMakesAllocationThrowAndNothingIsLost) {
  empty_cache();
  const MemoryStats stats = memory_stats();
  set_memory_limit(stats.current_bytes + stats.cached_bytes + (1 << 20));
  std::vector<Tensor> live;
  live.reserve(1000);
  const std::string text = message_of([&] {
    while (live.size() < 1000) live.push_back(empty({1000}));
  });
  EXPECT_NE(text.find("cannot get"), std::string::npos) << text;
  EXPECT_GT(live.size(), 100u);
  live.clear();
  EXPECT_EQ(full({100'000}, 2).at({99'999}), 2) << "caches of other sizes make room";
}

TEST_F(Memory, LongChainsDieWithoutRecursion) {
  Tensor head = zeros({1});
  for (int i = 0; i < 300'000; ++i) {
    Tensor next = zeros({1});
    next.set_grad(head);
    head = next;
  }
  head = Tensor();
}

TEST_F(Memory, ViewsKeepTheOwnerOfTheElements) {
  Tensor view;
  {
    Tensor owner = arange(100);
    detail::Node* node = owner.node();
    std::array<std::int64_t, kMaxDim> strides{10};
    view =
        Tensor::adopt(detail::make_view(node, static_cast<float*>(node->data) + 5, {10}, strides));
    view = Tensor::adopt(detail::make_view(view.node(), view.node()->data, {5}, strides));
    EXPECT_EQ(view.node()->base, node);
    EXPECT_FALSE(detail::unique(node));
  }
  EXPECT_TRUE(detail::unique(view.node()->base));
  EXPECT_FALSE(view.is_contiguous());
  EXPECT_EQ(view.at({4}), 45);
}

// --- threads ------------------------------------------------------------------------------------

TEST_F(Memory, HandlesOutliveTheThreadThatMadeThem) {
  Tensor kept, copied;
  in_thread([&] {
    kept = full({1000}, 7);
    copied = kept;
  });
  EXPECT_EQ(kept.at({999}), 7);
  kept = Tensor();
  EXPECT_EQ(copied.at({0}), 7);
}

TEST_F(Memory, OthersReleaseAfterTheOwnerIsGone) {
  std::vector<Tensor> handles;
  in_thread([&] {
    for (int i = 0; i < 1000; ++i) handles.push_back(full({i % 50}, i));
  });
  in_thread([&] {
    const std::vector<Tensor> copies = handles;
    handles.clear();
  });
}

TEST_F(Memory, TheOwnerMergesWhatOthersRelease) {
  std::vector<Tensor> handles;
  for (int i = 0; i < 1000; ++i) handles.push_back(full({300}, i));
  in_thread([moved = std::move(handles)]() mutable { moved.clear(); });
}

TEST_F(Memory, UniqueOnlyWhenNoThreadHasAnotherHandle) {
  Tensor x = zeros({4});
  EXPECT_TRUE(detail::unique(x.node()));
  in_thread([&] {
    const Tensor copy = x;
    EXPECT_FALSE(detail::unique(x.node()));
    in_thread([&] { EXPECT_FALSE(detail::unique(x.node())); });
  });
  EXPECT_TRUE(detail::unique(x.node()));
}

TEST_F(Memory, GradientsAndViewsOfOtherThreadsAreReleased) {
  Tensor x = zeros({1000});
  in_thread([&] { x.set_grad(ones({1000})); });
  EXPECT_EQ(x.grad().at({0}), 1);
  in_thread([&] {
    const std::array<std::int64_t, kMaxDim> strides{1};
    const Tensor view = Tensor::adopt(detail::make_view(x.node(), x.node()->data, {10}, strides));
    x = view;
  });
  EXPECT_EQ(x.numel(), 10);
}

TEST_F(Memory, ThreadsWithoutAllocationsOfTheirOwnMayHoldHandles) {
  Tensor x = zeros({100});
  in_thread([moved = std::move(x)]() mutable {
    Tensor copy = moved;
    moved = Tensor();
    copy = Tensor();
  });
}

// A thread_local destroyed after the library's own hook has to work, too.
thread_local Tensor at_exit;
TEST_F(Memory, ThreadLocalTensorsDieAtThreadExit) {
  const Tensor shared = zeros({10});
  for (int i = 0; i < 10; ++i) {
    in_thread([&] { at_exit = i % 2 ? zeros({i}) : shared; });
  }
}

TEST_F(Memory, ThreadsThatComeAndGoAddNothing) {
  auto round = [] {
    Tensor made;
    in_thread([&] {
      std::vector<Tensor> live;
      for (int i = 0; i < 500; ++i) live.push_back(zeros({i}));
      made = live.back();
    });
  };
  for (int i = 0; i < 300; ++i) round();  // the handles' blocks fill this thread's lists, too
  const MemoryStats warm = memory_stats();
  for (int i = 0; i < 600; ++i) round();
  EXPECT_EQ(memory_stats().system_allocations, warm.system_allocations);
}

TEST_F(Memory, ProducerAndConsumer) {
  constexpr int kItems = 20'000;
  std::mutex mutex;
  std::vector<Tensor> channel;
  std::atomic<bool> done{false};
  std::thread producer([&] {
    for (int i = 0; i < kItems; ++i) {
      Tensor x = full({i % 40}, i);
      const std::lock_guard lock(mutex);
      channel.push_back(i % 3 ? std::move(x) : x);
    }
    done = true;
  });
  std::size_t seen = 0;
  while (seen < kItems) {
    std::vector<Tensor> batch;
    {
      const std::lock_guard lock(mutex);
      batch.swap(channel);
    }
    seen += batch.size();
    if (batch.empty()) std::this_thread::yield();
  }
  producer.join();
  EXPECT_TRUE(done);
}

// Threads that swap, copy, drop and check handles in shared places, each for a short life, so that
// owners are alive, dead and adopted when their nodes are released.
void juggle(std::vector<Tensor>& places, std::vector<std::mutex>& locks, unsigned seed, int steps) {
  std::mt19937 random(seed);
  std::vector<Tensor> own(8);
  for (int step = 0; step < steps; ++step) {
    const std::size_t place = random() % places.size(), mine = random() % own.size();
    if (own[mine].defined()) {
      const Tensor& x = own[mine];
      ASSERT_EQ(x.at({0}), static_cast<double>(x.numel()));
    }
    switch (random() % 6) {
      case 0: {
        const auto n = static_cast<std::int64_t>(1 + random() % 60);
        own[mine] = full({n}, static_cast<double>(n));
        break;
      }
      case 1: own[mine] = Tensor(); break;
      case 2: own[mine] = own[random() % own.size()]; break;
      default: {
        const std::lock_guard lock(locks[place]);
        if (random() % 3) {
          std::swap(places[place], own[mine]);
        } else {
          places[place] = own[mine];
        }
      }
    }
  }
}

TEST_F(Memory, StressOfSharedHandles) {
  constexpr std::size_t kPlaces = 16;
  std::vector<Tensor> places(kPlaces);
  std::vector<std::mutex> locks(kPlaces);
  std::vector<std::thread> drivers;
  for (unsigned t = 0; t < 4; ++t) {
    drivers.emplace_back([&, t] {
      for (unsigned life = 0; life < 40; ++life) {
        in_thread([&] { juggle(places, locks, 1000 * t + life, 500); });
      }
      juggle(places, locks, 77 + t, 5'000);
    });
  }
  for (std::thread& driver : drivers) driver.join();
  for (const Tensor& x : places) {
    EXPECT_TRUE(!x.defined() || x.at({0}) == static_cast<double>(x.numel()));
  }
  places.clear();
}

}  // namespace
}  // namespace autograd
