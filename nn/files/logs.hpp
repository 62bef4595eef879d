// SPDX-License-Identifier: Apache-2.0
// Logs of a training run that other programs read: TensorBoard's event files and CSV. Both are appended to
// and handed to the system with every call, so that a killed run loses nothing but what it was writing;
// TensorBoard skips a record that is cut off. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nn {

/// Writes scalars that `tensorboard --logdir FOLDER` shows. Sources: tensorflow/core/lib/io/record_writer.cc
/// (length, masked CRC-32C of it, record, masked CRC-32C), tensorflow/core/util/event.proto.
class TensorBoardWriter {
 public:
  /// A new file "events.out.tfevents.<seconds>.<number>" in the folder, which is made where it is missing.
  /// Throws IoError.
  explicit TensorBoardWriter(const std::string& folder);
  TensorBoardWriter(TensorBoardWriter&&) noexcept;
  TensorBoardWriter& operator=(TensorBoardWriter&&) noexcept;
  ~TensorBoardWriter();

  /// One point of the curve `tag` ("loss/train"). Throws IoError, ValueError for a tag that is empty or not
  /// UTF-8.
  void add_scalar(std::string_view tag, double value, std::int64_t step);
  const std::string& path() const;

 private:
  struct File;
  std::unique_ptr<File> file_;
};

/// Writes a table, a line a call; opened anew on an existing file of the same columns it goes on at its end,
/// without a last line that a kill cut off.
class CsvLog {
 public:
  /// Throws IoError, also for an existing file of other columns; ValueError for no columns.
  CsvLog(const std::string& path, std::vector<std::string> columns);
  CsvLog(CsvLog&&) noexcept;
  CsvLog& operator=(CsvLog&&) noexcept;
  ~CsvLog();

  /// Numbers with the fewest digits that read back as the same. Throws ValueError unless there is one for
  /// each column.
  void write(const std::vector<double>& values);

 private:
  struct File;
  std::unique_ptr<File> file_;
};

namespace detail {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);
/// A record with its lengths and sums, as TensorFlow frames it.
std::string framed_record(std::string_view record);

}  // namespace detail
}  // namespace nn
