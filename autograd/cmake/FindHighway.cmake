# SPDX-License-Identifier: Apache-2.0
# Finds Google Highway and defines Highway::hwy. Debian's own hwy-config.cmake names the static
# and contrib libraries too and breaks where they are not installed, so this looks for the header
# and the one library that is needed. Installed beside autogradConfig.cmake.
find_path(Highway_INCLUDE_DIR hwy/highway.h)
find_library(Highway_LIBRARY hwy)
mark_as_advanced(Highway_INCLUDE_DIR Highway_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Highway
  REQUIRED_VARS Highway_LIBRARY Highway_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install Google Highway, for example the package libhwy-dev")

if(Highway_FOUND AND NOT TARGET Highway::hwy)
  add_library(Highway::hwy UNKNOWN IMPORTED)
  # Imported targets are system includes: warnings inside Highway's headers are not ours.
  set_target_properties(Highway::hwy PROPERTIES
    IMPORTED_LOCATION ${Highway_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${Highway_INCLUDE_DIR})
endif()
