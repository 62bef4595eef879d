// SPDX-License-Identifier: Apache-2.0
// File names carry the step with leading zeros, so that they also sort by name.
#include "checkpoint.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <system_error>

#include "files/file.hpp"

namespace nn {

namespace fs = std::filesystem;
using autograd::ValueError;

namespace {

constexpr std::string_view kFront = "checkpoint-", kEnd = ".safetensors";
constexpr std::size_t kDigits = 12;

/// The step of a file name, or -1.
std::int64_t step_of(const std::string& name) {
  if (!name.starts_with(kFront) || !name.ends_with(kEnd) ||
      name.size() != kFront.size() + kDigits + kEnd.size()) {
    return -1;
  }
  const std::string digits = name.substr(kFront.size(), kDigits);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return -1;
  return std::stoll(digits);
}

}  // namespace

Checkpoints::Checkpoints(std::string folder, CheckpointsOptions options)
    : folder_(std::move(folder)), options_(options) {
  if (options_.keep < 0) {
    throw ValueError("Checkpoints: keep out of range: " + std::to_string(options_.keep) +
                     "; need keep >= 0");
  }
  detail::check_path("Checkpoints", folder_, "a folder");
  std::error_code error, ignored;
  fs::create_directories(folder_, error);
  if (!fs::is_directory(folder_, ignored)) {
    detail::throw_io("Checkpoints", "cannot make the folder", folder_, ": " + error.message(),
                     "a folder that can be written");
  }
}

std::string Checkpoints::path(std::int64_t step) const {
  if (step < 0 || step >= 1'000'000'000'000) {
    throw ValueError("Checkpoints: step out of range: " + std::to_string(step) +
                     "; need 0 <= step < 10^12");
  }
  const std::string digits = std::to_string(step);
  return (fs::path(folder_) / (std::string(kFront) + std::string(kDigits - digits.size(), '0') +
                               digits + std::string(kEnd)))
      .string();
}

std::string Checkpoints::save(std::int64_t step, const StateDict& state, const Metadata& words) {
  const std::string to = path(step);
  save_safetensors(to, state, words);
  std::vector<std::int64_t> older = steps();
  std::erase_if(older, [&](std::int64_t other) { return other >= step; });
  // This one counts too. Later steps, of a run that was taken up again before them, stay.
  const auto kept = static_cast<std::size_t>(options_.keep);
  for (std::size_t i = 0; options_.keep > 0 && i + kept < older.size() + 1; ++i) {
    std::error_code ignored;  // a file that cannot be removed is no reason to stop training
    fs::remove(path(older[i]), ignored);
  }
  return to;
}

std::vector<std::int64_t> Checkpoints::steps() const {
  std::vector<std::int64_t> all;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const std::int64_t step = step_of(at->path().filename().string());
    if (step >= 0) all.push_back(step);
  }
  std::sort(all.begin(), all.end());
  return all;
}

Checkpoint Checkpoints::load(std::int64_t step) const {
  const std::string from = path(step);
  return {step, load_safetensors(from), safetensors_metadata(from)};
}

std::optional<Checkpoint> Checkpoints::load_latest() const {
  const std::vector<std::int64_t> all = steps();
  if (all.empty()) return {};
  return load(all.back());
}

// --- interrupts

namespace {

volatile sig_atomic_t interrupted = 0;
std::mutex guards_mutex;  // guards the two below
int guards = 0;
struct sigaction before[2];

constexpr int kSignals[] = {SIGINT, SIGTERM};

void on_interrupt(int number) { interrupted = number; }

}  // namespace

InterruptGuard::InterruptGuard() {
  const std::lock_guard lock(guards_mutex);
  if (guards++ > 0) return;
  interrupted = 0;
  struct sigaction action {};
  action.sa_handler = &on_interrupt;
  // A second one is the default again. Reads and writes of files go on after the first.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 2; ++i) sigaction(kSignals[i], &action, &before[i]);
}

InterruptGuard::~InterruptGuard() {
  const std::lock_guard lock(guards_mutex);
  if (--guards > 0) return;
  for (int i = 0; i < 2; ++i) sigaction(kSignals[i], &before[i], nullptr);
}

int InterruptGuard::signal() const { return interrupted; }

}  // namespace nn
