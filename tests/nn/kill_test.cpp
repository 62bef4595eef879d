// SPDX-License-Identifier: Apache-2.0
// Training that is killed and resumed, over processes: this program called with "train" is the training,
// and the tests kill it with SIGKILL at moments drawn from a seed: after some steps and microseconds, or in
// the middle of writing a checkpoint. What it ends with are the bytes of the run that nobody killed.
//
// In the middle of writing: the kernel takes the bytes up to a limit of the file's size and then sends
// SIGXFSZ, whose handler kills the process. Timing decides nothing there.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "files_support.hpp"

namespace {

using nn_test::Folder;
using nn_test::slurp;

// --- the training

struct Task {
  std::string folder;
  int workers = 0;         // of the loader; threads are one more
  std::int64_t limit = 0;  // the number of the save in which to die; 0: in none
  rlim_t bytes = 0;        // of the file that are written by then
  std::int64_t pause = 0;  // after so many steps: then only waits to be killed
  bool forget = false;     // the streams of dropout: what must not be
};

constexpr std::int64_t kEpochs = 15, kSamples = 96, kBatch = 16;

nn::Batch noisy(const nn::Batch& batch, ag::Generator& draws) {
  return {batch[0] + ag::randn(batch[0].shape(), draws) * 0.1, batch[1]};
}

/// Dropout with a stream of its own and without, running statistics, an average, a schedule.
struct Training {
  ag::Generator generator{3};
  nn::Sequential model{
      nn::Linear(24, 160, generator),  nn::BatchNorm1d(160), nn::Dropout(0.2, generator),
      nn::Linear(160, 160, generator), nn::Tanh(),           nn::Dropout(0.1),
      nn::Linear(160, 3, generator)};
  nn::DataLoader loader;
  nn::Adam adam{model.parameters(), {.lr = 1e-2}};
  nn::OneCycleLR schedule{adam, {.max_lr = 2e-2, .total_steps = kEpochs * kSamples / kBatch}};
  nn::ExponentialMovingAverage average{model.parameters(), {.decay = 0.9}};
  nn::Trainer trainer{
      adam, {.clip_norm = 1.0, .schedule = &schedule, .average = &average, .progress = false}};
  nn::TrainingState state;

