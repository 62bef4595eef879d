// SPDX-License-Identifier: Apache-2.0
#include "logs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <autograd/autograd.hpp>

#include "file.hpp"
#include "protobuf.hpp"

namespace nn {

using autograd::ValueError;

namespace {

/// A file that is appended to.
class Appender {
 public:
  Appender(const char* function, std::string path, int flags)
      : function_(function), path_(std::move(path)) {
    fd_ =
        ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | flags, 0666);
    if (fd_ < 0) fail("cannot open");
  }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;
  ~Appender() {
    if (fd_ >= 0) ::close(fd_);
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail("cannot write");
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
  }
  const std::string& path() const { return path_; }

 private:
  [[noreturn]] void fail(const char* what) const {
    detail::throw_io(function_, what, path_, std::string(": ") + std::strerror(errno),
                     "a folder that can be written, and room on the disk");
  }
  const char* function_;
  std::string path_;
  int fd_ = -1;
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Event: 1 wall_time, double; 2 step, int64; 3 file_version, string; 5 summary.
detail::ProtoMessage event_at(double time) { return detail::ProtoMessage().number(1, time); }

}  // namespace

namespace detail {

std::uint32_t crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> values{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t r = i;
      for (int bit = 0; bit < 8; ++bit) r = (r >> 1) ^ (r & 1 ? 0x82F63B78u : 0u);
      values[i] = r;
    }
    return values;
  }();
  std::uint32_t sum = 0xFFFFFFFF;
  for (const char c : bytes) sum = table[(sum ^ static_cast<unsigned char>(c)) & 255] ^ sum >> 8;
  return ~sum;
}

std::string framed_record(std::string_view record) {
  const auto put_sum = [](std::string& to, std::string_view bytes) {
    put_fixed(to, std::rotr(crc32c(bytes), 15) + 0xA282EAD8u, 4);
  };
  std::string framed;
  put_fixed(framed, record.size(), 8);
  put_sum(framed, std::string(framed));
  framed += record;
  put_sum(framed, record);
  return framed;
}

}  // namespace detail

// --- TensorBoard

struct TensorBoardWriter::File {
  Appender out;
};

TensorBoardWriter::TensorBoardWriter(const std::string& folder) {
  static std::atomic<int> count{0};
  detail::check_path("TensorBoardWriter", folder, "a folder");
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const double now = seconds_now();
  const std::string name = "events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now)) +
                           "." + std::to_string(::getpid()) + "." + std::to_string(count++);
  file_.reset(
      new File{{"TensorBoardWriter", (std::filesystem::path(folder) / name).string(), O_EXCL}});
  file_->out.write(detail::framed_record(event_at(now).text(3, "brain.Event:2").bytes()));
}

TensorBoardWriter::TensorBoardWriter(TensorBoardWriter&&) noexcept = default;
TensorBoardWriter& TensorBoardWriter::operator=(TensorBoardWriter&&) noexcept = default;
TensorBoardWriter::~TensorBoardWriter() = default;

const std::string& TensorBoardWriter::path() const { return file_->out.path(); }

void TensorBoardWriter::add_scalar(std::string_view tag, double value, std::int64_t step) {
  if (tag.empty() || !detail::is_utf8(tag)) {
    throw ValueError("TensorBoardWriter.add_scalar: not a tag: " + std::to_string(tag.size()) +
                     " bytes; need one character or more, in UTF-8");
  }
  detail::ProtoMessage point, summary;
  point.text(1, tag).number(2, static_cast<float>(value));  // Summary.Value: tag, simple_value
  summary.message(1, point);                                // Summary: value, repeated
  const auto event = event_at(seconds_now()).integer(2, step).message(5, summary);
  file_->out.write(detail::framed_record(event.bytes()));
}

// --- CSV

struct CsvLog::File {
  Appender out;
  std::size_t columns;
};

namespace {

std::string header_of(const std::vector<std::string>& columns) {
  std::string line;
  for (const std::string& column : columns) {
    line += line.empty() ? "" : ",";
    if (column.find_first_of(",\"\r\n") == std::string::npos) {
      line += column;
      continue;
    }
    line += '"';
    for (const char c : column) line += c == '"' ? "\"\"" : std::string(1, c);
    line += '"';
  }
  return line + "\n";
}

}  // namespace

/// Bytes up to the end of the last whole line.
static std::uint64_t whole_lines(const detail::InputFile& file) {
  std::string piece;
  for (std::uint64_t end = file.size(); end > 0; end -= piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(end, 4096)));
    file.read(end - piece.size(), piece.data(), piece.size());
    if (const std::size_t at = piece.rfind('\n'); at != piece.npos)
      return end - piece.size() + at + 1;
  }
  return 0;
}

CsvLog::CsvLog(const std::string& path, std::vector<std::string> columns) {
  if (columns.empty()) throw ValueError("CsvLog: no columns: the list is empty; need at least one");
  detail::check_path("CsvLog", path);
  const std::string header = header_of(columns);
  std::error_code ignored;
  std::uint64_t whole = 0, bytes = 0;
  if (std::filesystem::exists(path, ignored)) {
    const detail::InputFile old("CsvLog", path);
    std::string front(std::min<std::uint64_t>(header.size(), old.size()), '\0');
    old.read(0, front.data(), front.size());
    if (!header.starts_with(front)) {
      detail::throw_io("CsvLog", "the file has other columns", path, "",
                       "the columns it began with, or another path");
    }
    bytes = old.size();
    whole = whole_lines(old);
  }
  file_.reset(new File{{"CsvLog", path, 0}, columns.size()});  // throws where it cannot be written
  if (whole < bytes) std::filesystem::resize_file(path, whole, ignored);
  if (whole == 0) file_->out.write(header);
}

CsvLog::CsvLog(CsvLog&&) noexcept = default;
CsvLog& CsvLog::operator=(CsvLog&&) noexcept = default;
CsvLog::~CsvLog() = default;

void CsvLog::write(const std::vector<double>& values) {
  if (values.size() != file_->columns) {
    throw ValueError("CsvLog.write: number of values: " + std::to_string(values.size()) +
                     "; need one for each column (" + std::to_string(file_->columns) + ")");
  }
  std::string line;
  for (const double value : values) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    line += (line.empty() ? "" : ",") + std::string(digits.data(), end);
  }
  file_->out.write(line + "\n");
}

}  // namespace nn
