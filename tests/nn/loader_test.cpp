// SPDX-License-Identifier: Apache-2.0
// Data sets and the loader: the same batches for any number of workers, positions, errors in workers.
#include <atomic>
#include <cmath>
#include <limits>
#include <set>

#include "support.hpp"

namespace {

using nn_test::expect_message;

nn::TensorDataset numbers(std::int64_t n) {
  return nn::TensorDataset({ag::reshape(ag::arange(2 * n), {n, 2}), ag::arange(n, ag::int64)});
}

/// Sample i is i and a random number.
struct Noisy {
  std::int64_t n = 10;
  std::int64_t size() const { return n; }
  nn::Sample get(std::int64_t i, ag::Generator& generator) const {
    return {ag::full({2}, static_cast<double>(i)), ag::full({}, generator.uniform(), ag::float64)};
  }
};

/// All numbers that a loader gives in `epochs` epochs, batches apart by -1.
std::vector<double> run(nn::DataLoader& loader, int epochs) {
  std::vector<double> all;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (const nn::Batch& batch : loader) {
      for (const ag::Tensor& tensor : batch) {
        const std::vector<double> more = nn_test::values(tensor);
        all.insert(all.end(), more.begin(), more.end());
      }
      all.push_back(-1);
    }
  }
  return all;
}

TEST(DataLoader, InOrder) {
  nn::DataLoader loader(numbers(5), {.batch_size = 2});
  EXPECT_EQ(loader.size(), 3);
  EXPECT_EQ(run(loader, 1),
            (std::vector<double>{0, 1, 2, 3, 0, 1, -1, 4, 5, 6, 7, 2, 3, -1, 8, 9, 4, -1}));
  nn::DataLoader whole(numbers(5), {.batch_size = 2, .drop_last = true});
  EXPECT_EQ(whole.size(), 2);
  EXPECT_EQ(run(whole, 1).size(), 14u);
}

TEST(DataLoader, ShuffleGivesEverySampleOnceInANewOrder) {
  nn::DataLoader loader(numbers(50), {.batch_size = 7, .shuffle = true, .seed = 3});
  std::vector<std::vector<double>> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<double> order;
    for (const nn::Batch& batch : loader) {
      for (const double i : nn_test::values(batch[1])) order.push_back(i);
      EXPECT_EQ(batch[0].at({0, 1}), 2 * batch[1].at({0}) + 1);
    }
    EXPECT_EQ(std::set<double>(order.begin(), order.end()).size(), 50u);
    EXPECT_EQ(order.size(), 50u);
    orders.push_back(order);
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[1], orders[2]);
}

TEST(HardCases, 99_loader_workers) {
  const auto jitter = [](nn::Batch batch, ag::Generator& generator) {
    batch[0] = batch[0] + ag::rand(batch[0].shape(), generator);
    return batch;
  };
  std::vector<double> want, want_noisy;
  for (const int workers : {0, 1, 2, 4}) {
    nn::DataLoader loader(numbers(103), {.batch_size = 8,
                                         .shuffle = true,
                                         .workers = workers,
                                         .prefetch = 1 + workers % 3,
                                         .seed = 9,
                                         .transform = jitter});
    nn::DataLoader noisy(Noisy{41}, {.batch_size = 4, .shuffle = true, .workers = workers});
    const std::vector<double> got = run(loader, 3), got_noisy = run(noisy, 3);
    if (workers == 0) {
      want = got;
      want_noisy = got_noisy;
    }
    EXPECT_EQ(got, want) << workers;
    EXPECT_EQ(got_noisy, want_noisy) << workers;
  }
}

