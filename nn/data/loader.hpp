// SPDX-License-Identifier: Apache-2.0
// DataLoader: goes through a data set in batches, in the calling thread or with workers that prepare the
// next ones in the meantime. What it gives is a function of seed, epoch and place: the same batches in the
// same order for any number of workers, and again after seek() in another process.
//
//   nn::DataLoader loader(nn::TensorDataset({x, y}), {.batch_size = 128, .shuffle = true, .workers = 2});
//   for (int epoch = 0; epoch < 15; ++epoch) {
//     for (const nn::Batch& batch : loader) { ... batch[0], batch[1] ... }
//   }
//
// Threads: one loader is used by one thread at a time; several loaders may share a data set.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "../state_dict.hpp"
#include "dataset.hpp"

namespace nn {

struct DataLoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;    ///< a new order in every epoch
  bool drop_last = false;  ///< leave out the last batch where it is smaller than the others
  int workers = 0;         ///< threads that prepare batches; 0: prepared when asked for
  int prefetch = 2;        ///< batches that each worker prepares ahead
  std::uint64_t seed = 0;
  /// Makes a batch of samples; empty: stack_samples.
  std::function<Batch(const std::vector<Sample>&)> collate = {};
  /// Changes a batch at random, in the worker: the generator depends on seed, epoch and place.
  std::function<Batch(Batch, Generator&)> transform = {};
  /// The places of all batches of an epoch, instead of batch_size, shuffle and drop_last: what bucketing
  /// by length needs (text.hpp).
  std::function<std::vector<std::vector<std::int64_t>>(Generator&)> batches = {};
};

/// The next batch to be given: what a checkpoint saves.
struct LoaderPosition {
  std::int64_t epoch = 0, batch = 0;
  friend bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

class DataLoader {
  struct State;

 public:
  /// Throws ValueError for batch_size < 1, workers < 0, prefetch < 1 or a set of negative size. Copies the
  /// set.
  template <Dataset D>
  explicit DataLoader(D set, DataLoaderOptions options = {})
      : DataLoader{static_cast<std::int64_t>(set.size()), source_of(std::move(set)),
                   std::move(options)} {}  // braces: the size is read before the set is moved
  /// A type that is no data set: says so in a sentence.
  template <class D>
    requires(!Dataset<D> && !std::derived_from<D, DataLoader>)
  explicit DataLoader(const D&, const DataLoaderOptions& = {}) {
    static_assert(Dataset<D>,
                  "a data set of nn::DataLoader needs `std::int64_t size() const` and "
                  "`nn::Sample get(std::int64_t) const` or `nn::Sample get(std::int64_t, "
                  "nn::Generator&) const`: both const, and a Sample even of one tensor");
  }
  /// A loop goes on where its loader is moved; what was moved from throws ValueError when it is used.
  DataLoader(DataLoader&&) noexcept;
  DataLoader& operator=(DataLoader&&) noexcept;
  ~DataLoader();

  /// Batches of one epoch (with options.batches: of the epoch that comes next).
  std::int64_t size() const;
  /// Samples of the set.
  std::int64_t samples() const;

  /// Inside a loop: the batch after the one in hand, so that a checkpoint saved at the end of the loop's
  /// body goes on with the next. After the last batch: the next epoch's first.
  LoaderPosition position() const;
  /// The next loop begins here; one in its middle has ended. Throws ValueError for negative numbers or
  /// a batch >= size().
  void seek(LoaderPosition position);
  /// The same for a TrainingState: int64 {epoch, batch} as "position".
  StateDict state_dict() const;
  /// Throws ValueError for another state, and then changes nothing.
  void load_state_dict(const StateDict& state);

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using pointer = const Batch*;
    using reference = const Batch&;

    const Batch& operator*() const { return batch_; }
    const Batch* operator->() const { return &batch_; }
    Iterator& operator++() {
      if (!next(state_, round_, batch_)) state_ = nullptr;
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !state_; }

   private:
    friend class DataLoader;
    State* state_ = nullptr;   // stays where it is when the loader is moved
    std::uint64_t round_ = 0;  // which loop this is
    Batch batch_;
  };
  /// Starts an epoch: where seek() said, else the one after the last that was begun. One loop at a time: of two,
  /// the one that began first throws ValueError at its next ++ (inside a loop, take a second loader).
  /// An exception of the data set arrives here or at ++, at the place of its batch, and ends the epoch.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  struct Request {
    std::span<const std::int64_t> indices;
    std::uint64_t seed;  // of this loader and epoch
    const DataLoaderOptions& options;
  };
  using Source = std::function<Batch(const Request&)>;
  /// The stream of numbers that belongs to `place` (of a sample, say) under a seed.
  static Generator stream(std::uint64_t seed, std::int64_t place, std::uint32_t purpose);

  template <Dataset D> static Source source_of(D set) {
    return [set = std::move(set)](const Request& request) -> Batch {
      if constexpr (BatchDataset<D>) {
        if (!request.options.collate) return set.get_batch(request.indices);
      }
      std::vector<Sample> samples;
      for (const std::int64_t i : request.indices) {
        if constexpr (RandomDataset<D>) {
          Generator generator = stream(request.seed, i, 1);
          samples.push_back(set.get(i, generator));
        } else {
          samples.push_back(set.get(i));
        }
      }
      return request.options.collate ? request.options.collate(samples) : stack_samples(samples);
    };
  }

  DataLoader(std::int64_t samples, Source source, DataLoaderOptions options);
  static bool next(State* state, std::uint64_t round, Batch& batch);
  State& state() const;

  std::unique_ptr<State> state_;
};

}  // namespace nn
