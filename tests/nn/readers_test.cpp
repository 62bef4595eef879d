// SPDX-License-Identifier: Apache-2.0
// Readers of IDX, CSV, text, NPY, NPZ: values, messages, hostile files, the real data.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "files_support.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using nn_test::attack;
using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::Folder;
using nn_test::golden;
using nn_test::slurp;
using nn_test::spill;

std::string idx(unsigned char type, std::initializer_list<unsigned char> extents,
                const std::string& data) {
  std::string bytes{'\0', '\0', static_cast<char>(type), static_cast<char>(extents.size())};
  for (const unsigned char extent : extents)
    bytes += std::string("\0\0\0", 3) + static_cast<char>(extent);
  return bytes + data;
}

TEST(Idx, Types) {
  const Folder folder;
  const std::string path = folder / "a";
  spill(path, idx(8, {2, 2}, "\x01\x02\xff\x04"));
  EXPECT_EQ(nn::read_idx(path).dtype(), ag::int64);
  EXPECT_EQ(nn::read_idx(path).shape(), (ag::Shape{2, 2}));
  expect_values(nn::read_idx(path, {.dtype = ag::float32}), {1, 2, 255, 4});
  spill(path, idx(9, {1}, "\xff"));
  EXPECT_EQ(nn::read_idx(path).item(), -1);
  spill(path, idx(11, {1}, "\xff\x00"s));
  EXPECT_EQ(nn::read_idx(path).item(), -256);
  spill(path, idx(12, {1}, "\x01\x00\x00\x02"s));
  EXPECT_EQ(nn::read_idx(path).item(), 16777218);
  spill(path, idx(13, {1}, "\x3f\xc0\x00\x00"s));
  EXPECT_EQ(nn::read_idx(path).dtype(), ag::float32);
  EXPECT_EQ(nn::read_idx(path).item(), 1.5);
  EXPECT_THROW(nn::read_idx(path, {.dtype = ag::int64}), ag::TypeError);
  EXPECT_THROW(nn::read_idx(path, {.dtype = ag::boolean}), ag::TypeError);
}

TEST(Idx, Refuses) {
  const Folder folder;
  const std::string path = folder / "a", front = "read_idx: ", at = ": '" + path + "'";
  const auto refuses = [&](const std::string& bytes, const std::string& what) {
    spill(path, bytes);
    expect_message<ag::IoError>(front + what, [&] { nn::read_idx(path); });
  };
  refuses("\1\0\x8\1"s, "not an IDX file" + at + "; need two zero bytes at the start");
  refuses("\0\0\x7\1"s, "not an IDX file" + at + ", type 7; need 8, 9, 11, 12, 13 or 14");
  refuses("\0\0\x8\0"s, "not an IDX file" + at + ", 0 axes; need 1 to 8");
  refuses("\0\0\x8\1\xff\xff\xff\xff"s,
          "the header lies about sizes" + at +
              ", shape [4294967295]; need at most the 8 bytes that the file can hold");
  refuses(idx(8, {3}, "ab"),
          "the file is too short" + at + ", shape [3]; need 3 bytes of elements");
  refuses(idx(8, {3, 4}, "").substr(0, 10),
          "the file is too short" + at + ", 2 bytes are missing; need a complete file");
  refuses(idx(8, {1}, "ab"),
          "bytes after the last element" + at + ", shape [1]; need a file that ends there");
  spill(path, idx(8, {3, 2}, "abcdef"));
  EXPECT_EQ(attack(slurp(path), 2000, [](const std::string& p) { nn::read_idx(p); }), 0);
}

std::string gzipped(const std::string& bytes) {
  std::string end;
  for (const std::uint64_t number : {std::uint64_t{nn::detail::crc32(bytes)}, bytes.size()}) {
    for (int i = 0; i < 4; ++i) end += static_cast<char>(number >> 8 * i & 255);
  }
  return "\x1f\x8b\x08\0\0\0\0\0\0\xff"s + nn::detail::deflate_raw(bytes) + end;
}

/// While it lives, the library may take `bytes` more for tensors.
struct FewTensors {
  explicit FewTensors(std::size_t bytes) {
    ag::empty_cache();
    ag::set_memory_limit(ag::memory_stats().current_bytes + bytes);
  }
  FewTensors(const FewTensors&) = delete;
  FewTensors& operator=(const FewTensors&) = delete;
  ~FewTensors() { ag::set_memory_limit(~std::size_t{0}); }
};