TEST(DataLoader, GoesOnAtASavedPosition) {
  const nn::DataLoaderOptions options{.batch_size = 3, .shuffle = true, .seed = 5};
  nn::DataLoader first(Noisy{10}, options);
  const std::vector<double> whole = run(first, 2);
  EXPECT_EQ(first.position(), (nn::LoaderPosition{2, 0}));
  for (std::int64_t stop = 1; stop <= 8; ++stop) {  // 4 batches an epoch
    std::vector<double> all;
    nn::LoaderPosition saved;
    std::int64_t count = 0;
    for (const int workers : {2, 0}) {
      nn::DataLoaderOptions own = options;
      own.workers = workers;
      nn::DataLoader loader(Noisy{10}, own);
      loader.seek(saved);
      while (loader.position().epoch < 2 && !(workers == 2 && count == stop)) {
        for (const nn::Batch& batch : loader) {
          for (const ag::Tensor& tensor : batch) {
            for (const double value : nn_test::values(tensor)) all.push_back(value);
          }
          all.push_back(-1);
          saved = loader.position();
          if (workers == 2 && ++count == stop) break;
        }
      }
    }
    EXPECT_EQ(all, whole) << stop;
  }
}

TEST(DataLoader, PositionAsState) {
  nn::DataLoader loader(numbers(6), {.batch_size = 2}), other(numbers(6), {.batch_size = 2});
  loader.seek({3, 1});
  other.load_state_dict(loader.state_dict());
  EXPECT_EQ(other.position(), (nn::LoaderPosition{3, 1}));
  EXPECT_EQ(run(other, 1).size(), 14u);
  expect_message<ag::ValueError>(
      "DataLoader.load_state_dict: the state does not fit: it has 0 entries; need int64 position "
      "[2]",
      [&] { loader.load_state_dict({}); });
  for (const ag::Tensor& bad : {ag::tensor({1.0, 2.0}), ag::arange(3, ag::int64),
                                ag::tensor(std::vector<std::int64_t>{0, 3})}) {
    nn::StateDict state;
    state.insert("position", bad);
    EXPECT_THROW(loader.load_state_dict(state), ag::ValueError);
  }
  EXPECT_EQ(loader.position(), (nn::LoaderPosition{3, 1}));
}

TEST(DataLoader, ALoopLeftEarlyIsNotTakenUpAgain) {
  nn::DataLoader loader(numbers(6), {.batch_size = 2, .workers = 1});
  for (const nn::Batch& batch : loader) {
    EXPECT_EQ(batch[1].at({0}), 0);
    break;
  }
  EXPECT_EQ(loader.position(), (nn::LoaderPosition{0, 1}));
  EXPECT_EQ(run(loader, 1).size(), 21u);
  EXPECT_EQ(loader.position(), (nn::LoaderPosition{2, 0}));
}

struct Failing {
  std::int64_t size() const { return 12; }
  nn::Sample get(std::int64_t i) const {
    if (i == 7) throw ag::IoError("get: sample 7 is broken: '7'; need another");
    return {ag::full({}, static_cast<double>(i))};
  }
};

TEST(DataLoader, ErrorsOfAWorkerArriveInOrder) {
  for (const int workers : {0, 1, 4}) {
    nn::DataLoader loader(Failing{}, {.batch_size = 2, .workers = workers});
    for (int epoch = 0; epoch < 3; ++epoch) {
      int batches = 0;
      expect_message<ag::IoError>("get: sample 7 is broken: '7'; need another", [&] {
        for (const nn::Batch& batch : loader) batches += batch.size() == 1;
      });
      EXPECT_EQ(batches, 3);
      EXPECT_EQ(loader.position(), (nn::LoaderPosition{epoch + 1, 0}));
    }
  }
}

TEST(DataLoader, DestroyedInTheMiddle) {
  for (int i = 0; i < 20; ++i) {
    nn::DataLoader loader(Noisy{1000}, {.batch_size = 2, .workers = 3});
    auto at = loader.begin();
    for (int k = 0; k < i; ++k) ++at;
  }
}

TEST(DataLoader, EmptySetAndOneSample) {
  nn::DataLoader none(numbers(0), {.batch_size = 4, .shuffle = true, .workers = 2});
  EXPECT_EQ(none.size(), 0);
  EXPECT_TRUE(run(none, 2).empty());
  EXPECT_EQ(none.position(), (nn::LoaderPosition{2, 0}));
  nn::DataLoader one(numbers(1), {.batch_size = 1 << 30, .shuffle = true, .workers = 2});
  EXPECT_EQ(run(one, 2), (std::vector<double>{0, 1, 0, -1, 0, 1, 0, -1}));
}

