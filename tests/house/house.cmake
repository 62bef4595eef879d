# SPDX-License-Identifier: Apache-2.0
# Tests about the sources themselves: who includes whom, sizes, headers that stand alone, code that
# must not compile, snippets of the documents. Included by tests/CMakeLists.txt.
set(house ${CMAKE_CURRENT_SOURCE_DIR}/house)

# How the scripts below call the compiler.
set(syntax_only ${CMAKE_CXX_COMPILER} ${CMAKE_CXX20_STANDARD_COMPILE_OPTION} -fsyntax-only
    -Wall -Wextra -Wpedantic -I${PROJECT_SOURCE_DIR})
# Naming a folder that the compiler searches anyway would change the order and break #include_next.
if(NOT Highway_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  list(APPEND syntax_only -isystem ${Highway_INCLUDE_DIR})
endif()
if(TARGET Eigen3::Eigen)  # autograd/eigen.hpp
  get_target_property(eigen_folder Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  list(APPEND syntax_only -isystem ${eigen_folder})
endif()

# add_house_test(NAME SCRIPT ARGS...): a Python script that prints what is wrong and returns 1.
function(add_house_test name script)
  add_test(NAME house.${name} COMMAND Python3::Interpreter ${house}/${script} ${ARGN})
  set_tests_properties(house.${name} PROPERTIES LABELS house TIMEOUT 900)
endfunction()

foreach(rule include_rule file_size spdx_line)
  add_house_test(${rule} source_rules.py ${PROJECT_SOURCE_DIR} ${rule})
endforeach()
# The rules are rules about text, so they are tried on text that breaks them.
add_house_test(source_rules_can_fail source_rules_test.py)
add_house_test(headers_compile_alone headers_alone.py ${PROJECT_SOURCE_DIR} ${syntax_only} -Werror)
set_tests_properties(house.headers_compile_alone PROPERTIES RUN_SERIAL TRUE)  # uses every core

# add_compile_fail_test(NAME FILE [EXPECT_REGEX]): FILE must build as it is, and must fail with a
# message matching EXPECT_REGEX under -DMUST_NOT_COMPILE. The default regex is in the file's own
# comment `// expect: regex`.
function(add_compile_fail_test name file)
  add_house_test(compile_fail.${name} compile_fail.py "--expect=${ARGV2}" ${file} ${syntax_only})
endfunction()

file(GLOB snippets CONFIGURE_DEPENDS compile_fail/*.cpp)
foreach(snippet IN LISTS snippets)
  get_filename_component(name ${snippet} NAME_WE)
  add_compile_fail_test(${name} ${snippet})
endforeach()

# A ```cpp block with a main() in the README or a guide, directly followed by a ```text block, is a
# program and what it prints. The blocks are cut out when CMake runs; a change to a document reruns it.
file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md
     ${PROJECT_SOURCE_DIR}/examples/guides/*.md)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${documents})
foreach(document IN LISTS documents)
  get_filename_component(stem ${document} NAME_WE)
  string(TOLOWER snippet_${stem} stem)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${stem})
  execute_process(COMMAND ${Python3_EXECUTABLE} ${house}/snippets.py extract ${document} ${folder}
                  OUTPUT_VARIABLE names COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9]+" names "${names}")
  foreach(name IN LISTS names)
    add_executable(${stem}_${name} ${folder}/${name}.cpp)
    house_executable(${stem}_${name})
    add_test(NAME document.${stem}_${name} COMMAND Python3::Interpreter ${house}/snippets.py compare
             $<TARGET_FILE:${stem}_${name}> ${folder}/${name}.txt)
    set_tests_properties(document.${stem}_${name} PROPERTIES LABELS document TIMEOUT 120)
  endforeach()
endforeach()