TEST(Idx, TakesNoMemoryForWhatIsNotThere) {
  const Folder folder;
  const std::string path = folder / "a";
  spill(path, gzipped(idx(8, {2}, "\1\2")));
  SKIP_WITHOUT_LIBRARY(nn::read_idx(path));
  expect_values(nn::read_idx(path), {1, 2});
  std::string random;  // a file of a megabyte could hold 2^30 bytes
  ag::Generator generator(1);
  while (random.size() < 1'100'000) random += static_cast<char>(generator.next32());
  const FewTensors few(1 << 20);
  spill(path, gzipped("\0\0\x8\1\x40\0\0\0"s + random));
  expect_message<ag::IoError>("read_idx: the file is too short: '" + path +
                                  "', shape [1073741824]; need 1073741824 bytes of elements",
                              [&] { nn::read_idx(path); });
  spill(path, gzipped("\0\0\x8\1\0\x10\0\0"s + random.substr(0, 1 << 20)));
  expect_message<ag::IoError>("read_idx: the file is too large: '" + path +
                                  "', shape [1048576] in int64; need memory for all elements",
                              [&] { nn::read_idx(path); });
}

TEST(Idx, MnistOfTheRealData) {
  const std::string root = nn_test::real_data("mnist");
  if (root.empty()) GTEST_SKIP() << "no real data; set AUTOGRAD_DATA to its folder";
  SKIP_WITHOUT_LIBRARY(nn::read_idx(root + "/t10k-labels-idx1-ubyte.gz"));
  const ag::Tensor x = nn::read_idx(root + "/t10k-images-idx3-ubyte.gz", {.dtype = ag::float32});
  const ag::Tensor y = nn::read_idx(root + "/t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(x.shape(), (ag::Shape{10000, 28, 28}));
  EXPECT_NEAR(ag::mean(x).item(), 33.791, 1e-3);
  EXPECT_EQ(y.at({0}), 7);
  const std::string labels = slurp(root + "/t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(attack(labels.substr(0, 300), 300, [](const std::string& p) { nn::read_idx(p); }), 0);
}

TEST(Csv, Rfc4180) {
  const nn::Table table("t", "a,b,\"c \"\"d\"\"\"\r\n1,\"x,\ny\",2.5\r\n\r\n-3,,1e2");
  EXPECT_EQ(table.names(), (std::vector<std::string>{"a", "b", "c \"d\""}));
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(table.at(0, 1), "x,\ny");
  EXPECT_EQ(table.line(1), 5);
  EXPECT_EQ(table.strings("b")[1], "");
  expect_values(table.numbers({"a", "c \"d\""}, ag::float64), {1, 2.5, -3, 100});
  EXPECT_EQ(nn::Table("t", "").rows(), 0);
  EXPECT_EQ(nn::Table("t", "\xEF\xBB\xBFx\n1\n").names()[0], "x");
  EXPECT_EQ(nn::Table("t", "1;2\n3;4", {.header = false, .delimiter = ';'}).numbers().at({1, 1}),
            4);
}

TEST(Csv, EveryLineEnd) {
  for (const char* text : {"a,b\r1,2\r3,4\r", "a,b\r\n1,2\r\n3,4", "a,b\n1,2\r\r3,4\n"}) {
    const nn::Table table("t", text);
    ASSERT_EQ(table.rows(), 2) << text;
    expect_values(table.numbers(), {1, 2, 3, 4});
  }
  const nn::Table quotes("t", "a\r\"x\r\ny\rz\"\rw\r");
  EXPECT_EQ(quotes.at(0, 0), "x\r\ny\rz");
  EXPECT_EQ(quotes.line(1), 5);
}

TEST(Csv, RefusesOptionsThatContradictThemselves) {
  const std::string need =
      "; need two that differ and are no line ends, a delimiter that is not zero";
  const auto refuses = [&](nn::CsvOptions options, const std::string& values) {
    expect_message<ag::ValueError>("Table: options contradict themselves: " + values + need,
                                   [&] { nn::Table("t", "a\n1\n", options); });
  };
  refuses({.delimiter = '\n'}, R"(delimiter is '\n', quote is '"')");
  refuses({.delimiter = '\r'}, R"(delimiter is '\r', quote is '"')");
  refuses({.delimiter = '"'}, R"(delimiter is '"', quote is '"')");
  refuses({.delimiter = '\0'}, R"(delimiter is '\x00', quote is '"')");
  refuses({.quote = '\n'}, R"(delimiter is ',', quote is '\n')");
  EXPECT_EQ(nn::Table("t", "a\"b\n1\"2\n", {.delimiter = '"', .quote = '\0'}).columns(), 2);
}

// With a search for every column 20,000 of them took five seconds.
TEST(Csv, ManyColumns) {
  std::string text = "c0";
  for (int i = 1; i < 100'000; ++i) text += ",c" + std::to_string(i);
  text += "\n0";
  for (int i = 1; i < 100'000; ++i) text += "," + std::to_string(i);
  const nn::Table table("t", text);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(table.numbers().at({0, 99'999}), 99'999);
  EXPECT_EQ(table.numbers(table.names()).at({0, 99'999}), 99'999);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 5);
  try {
    table.column("x");
    ADD_FAILURE();
  } catch (const ag::ValueError& error) {
    EXPECT_LT(std::strlen(error.what()), 400u);
  }
}

TEST(Csv, TextOfTheFileInMessages) {
  expect_message<ag::IoError>(
      R"(Table.numbers: line 2, column 'a\x1b' is 'x\x00y\xff': 't'; need a number of dtype float32)",
      [&] { nn::Table("t", "a\x1b\nx\0y\xff\n"s).numbers(); });
  expect_message<ag::IoError>("Table.numbers: line 2, column 'a' is '" + std::string(60, 'x') +
                                  "...' (1000 bytes): 't'; need a number of dtype float32",
                              [&] { nn::Table("t", "a\n" + std::string(1000, 'x')).numbers(); });
}

TEST(Csv, ErrorsNameTheLine) {
  const auto refuses = [](const std::string& text, const std::string& message) {
    expect_message<ag::IoError>(message, [&] { nn::Table("t", text).numbers(); });
  };
  refuses("a,b\n1,2\n3\n", "Table: line 3 has 1 fields: 't'; need as many as the first row (2)");
  refuses("a\n\"x\ny",
          "Table: line 2 opens a quote that is never closed: 't'; need a closing quote");
  refuses(
      "a\nx\"y\n",
      "Table: line 2 has a quote inside of a field: 't'; need fields with quotes to be in quotes");
  refuses(
      "a\n\"x\"y\n",
      "Table: line 2 goes on after a closing quote: 't'; need a delimiter or the line's end there");
  refuses("a,a\n", "Table: line 1 names a column twice: 't'; need names that differ");
  refuses("a\n1\nx1\n",
          "Table.numbers: line 3, column 'a' is 'x1': 't'; need a number of dtype float32");
  const nn::Table table("t", "a,b\n1.5,1\n");
  EXPECT_THROW(table.numbers({"a"}, ag::int64), ag::IoError);
  EXPECT_TRUE(table.numbers({"b"}, ag::boolean).item());
  expect_message<ag::ValueError>("Table.column: no such column: 'c'; need one of a, b",
                                 [&] { table.column("c"); });
  EXPECT_THROW(table.at(1, 0), ag::ValueError);
  attack("a,\"b\"\n1,2\r\n\"3\",\"x\"\"\ny\"\n", 3000,
         [](const std::string& p) { nn::read_csv(p); });
}

// As NumPy: what is nearer to zero than any number of the dtype is the nearest one.
TEST(Csv, NumbersNearZero) {
  const std::string many(400, '0');
  const auto numbers = [](const std::string& text, ag::DType dtype) {
    return nn_test::values(nn::Table("t", text, {.header = false}).numbers({}, dtype));
  };
  for (const std::string& text :
       {"1e-46"s, "0." + std::string(51, '0') + "1", "1e-400"s, "+1E-99999999999999999999"s,
        "0." + many + "7e+9"s, "." + many + "1", "123.4e-500"s, "1" + many + "e-900",
        " 7e-46\t"s}) {
    const std::vector<double> x = numbers(text + "\n-1e-400\n", ag::float32);
    EXPECT_EQ(x[0], 0) << text;
    EXPECT_FALSE(std::signbit(x[0])) << text;
    EXPECT_TRUE(std::signbit(x[1])) << text;
  }
  using Floats = std::numeric_limits<float>;
  using Doubles = std::numeric_limits<double>;
  const double least = Floats::denorm_min();
  EXPECT_EQ(numbers("7.1e-46\n-1e-45\n1e-40\n-1e-46", ag::float32),
            (std::vector<double>{least, -least, static_cast<double>(1e-40F), 0}));
  EXPECT_EQ(numbers("1e-46\n3e-324\n2e-324\n-1e-400\n0." + many + "1", ag::float64),
            (std::vector<double>{1e-46, Doubles::denorm_min(), 0, 0, 0}));
  EXPECT_EQ(numbers("3.4028235e38", ag::float32)[0], static_cast<double>(Floats::max()));
  EXPECT_EQ(numbers("1" + many + "e-400", ag::float32)[0], 1);
}

TEST(Csv, NumbersTooLarge) {
  const auto refuses = [](const std::string& field, ag::DType dtype, const std::string& need) {
    const std::string type = ag::name(dtype);
    expect_message<ag::IoError>("Table.numbers: line 2, column 'a' is '" + field +
                                    "', too large for " + type + ": 't'; need " + need,
                                [&] { nn::Table("t", "a\n" + field + "\n").numbers({}, dtype); });
  };
  const std::string many(50, '0');
  for (const std::string& field : {"1e39"s, "-3.5e+38"s, "1" + many, "0.0001e43"s}) {
    refuses(field, ag::float32, "a number of dtype float32, or dtype float64");
  }
  for (const std::string& field : {"1e999"s, "-1E99999999999999999999"s, "0." + many + "1e400"}) {
    refuses(field, ag::float32, "a number of dtype float32");
    refuses(field, ag::float64, "a number of dtype float64");
  }
  refuses("99999999999999999999", ag::int64, "a number of dtype int64");
}

TEST(Csv, SentimentOfTheRealData) {
  const std::string root = nn_test::real_data("sst2");
  if (root.empty()) GTEST_SKIP() << "no real data; set AUTOGRAD_DATA to its folder";
  const nn::Table train = nn::read_tsv(root + "/train.tsv");
  EXPECT_EQ(train.rows(), 6920);
  EXPECT_EQ(train.columns(), 2);
  EXPECT_GT(ag::mean(train.numbers({"1"})).item(), 0.5);
}

TEST(Text, LinesAndGzip) {
  const Folder folder;
  spill(folder / "a", "one\r\n\ntwo\n");
  EXPECT_EQ(nn::read_lines(folder / "a"), (std::vector<std::string>{"one", "", "two"}));
  const std::string root = nn_test::real_data("multi30k");
  if (root.empty()) GTEST_SKIP() << "no real data; set AUTOGRAD_DATA to its folder";
  SKIP_WITHOUT_LIBRARY(nn::read_lines(root + "/val.lc.norm.tok.de.gz"));
  EXPECT_EQ(nn::read_lines(root + "/val.lc.norm.tok.de.gz").size(), 1014u);
  EXPECT_THROW(nn::read_text(root + "/val.lc.norm.tok.de.gz", 1000), ag::IoError);
}

// Below /proc the system says that files have no bytes.
TEST(Text, FilesWithoutASize) {
  if (!fs::exists("/proc/self/status")) GTEST_SKIP() << "no /proc here";
  EXPECT_NE(nn::read_text("/proc/self/status").find("Threads:"), std::string::npos);
  EXPECT_NE(nn::read_file("/proc/self/status").find("Threads:"), std::string::npos);
  EXPECT_GT(
      nn::read_csv("/proc/self/mounts", {.header = false, .delimiter = '\1', .quote = '\0'}).rows(),
      0);
  const Folder folder;
  spill(folder / "empty", "");
  EXPECT_EQ(nn::read_text(folder / "empty"), "");
}

TEST(Text, ABombOfGzip) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer takes the memory itself";
#endif
  const Folder folder;
  const std::string path = folder / "a.gz";
  const std::string member = gzipped(std::string(1 << 24, 'x'));
  std::string bomb;
  for (int i = 0; i < 128; ++i) bomb += member;  // 2 GiB
  spill(path, member);
  SKIP_WITHOUT_LIBRARY(nn::read_text(path));
  spill(path, bomb);
  expect_message<ag::IoError>(
      "read_text: the text is too long: '" + path + "'; need at most 1000000 bytes",
      [&] { nn::read_text(path, 1'000'000); });
  const pid_t child = fork();  // the limit on memory is the child's
  if (child == 0) {
    const rlimit limit{std::size_t{1} << 29, std::size_t{1} << 29};
    setrlimit(RLIMIT_DATA, &limit);
    try {
      nn::read_text(path);
    } catch (const ag::IoError& error) {
      const bool named = std::strstr(error.what(), path.c_str()) != nullptr;
      _exit(named && std::strstr(error.what(), "there is no memory for it") ? 0 : 1);
    } catch (...) {
    }
    _exit(2);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Npy, RoundTrip) {
  const Folder folder;
  const std::string path = folder / "a.npy";
  for (const ag::Tensor& x : {ag::tensor({{1.5, 2}, {3, 4}}), ag::tensor({1, 0}, ag::boolean),
                              ag::tensor(2.5, ag::float64), ag::zeros({0, 3}, ag::int64),
                              ag::transpose(ag::tensor({{1, 2, 3}, {4, 5, 6}}, ag::int64))}) {
    nn::write_npy(path, x);
    const ag::Tensor y = nn::read_npy(path);
    EXPECT_EQ(y.dtype(), x.dtype());
    EXPECT_TRUE(ag::equal(x, y));
  }
  const auto load = [](const std::string& p) { nn::read_npy(p); };
  EXPECT_EQ(attack(slurp(path), 5000, load), 0);
  EXPECT_THROW(nn::write_npy(path, ag::Tensor()), ag::ValueError);
}

TEST(Npy, Refuses) {
  const Folder folder;
  const std::string path = folder / "a";
  const auto refuses = [&](const std::string& header, const std::string& what, int bytes = 8) {
    spill(path, "\x93NUMPY\x01\x00"s + static_cast<char>(header.size()) + '\0' + header +
                    std::string(bytes, '\1'));
    try {
      nn::read_npy(path);
      ADD_FAILURE() << what;
    } catch (const ag::IoError& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  };
  const std::string end = "'fortran_order': False, 'shape': (2,)}";
  refuses("{'descr': '|O', " + end, "a dtype that is not known here");
  refuses("{'descr': '<c8', " + end, "a dtype that is not known here");
  refuses("{'descr': [('a', '<f4')], " + end, "the header is malformed");
  refuses("{'descr': '<f4', 'descr': '<f4', " + end, "the header is malformed");
  refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "lies about sizes");
  refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "bytes and shape disagree");
  refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999, 99999999999999)}",
          "lies");
  refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "the header is malformed");
  refuses("__import__('os')", "the header is malformed");
}

TEST(Npz, NumPysFiles) {
  SKIP_WITHOUT_LIBRARY(nn::read_npz(golden("arrays.npz")));
  for (const char* name : {"arrays.npz", "arrays_deflated.npz"}) {
    const nn::StateDict arrays = nn::read_npz(golden(name));
    EXPECT_EQ(arrays.size(), 13u);
    for (const char* quarter : {"f4", "big", "half"}) {
      EXPECT_EQ(arrays.at(quarter).dtype(), ag::float32);
      expect_values(arrays.at(quarter), {0, 0.25, 0.5, 0.75, 1, 1.25}, 0);
    }
    EXPECT_EQ(arrays.at("f8").at({1, 2}), 5 / 3.0);
    expect_values(arrays.at("bool"), {0, 1, 0, 1, 0, 1});
    expect_values(arrays.at("u1"), {250, 251, 252, 253, 254, 255});
    expect_values(arrays.at("i2"), {-3, -2, -1, 0, 1, 2});
    expect_values(arrays.at("i4"), {-3, -2, -1, 0, 1, 2});
    EXPECT_EQ(arrays.at("i8").data<std::int64_t>()[5], 5 - (std::int64_t{1} << 60));
    EXPECT_TRUE(
        ag::equal(arrays.at("fortran"), ag::reshape(ag::arange(24, ag::float64), {2, 3, 4})));
    EXPECT_EQ(arrays.at("scalar").item(), 2.5);
    EXPECT_EQ(arrays.at("empty").shape(), (ag::Shape{0, 3}));
  }
}

TEST(Npz, RoundTripAndHostileFiles) {
  SKIP_WITHOUT_LIBRARY(nn::read_npz(golden("arrays.npz")));
  const Folder folder;
  nn::StateDict arrays;
  arrays.insert("a", ag::tensor({{1.5, 2}, {3, 4}}));
  arrays.insert("../größe", ag::zeros({1000}, ag::int64));  // a name, never a path
  const auto load = [](const std::string& p) { nn::read_npz(p); };
  for (const bool compress : {false, true}) {
    nn::write_npz(folder / "a.npz", arrays, {.compress = compress});
    const nn::StateDict back = nn::read_npz(folder / "a.npz");
    EXPECT_TRUE(ag::equal(back.at("../größe"), arrays.at("../größe")));
    EXPECT_TRUE(ag::equal(back.at("a"), arrays.at("a")));
    EXPECT_EQ(attack(slurp(folder / "a.npz"), 3000, load), 0);
  }
  EXPECT_LT(fs::file_size(folder / "a.npz"), 1000u);
}

TEST(Npz, NamesOfDirectoryAndEntryMustAgree) {
  SKIP_WITHOUT_LIBRARY(nn::read_npz(golden("arrays.npz")));
  const Folder folder;
  const std::string path = folder / "a.npz", name = "w.npy";
  nn::StateDict arrays;
  arrays.insert("w", ag::ones({1}));
  nn::write_npz(path, arrays);
  const std::string good = slurp(path);
  for (const std::size_t start : {good.find(name), good.rfind(name)}) {
    for (std::size_t bit = 0; bit < 8 * name.size(); ++bit) {
      std::string bytes = good;
      bytes[start + bit / 8] = static_cast<char>(bytes[start + bit / 8] ^ 1 << bit % 8);
      spill(path, bytes);
      EXPECT_THROW(nn::read_npz(path), ag::IoError) << start << ", " << bit;
    }
  }
  const auto refuses = [&](std::size_t at, char c, const std::string& names) {
    std::string bytes = good;
    bytes[at] = c;
    spill(path, bytes);
    expect_message<ag::IoError>("read_npz: the archive is damaged: '" + path + "', " + names +
                                    " at the entry itself; need an intact file",
                                [&] { nn::read_npz(path); });
  };
  refuses(good.rfind(name), 'v', "'v.npy' of its directory is 'w.npy'");
  refuses(good.find(name), '\x1b', R"('w.npy' of its directory is '\x1b.npy')");
  refuses(26, 4, "'w.npy' of its directory is 'w.np'");  // the length at the entry
}

TEST(Npz, CountOfTheEntries) {
  SKIP_WITHOUT_LIBRARY(nn::read_npz(golden("arrays.npz")));
  const Folder folder;
  const std::string path = folder / "a.npz";
  nn::StateDict arrays;
  arrays.insert("a", ag::ones({1}));
  arrays.insert("b", ag::ones({1}));
  nn::write_npz(path, arrays);
  const std::string good = slurp(path);
  const auto refuses = [&](std::size_t from_end, int count, const std::string& what) {
    std::string bytes = good;
    for (std::size_t at = bytes.size() - from_end; at <= bytes.size() - 12; at += 2) {
      bytes[at] = static_cast<char>(count);
    }
    spill(path, bytes);
    expect_message<ag::IoError>("read_npz: " + what, [&] { nn::read_npz(path); });
  };
  const std::string damaged =
      "the archive is damaged: '" + path + "', 2 entries in its directory; ";
  refuses(14, 1, damaged + "need as many as its end says (1)");
  refuses(14, 3, damaged + "need as many as its end says (3)");
  refuses(14, 0, damaged + "need as many as its end says (0)");
  refuses(12, 3,
          "an archive in parts: '" + path + "', 3 entries in all; need one in a single file (2)");
}

}  // namespace
