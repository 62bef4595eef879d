# SPDX-License-Identifier: Apache-2.0
# Finds the headers of Google Highway: Highway_INCLUDE_DIR. Its library is not linked, because its
# static initializer measures a timer for 4 ms in every program (autograd/kernels/dispatch.cpp).
find_path(Highway_INCLUDE_DIR hwy/highway.h)
mark_as_advanced(Highway_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Highway
  REQUIRED_VARS Highway_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install Google Highway, for example the package libhwy-dev")
