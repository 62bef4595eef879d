# SPDX-License-Identifier: Apache-2.0
# Compile options of our own code: libraries, tests, benchmarks and examples. None of them reach
# whoever links the library.

# house_options(TARGET): warnings, and nothing that changes results between machines.
function(house_options target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  # -Wconversion is left out: kernels mix signed extents and unsigned sizes on every line, and the
  # casts that silence it hide more than it finds.
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
    -Wvla -Wcast-qual -Wredundant-decls
    # Results stay the same, but loops with a square root can be vectorized.
    -fno-math-errno)
  if(AUTOGRAD_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlapping copies in `"text" + std::string` (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
endfunction()

# house_executable(TARGET): a program of ours that links the library and only keeps what it uses.
function(house_executable target)
  target_link_libraries(${target} PRIVATE autograd::nn)
  house_options(${target})
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_link_options(${target} PRIVATE LINKER:--gc-sections)
  endif()
endfunction()

# house_includes(OUT FILE TEXT): whether FILE, or a "header" of ours that it includes, includes TEXT;
# keeps watching these files for changes.
function(house_includes out file text)
  cmake_path(NORMAL_PATH file)  # ninja refuses one file under two names
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  get_filename_component(folder ${file} DIRECTORY)
  set(found FALSE)
  file(STRINGS ${file} includes REGEX "^ *# *include *[<\"]")
  foreach(line IN LISTS includes)
    if(NOT line MATCHES "[<\"]([^>\"]+)[>\"]")
      continue()
    endif()
    set(header ${CMAKE_MATCH_1})
    if(header STREQUAL text)
      set(found TRUE)
    elseif(line MATCHES "\"" AND EXISTS ${folder}/${header} AND NOT found)
      house_includes(found ${folder}/${header} ${text})
    endif()
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()
