// SPDX-License-Identifier: Apache-2.0
// The exceptions of the library. Every message reads
//   <function>: <what is wrong>: <the values>; need <condition> (<the numbers>)
// A caller's mistake throws before anything is recorded or written.
#pragma once

#include <stdexcept>
#include <string>

namespace autograd {

/// Base of everything that this library throws.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Shapes that do not fit an operation.
struct ShapeError : Error {
  using Error::Error;
};
/// An argument outside of its range.
struct ValueError : Error {
  using Error::Error;
};
/// A dtype that an operation does not take.
struct TypeError : Error {
  using Error::Error;
};
/// Misuse of a tape: a consumed recording, a stale value, a value changed after it was saved.
struct TapeError : Error {
  using Error::Error;
};
/// A replayed program would have branched the other way.
struct BranchError : Error {
  using Error::Error;
};
/// An operation made a NaN or an infinity while anomaly mode was on (anomaly.hpp).
struct AnomalyError : Error {
  using Error::Error;
};
/// A file that cannot be read or written.
struct IoError : Error {
  using Error::Error;
};

}  // namespace autograd