TEST(DataLoader, Refuses) {
  expect_message<ag::ValueError>("DataLoader: batch_size out of range: 0; need batch_size >= 1",
                                 [] { nn::DataLoader(Noisy{}, {.batch_size = 0}); });
  EXPECT_THROW(nn::DataLoader(Noisy{}, {.workers = -1}), ag::ValueError);
  EXPECT_THROW(nn::DataLoader(Noisy{}, {.prefetch = 0}), ag::ValueError);
  nn::DataLoader loader(Noisy{4}, {.batch_size = 2});
  expect_message<ag::ValueError>("DataLoader.seek: no such batch: 2; need batch < size() (2)", [&] {
    loader.seek({0, 2});
  });
  EXPECT_THROW(loader.seek({-1, 0}), ag::ValueError);
  EXPECT_THROW(loader.seek({std::numeric_limits<std::int64_t>::max(), 0}), ag::ValueError);
  nn::DataLoader planned(Noisy{4}, {.batches = [](ag::Generator&) {
                           return std::vector<std::vector<std::int64_t>>{{0, 4}};
                         }});
  expect_message<ag::ValueError>(
      "DataLoader: options.batches names no sample: 4; need 0 <= place < 4",
      [&] { planned.begin(); });
}

TEST(DataLoader, OneLoopAtATime) {
  for (const int workers : {0, 2}) {
    nn::DataLoader loader(numbers(6), {.batch_size = 2, .workers = workers});
    const auto overtaken = [&](auto&& inside) {
      int batches = 0;
      expect_message<ag::ValueError>(
          "DataLoader: this loop was overtaken: begin() or seek() was called in its middle; need "
          "one loop at a time, or a second DataLoader for the loop inside",
          [&] {
            for ([[maybe_unused]] const nn::Batch& batch : loader) {
              ++batches;
              inside();
            }
          });
      EXPECT_EQ(batches, 1);
    };
    overtaken([&] { EXPECT_EQ(run(loader, 1).size(), 21u); });
    overtaken([&] {
      for ([[maybe_unused]] const nn::Batch& batch : loader) break;
    });
    overtaken([&] { loader.seek({0, 0}); });
    EXPECT_EQ(loader.position(), (nn::LoaderPosition{0, 0}));
    for ([[maybe_unused]] const nn::Batch& batch : loader) break;
    EXPECT_EQ(run(loader, 1), run(loader, 1)) << "a loop that was left does not count";
    auto at = loader.begin();
    while (at != loader.end()) ++at;
    EXPECT_THROW(++at, ag::ValueError);
    EXPECT_THROW(++nn::DataLoader::Iterator(), ag::ValueError);
  }
}

TEST(DataLoader, MovedInTheMiddleOfALoop) {
  for (const int workers : {0, 2}) {
    nn::DataLoader loader(numbers(6), {.batch_size = 2, .workers = workers});
    auto at = loader.begin();
    nn::DataLoader moved = std::move(loader);
    ++at;
    EXPECT_EQ((*at)[1].at({0}), 2);
    EXPECT_EQ(moved.position(), (nn::LoaderPosition{0, 2}));
    expect_message<ag::ValueError>(
        "DataLoader: it was moved from: it has no data set; need the loader that it was moved to",
        [&] { loader.size(); });
    EXPECT_THROW(loader.samples(), ag::ValueError);
    EXPECT_THROW(loader.begin(), ag::ValueError);
    EXPECT_THROW(loader.seek({0, 0}), ag::ValueError);
    EXPECT_THROW(loader.state_dict(), ag::ValueError);
    EXPECT_THROW(loader.load_state_dict(moved.state_dict()), ag::ValueError);
    EXPECT_EQ(run(moved, 1).size(), 21u);
  }
}

struct Negative {
  std::int64_t size() const { return -1; }
  nn::Sample get(std::int64_t) const { return {}; }
};