  explicit Training(const Task& task)
      : loader(nn::TensorDataset({ag::randn({kSamples, 24}, generator),
                                  ag::randint(0, 3, {kSamples}, generator)}),
               {.batch_size = kBatch,
                .shuffle = true,
                .workers = task.workers,
                .seed = 5,
                .transform = noisy}) {
    ag::manual_seed(4);
    if (task.forget) {
      state.add(
          "model", [this] { return model.state_dict(); },
          [this](const nn::StateDict& saved) { model.load_state_dict(saved); });
    } else {
      state.add("model", model);
    }
    state.add("adam", adam);
    state.add("schedule", schedule);
    state.add("average", average);
    state.add("trainer", trainer);
    state.add("loader", loader);
  }
};

void die(int) { kill(getpid(), SIGKILL); }

/// From the last checkpoint there is, or from the beginning, to the end. One letter on standard output
/// for each step.
void train(const Task& task) {
  ag::set_num_threads(task.workers + 1);
  Training run(task);
  nn::Checkpoints checkpoints(task.folder + "/checkpoints", {.keep = 2});
  if (const auto last = checkpoints.load_latest()) run.state.load_state_dict(last->state);
  std::int64_t saves = 0, steps = 0;
  const auto save = [&] {
    if (++saves == task.limit) {
      signal(SIGXFSZ, &die);
      const rlimit limit{task.bytes, task.bytes};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    checkpoints.save(run.trainer.updates(), run.state.state_dict());
  };
  while (run.trainer.epoch() < kEpochs) {
    run.trainer.begin_epoch(run.loader.size());
    for (const nn::Batch& batch : run.loader) {
      {
        ag::Tape tape;
        run.trainer.step(tape, nn::cross_entropy_loss(run.model(batch[0]), batch[1]));
      }
      if (write(STDOUT_FILENO, ".", 1) != 1) _exit(3);
      // Behind the last batch the loader is in the next epoch already, and the trainer is not.
      if (run.trainer.batch() % 2 == 0 && run.trainer.batch() < run.loader.size()) save();
      if (++steps == task.pause) pause();
    }
    run.trainer.end_epoch();
    save();
  }
  nn::StateDict all = run.state.state_dict();
  all.erase("trainer.history.seconds");
  nn::save_safetensors(task.folder + "/all", all);
  nn::save_safetensors(task.folder + "/weights", run.model.state_dict());
}

// --- the tests

/// A training in a process of its own.
class Process {
 public:
  explicit Process(const Task& task) {
    const std::string words[] = {"kill_test",
                                 "train",
                                 task.folder,
                                 std::to_string(task.workers),
                                 std::to_string(task.limit),
                                 std::to_string(task.bytes),
                                 std::to_string(task.pause),
                                 task.forget ? "forget" : "keep"};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execv("/proc/self/exe", arguments.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
    if (child_ < 0) throw std::runtime_error("fork");  // -1 would be everybody's for kill()
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { close(output_); }

  /// Waits for so many steps; false when it ends before.
  bool steps(std::int64_t count) const {
    char letter = 0;
    while (count-- > 0) {
      if (read(output_, &letter, 1) != 1) return false;
    }
    return true;
  }
  void kill_it() const { kill(child_, SIGKILL); }
  int status() const {
    steps(1 << 30);
    int status = 0;
    waitpid(child_, &status, 0);
    return status;
  }

 private:
  pid_t child_ = -1;
  int output_ = -1;
};

bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }
bool ended(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

class Killed : public testing::Test {
 protected:
  void SetUp() override {
    try {
      nn::load_safetensors(nn_test::golden("linear.safetensors"));
    } catch (const ag::IoError& error) {
      if (std::strstr(error.what(), "built without")) GTEST_SKIP() << error.what();
      throw;
    }
    for (const char* name : {"whole", "cut"}) std::filesystem::create_directory(folder / name);
    ASSERT_TRUE(ended(Process({.folder = folder / "whole"}).status()));
    const std::vector<std::int64_t> steps = nn::Checkpoints(folder / "whole/checkpoints").steps();
    ASSERT_EQ(steps.back(), kEpochs * kSamples / kBatch);
    bytes = std::filesystem::file_size(
        nn::Checkpoints(folder / "whole/checkpoints").path(steps.front()));
  }

  /// Every third time in the middle of writing a checkpoint, otherwise up to 20 ms after a step.
  void kill_once(int time, ag::Generator& draws) {
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(draws.uniform() * static_cast<double>(n));
    };
    Task task{.folder = folder / "cut", .workers = time % 3};
    SCOPED_TRACE("kill " + std::to_string(time));
    if (time % 3 == 1) {
      task.limit = 1 + below(2);
      task.bytes = static_cast<rlim_t>(below(static_cast<std::int64_t>(bytes)));
      ASSERT_TRUE(killed(Process(task).status())) << task.bytes << " bytes";
      return;
    }
    task.pause = 8;  // ten times this are less than the whole: no process gets to the end
    const Process process(task);
    ASSERT_TRUE(process.steps(1 + below(4)));
    usleep(static_cast<useconds_t>(below(time % 3 == 0 ? 2000 : 20000)));
    process.kill_it();
    ASSERT_TRUE(killed(process.status()));
  }

  void expect_the_same_end(int kills, std::uint64_t seed) {
    ag::Generator draws(seed);
    for (int time = 0; time < kills && !HasFatalFailure(); ++time) kill_once(time, draws);
    ASSERT_TRUE(ended(Process({.folder = folder / "cut", .workers = 1}).status()));
    for (const std::string name : {"weights", "all"}) {
      ASSERT_GT(slurp(folder / ("whole/" + name)).size(), 1000u);
      EXPECT_TRUE(slurp(folder / ("cut/" + name)) == slurp(folder / ("whole/" + name))) << name;
    }
  }

  Folder folder;
  std::uint64_t bytes = 0;  // of a checkpoint; later ones are a little longer
};

using KilledSlow = Killed;

TEST_F(Killed, ThreeTimesEndsWithTheBytesOfTheWholeRun) { expect_the_same_end(3, 1); }

TEST_F(KilledSlow, TenTimesEndsWithTheBytesOfTheWholeRun) {
  for (const std::uint64_t seed : {2, 3, 4}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::filesystem::remove_all(folder / "cut");
    std::filesystem::create_directory(folder / "cut");
    expect_the_same_end(10, seed);
  }
}

// The test of the tests above: a checkpoint without the streams of dropout ends elsewhere.
TEST_F(Killed, WhatIsForgottenIsNoticed) {
  Task task{.folder = folder / "cut", .limit = 3, .bytes = bytes / 2, .forget = true};
  ASSERT_TRUE(killed(Process(task).status()));
  EXPECT_EQ(nn::Checkpoints(folder / "cut/checkpoints").steps(), (std::vector<std::int64_t>{2, 4}))
      << "the one that was being written is not there";
  task.limit = 0;
  ASSERT_TRUE(ended(Process(task).status()));
  EXPECT_FALSE(slurp(folder / "cut/weights") == slurp(folder / "whole/weights"));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 8 && std::string(argv[1]) == "train") {
    try {
      train({.folder = argv[2],
             .workers = std::stoi(argv[3]),
             .limit = std::stoll(argv[4]),
             .bytes = std::stoull(argv[5]),
             .pause = std::stoll(argv[6]),
             .forget = std::string(argv[7]) == "forget"});
      return 0;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
