// SPDX-License-Identifier: Apache-2.0
// What the tests of files share: a folder that goes away, whole files, hostile variations of one.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support.hpp"

/// Skips the test when f throws because nn was built without a library.
#define SKIP_WITHOUT_LIBRARY(...)                                                 \
  try {                                                                           \
    __VA_ARGS__;                                                                  \
  } catch (const ag::IoError& error) {                                            \
    if (std::strstr(error.what(), "built without")) GTEST_SKIP() << error.what(); \
    throw;                                                                        \
  }

namespace nn_test {

namespace fs = std::filesystem;

/// A new folder, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "nn-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
      list.push_back(entry.path().string());
    }
    return list;
  }
  std::size_t files() const { return names().size(); }

 private:
  fs::path path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
/// Removes the old file first: writing over one makes some file systems flush it to the disk.
inline void spill(const std::string& path, const std::string& bytes) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string golden(const std::string& name) {
  return std::string(AUTOGRAD_TESTS_DIR) + "/golden/" + name;
}

/// A folder of the real data, from AUTOGRAD_DATA or ../shared/data beside the checkout; "" if absent.
inline std::string real_data(const std::string& name) {
  const char* given = std::getenv("AUTOGRAD_DATA");
  const fs::path root =
      given ? fs::path(given) : fs::path(AUTOGRAD_TESTS_DIR) / "../../shared/data";
  return fs::exists(root / name) ? (root / name).string() : "";
}

/// Whether load(path) throws nothing or an IoError; anything else is a failure of the test.
template <class F> bool loads(const std::string& path, F&& load) {
  try {
    load(path);
    return true;
  } catch (const ag::IoError& error) {
    EXPECT_NE(std::string(error.what()).find("; need "), std::string::npos) << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not an IoError: " << error.what();
  }
  return false;
}

/// Every truncation of the bytes, then `count` files with one to four bytes changed, inserted or removed.
/// Returns how many of the truncations were accepted.
template <class F>
int attack(const std::string& bytes, int count, F&& load, const std::string& name = "hostile") {
  const Folder folder;
  const std::string path = folder / name;
  int accepted = 0;
  for (std::size_t n = 0; n<bytes.size(); n += bytes.size()> 4000 ? 7 : 1) {
    spill(path, bytes.substr(0, n));
    accepted += loads(path, load);
  }
  ag::Generator random(1);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random.next32()) % n; };
  for (int i = 0; i < count; ++i) {
    std::string changed = bytes;
    for (std::size_t k = below(4) + 1; k > 0 && !changed.empty(); --k) {
      const std::size_t at = below(changed.size());
      const std::uint32_t kind = random.next32() % 8;
      if (kind == 0) {
        changed.erase(at, 1 + below(4));
      } else if (kind == 1) {
        changed.insert(at, 1 + below(4), static_cast<char>(random.next32()));
      } else if (kind == 2) {
        changed[at] = static_cast<char>(random.next32() % 2 ? 0xFF : 0x7F);
      } else if (kind == 3) {
        changed[at] = "0123456789-.[]{}\",:"[below(19)];
      } else {
        changed[at] = static_cast<char>(random.next32());
      }
    }
    spill(path, changed);
    loads(path, load);
  }
  return accepted;
}

}  // namespace nn_test
