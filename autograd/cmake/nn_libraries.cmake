# SPDX-License-Identifier: Apache-2.0
# What the readers and writers of nn need beyond the standard library. Each is optional: without it only
# the functions of its file formats throw IoError, naming the package. Their headers stay inside of nn's
# .cpp files; what a static archive needs at link time goes into the installed package, and a program
# that calls none of these functions is not linked to any of them (--as-needed).
set(autograd_dependencies "")  # CMake packages that the installed package finds again
set(nn_libraries "")

# nn_library(FOUND TARGET PACKAGE DEBIAN DEFINE WHAT)
function(nn_library found target package debian define what)
  if(NOT found)
    message(STATUS "${package} not found: nn is built without ${what} (package ${debian})")
    return()
  endif()
  target_compile_definitions(nn PRIVATE ${define}=1)
  list(APPEND nn_libraries ${target})
  set(nn_libraries ${nn_libraries} PARENT_SCOPE)
  if(package)
    set(autograd_dependencies "${autograd_dependencies}find_dependency(${package})\n" PARENT_SCOPE)
  endif()
endfunction()

find_package(ZLIB QUIET)
find_package(PNG QUIET)
find_package(JPEG QUIET)
find_path(Json_INCLUDE_DIR nlohmann/json.hpp)
find_path(SndFile_INCLUDE_DIR sndfile.h)
find_library(SndFile_LIBRARY sndfile)
mark_as_advanced(Json_INCLUDE_DIR SndFile_INCLUDE_DIR SndFile_LIBRARY)

nn_library("${ZLIB_FOUND}" ZLIB::ZLIB ZLIB zlib1g-dev NN_HAVE_ZLIB "gzipped files and NPZ")
nn_library("${PNG_FOUND}" PNG::PNG PNG libpng-dev NN_HAVE_PNG "PNG")
nn_library("${JPEG_FOUND}" JPEG::JPEG JPEG libjpeg-dev NN_HAVE_JPEG "JPEG")
if(Json_INCLUDE_DIR)
  set_source_files_properties(nn/files/safetensors.cpp PROPERTIES COMPILE_DEFINITIONS NN_HAVE_JSON=1)
  target_include_directories(nn SYSTEM PRIVATE ${Json_INCLUDE_DIR})
else()
  message(STATUS "nlohmann's JSON not found: nn is built without safetensors (nlohmann-json3-dev)")
endif()
if(SndFile_INCLUDE_DIR AND SndFile_LIBRARY)
  set_source_files_properties(nn/files/wav.cpp PROPERTIES COMPILE_DEFINITIONS NN_HAVE_SNDFILE=1)
  target_include_directories(nn SYSTEM PRIVATE ${SndFile_INCLUDE_DIR})
  list(APPEND nn_libraries sndfile)  # by its name: it has no CMake package of its own everywhere
else()
  message(STATUS "libsndfile not found: nn is built without WAV (package libsndfile1-dev)")
endif()
target_link_libraries(nn PRIVATE
  -Wl,--push-state,--as-needed ${nn_libraries} -Wl,--pop-state Threads::Threads)