TEST(Dataset, IndicesAndSizesOutOfRange) {
  expect_message<ag::ValueError>("Subset: index out of range: 4; need 0 <= index < 4", [] {
    nn::Subset(numbers(4), {0, 4});
  });
  expect_message<ag::ValueError>("Subset: index out of range: -1; need 0 <= index < 4",
                                 [] { nn::Subset(numbers(4), {-1}); });
  const nn::Subset part(numbers(4), {3, 1});
  EXPECT_EQ(part.get(0)[1].item(), 3);
  expect_message<ag::ValueError>("Subset.get: index out of range: 2; need 0 <= index < 2",
                                 [&] { part.get(2); });
  const std::vector<std::int64_t> places{0, 2};
  EXPECT_THROW(part.get_batch(places), ag::ValueError);
  expect_message<ag::ValueError>(
      "DataLoader: size() of the data set out of range: -1; need size() >= 0",
      [] { nn::DataLoader(Negative{}); });
  EXPECT_THROW(nn::random_split(Negative{}, {}), ag::ValueError);
  EXPECT_THROW(nn::Subset(Negative{}, {0}), ag::ValueError);
}

TEST(Dataset, TensorsMustAgree) {
  expect_message<ag::ShapeError>(
      "TensorDataset: numbers of samples differ: [3] beside [2, 2]; need the same first extent",
      [] {
        nn::TensorDataset({ag::ones({2, 2}), ag::ones({3})});
      });
  EXPECT_THROW(nn::TensorDataset({}), ag::ValueError);
  const nn::Sample sample = numbers(4).get(3);
  EXPECT_EQ(sample[0].shape(), (ag::Shape{2}));
  EXPECT_EQ(sample[1].item(), 3);
  EXPECT_THROW(numbers(4).get(4), ag::ValueError);
  EXPECT_THROW(nn::stack_samples({{ag::ones({2})}, {ag::ones({3})}}), ag::ShapeError);
  EXPECT_THROW(nn::stack_samples({{ag::ones({2})}, {ag::ones({2}, ag::int64)}}), ag::TypeError);
}

TEST(Dataset, RandomSplit) {
  ag::Generator generator(1);
  const auto parts = nn::random_split(numbers(10), {7, 3}, generator);
  std::set<std::int64_t> seen;
  for (const auto& part : parts) seen.insert(part.indices().begin(), part.indices().end());
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(parts[1].size(), 3);
  EXPECT_EQ(parts[1].get(2)[1].item(), static_cast<double>(parts[1].indices()[2]));
  nn::DataLoader loader(parts[0], {.batch_size = 7});
  EXPECT_EQ((*loader.begin())[1].at({6}), static_cast<double>(parts[0].indices()[6]));
  expect_message<ag::ValueError>(
      "random_split: the lengths do not sum to the size: [7, 4]; need lengths >= 0 with sum 10",
      [&] {
        nn::random_split(numbers(10), {7, 4}, generator);
      });
}

TEST(Synthetic, Shapes) {
  ag::Generator generator(1);
  const auto moons = nn::make_moons(100, {}, generator);
  EXPECT_EQ(moons.x.shape(), (ag::Shape{100, 2}));
  for (std::int64_t i = 0; i < 100; ++i) {
    const double label = moons.y.at({i}), x = moons.x.at({i, 0}), y = moons.x.at({i, 1});
    EXPECT_NEAR(std::hypot(x - label, y - 0.5 * label), 1.0, 1e-6);
    EXPECT_EQ(y >= -1e-6 || label == 1, true);
  }
  const auto spirals = nn::make_spirals(99, {.noise = 0.01}, generator);
  EXPECT_NEAR(std::hypot(spirals.x.at({98, 0}), spirals.x.at({98, 1})), 1.0, 0.1);
  const auto blobs = nn::make_blobs(30, {.classes = 5, .spread = 0.0}, generator);
  EXPECT_EQ(blobs.x.at({0, 0}), blobs.x.at({5, 0}));
  EXPECT_EQ(nn::make_blobs(0).x.shape(), (ag::Shape{0, 2}));
  expect_message<ag::ValueError>("make_moons: noise out of range: -1; need a finite noise >= 0",
                                 [] { nn::make_moons(3, {.noise = -1}); });
  EXPECT_THROW(nn::make_spirals(3, {.classes = 0}), ag::ValueError);
}

}  // namespace
