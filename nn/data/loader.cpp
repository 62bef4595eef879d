// SPDX-License-Identifier: Apache-2.0
// Workers take tickets (numbers of batches) in order and put what they made into a ring of slots; the
// consumer empties the slots in order. A worker does not run further ahead than the ring is long. The
// threads live for one epoch: starting them takes 30 us, and an idle loader then holds nothing.
#include "loader.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>

namespace nn {

using autograd::ValueError;

namespace {

struct Made {
  Batch batch;
  std::exception_ptr error;
};

/// The threads of one epoch and what they share.
class Workers {
 public:
  using Make = std::function<Batch(std::int64_t)>;

  Workers(std::int64_t first, std::int64_t end, int threads, int prefetch, Make make)
      : make_(std::move(make)),
        slots_(static_cast<std::size_t>(threads) * static_cast<std::size_t>(prefetch)),
        ticket_(first),
        taken_(first),
        end_(end) {
    try {
      for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {  // no more threads to be had
      stop();
      throw;
    }
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { stop(); }

  /// The next batch in order, or what its making threw.
  Batch take() {
    std::unique_lock lock(mutex_);
    std::optional<Made>& slot = slot_of(taken_);
    ready_.wait(lock, [&] { return slot.has_value(); });
    Made made = std::move(*slot);
    slot.reset();
    ++taken_;
    lock.unlock();
    room_.notify_all();
    if (made.error) std::rethrow_exception(std::move(made.error));
    return std::move(made.batch);
  }

 private:
  std::optional<Made>& slot_of(std::int64_t batch) {
    return slots_[static_cast<std::size_t>(batch) % slots_.size()];
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [&] {
        return stopping_ || ticket_ >= end_ ||
               ticket_ < taken_ + static_cast<std::int64_t>(slots_.size());
      });
      if (stopping_ || ticket_ >= end_) return;
      const std::int64_t mine = ticket_++;
      lock.unlock();
      Made made;
      try {
        made.batch = make_(mine);
      } catch (...) {
        made.error = std::current_exception();
      }
      lock.lock();
      slot_of(mine) = std::move(made);
      ready_.notify_all();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const Make make_;
  std::mutex mutex_;  // guards all below but the threads
  std::condition_variable ready_, room_;
  std::vector<std::optional<Made>> slots_;
  std::int64_t ticket_, taken_;
  const std::int64_t end_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

using Places = std::vector<std::vector<std::int64_t>>;

}  // namespace

struct DataLoader::State {
  std::int64_t samples;
  Source source;
  DataLoaderOptions options;
  LoaderPosition position;
  bool sought = true;               // position is where the next loop begins
  std::int64_t planned_epoch = -1;  // which epoch `plan` is of
  std::uint64_t round = 0;          // counts begin() and seek(): an older iterator is not to go on
  Places plan;
  std::unique_ptr<Workers> workers;  // last: its threads use the rest

  std::uint64_t epoch_seed(std::int64_t epoch) const {
    return stream(options.seed, epoch, 0).next64();
  }
  const Places& plan_of(std::int64_t epoch);
  Batch make(std::int64_t epoch, std::int64_t batch) const;
};

namespace {

void check_plan(const Places& plan, std::int64_t samples) {
  for (const auto& batch : plan) {
    for (const std::int64_t i : batch) {
      if (i < 0 || i >= samples) {
        throw ValueError("DataLoader: options.batches names no sample: " + std::to_string(i) +
                         "; need 0 <= place < " + std::to_string(samples));
      }
    }
  }
}

}  // namespace

const Places& DataLoader::State::plan_of(std::int64_t epoch) {
  if (planned_epoch == epoch) return plan;
  Generator generator = stream(options.seed, epoch, 2);
  Places places;
  if (options.batches) {
    places = options.batches(generator);
    check_plan(places, samples);
  } else {
    std::vector<std::int64_t> order(static_cast<std::size_t>(samples));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    if (options.shuffle) {
      order = autograd::to_vector<std::int64_t>(autograd::randperm(samples, generator));
    }
    for (std::int64_t i = 0; i < samples; i += options.batch_size) {
      const std::int64_t end = std::min(samples, i + options.batch_size);
      if (options.drop_last && end - i < options.batch_size) break;
      places.emplace_back(order.begin() + i, order.begin() + end);
    }
  }
  plan = std::move(places);
  planned_epoch = epoch;
  return plan;
}

Batch DataLoader::State::make(std::int64_t epoch, std::int64_t batch) const {
  const std::uint64_t seed = epoch_seed(epoch);
  Batch made = source({plan[static_cast<std::size_t>(batch)], seed, options});
  if (!options.transform) return made;
  Generator generator = stream(seed, batch, 3);
  return options.transform(std::move(made), generator);
}

Generator DataLoader::stream(std::uint64_t seed, std::int64_t place, std::uint32_t purpose) {
  const auto bits = static_cast<std::uint64_t>(place);
  const auto words =
      Generator::philox({static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32),
                         purpose, 0x6c6f6164},
                        {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return Generator(static_cast<std::uint64_t>(words[1]) << 32 | words[0]);
}

DataLoader::DataLoader(std::int64_t samples, Source source, DataLoaderOptions options) {
  const auto require = [](bool ok, const char* option, std::int64_t value, const char* need) {
    if (ok) return;
    throw ValueError(std::string("DataLoader: ") + option +
                     " out of range: " + std::to_string(value) + "; need " + need);
  };
  require(samples >= 0, "size() of the data set", samples, "size() >= 0");
  require(options.batch_size >= 1, "batch_size", options.batch_size, "batch_size >= 1");
  require(options.workers >= 0 && options.workers <= 256, "workers", options.workers,
          "0 <= workers <= 256");
  require(options.prefetch >= 1 && options.prefetch <= 1024, "prefetch", options.prefetch,
          "1 <= prefetch <= 1024");
  options.batch_size = std::min(options.batch_size, std::max<std::int64_t>(samples, 1) + 1);
  state_ = std::make_unique<State>();
  state_->samples = samples;
  state_->source = std::move(source);
  state_->options = std::move(options);
}

DataLoader::DataLoader(DataLoader&&) noexcept = default;
DataLoader& DataLoader::operator=(DataLoader&&) noexcept = default;
DataLoader::~DataLoader() = default;

DataLoader::State& DataLoader::state() const {
  if (state_) return *state_;
  throw ValueError(
      "DataLoader: it was moved from: it has no data set; need the loader that it was "
      "moved to");
}

std::int64_t DataLoader::samples() const { return state().samples; }

std::int64_t DataLoader::size() const {
  State& own = state();
  const DataLoaderOptions& options = own.options;
  if (options.batches) return static_cast<std::int64_t>(own.plan_of(own.position.epoch).size());
  const std::int64_t n = own.samples, b = options.batch_size;
  return options.drop_last ? n / b : (n + b - 1) / b;
}

LoaderPosition DataLoader::position() const { return state().position; }

void DataLoader::seek(LoaderPosition position) {
  State& own = state();
  if (position.epoch < 0 || position.epoch > detail::kMostCounted || position.batch < 0) {
    throw ValueError("DataLoader.seek: no such position: epoch " + std::to_string(position.epoch) +
                     ", batch " + std::to_string(position.batch) +
                     "; need both >= 0, epoch at most 2^53");
  }
  const auto count =
      own.options.batches ? static_cast<std::int64_t>(own.plan_of(position.epoch).size()) : size();
  if (position.batch > 0 && position.batch >= count) {
    throw ValueError("DataLoader.seek: no such batch: " + std::to_string(position.batch) +
                     "; need batch < size() (" + std::to_string(count) + ")");
  }
  own.workers.reset();
  own.position = position;
  own.sought = true;
  ++own.round;
}

StateDict DataLoader::state_dict() const {
  StateDict state;
  const LoaderPosition p = position();
  state.insert("position", autograd::tensor(std::vector<std::int64_t>{p.epoch, p.batch}));
  return state;
}

void DataLoader::load_state_dict(const StateDict& state) {
  const Tensor x = state.contains("position") ? state.at("position") : Tensor();
  if (state.size() != 1 || !x.defined() || x.dtype() != autograd::int64 ||
      x.shape() != autograd::Shape{2}) {
    throw ValueError("DataLoader.load_state_dict: the state does not fit: it has " +
                     std::to_string(state.size()) + " entries; need int64 position [2]");
  }
  const auto numbers = autograd::to_vector<std::int64_t>(x);
  seek({numbers[0], numbers[1]});
}

DataLoader::Iterator DataLoader::begin() {
  State& state = this->state();
  state.workers.reset();
  ++state.round;
  // A loop that was left in the middle is not taken up again.
  if (!state.sought && state.position.batch > 0) state.position = {state.position.epoch + 1, 0};
  state.sought = false;
  const std::int64_t epoch = state.position.epoch;
  const auto count = static_cast<std::int64_t>(state.plan_of(epoch).size());
  const auto waiting = count - state.position.batch;
  if (state.options.workers > 0 && waiting > 0) {
    const auto threads = std::min<std::int64_t>(state.options.workers, waiting);
    state.workers = std::make_unique<Workers>(
        state.position.batch, count, static_cast<int>(threads), state.options.prefetch,
        [&state, epoch](std::int64_t batch) { return state.make(epoch, batch); });
  }
  Iterator iterator;
  iterator.state_ = &state;
  iterator.round_ = state.round;
  return ++iterator;
}

bool DataLoader::next(State* own, std::uint64_t round, Batch& batch) {
  if (own == nullptr) {
    throw ValueError("DataLoader: ++ behind the end of an epoch; need begin() for the next one");
  }
  State& state = *own;
  if (round != state.round) {
    throw ValueError(
        "DataLoader: this loop was overtaken: begin() or seek() was called in its middle; need one "
        "loop at a time, or a second DataLoader for the loop inside");
  }
  const auto count = static_cast<std::int64_t>(state.plan.size());
  // position() has moved on to the next epoch with the last batch; a new loop began at batch 0 of it.
  if (state.position.epoch != state.planned_epoch || state.position.batch >= count) {
    if (count == 0) ++state.position.epoch;
    state.workers.reset();
    batch.clear();
    return false;
  }
  try {
    batch = state.workers ? state.workers->take()
                          : state.make(state.position.epoch, state.position.batch);
  } catch (...) {
    state.workers.reset();
    state.position = {state.position.epoch + 1, 0};
    throw;
  }
  if (++state.position.batch >= count) state.position = {state.position.epoch + 1, 0};
  return true;
}

}  // namespace nn
