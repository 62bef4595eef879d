# SPDX-License-Identifier: Apache-2.0
# What save_onnx writes, for onnx's checker and OpenCV: a test where a Python has both. Included by
# tests/CMakeLists.txt. Nothing installs them, they are some 300 MB; onnx_test.cpp needs neither.
if(NOT ONNX_PYTHON)
  foreach(python IN ITEMS ${Python3_EXECUTABLE} /usr/bin/python3)  # Debian's packages are of the latter
    execute_process(COMMAND ${python} -c "import cv2, numpy, onnx" RESULT_VARIABLE lacking
                    OUTPUT_QUIET ERROR_QUIET)
    if(lacking EQUAL 0)
      set(ONNX_PYTHON ${python} CACHE INTERNAL "A Python with the modules onnx and cv2")
      break()
    endif()
  endforeach()
endif()

if(ONNX_PYTHON)
  add_executable(onnx_models nn/onnx_models.cpp)
  house_executable(onnx_models)
  target_compile_options(onnx_models PRIVATE $<IF:$<CONFIG:Release>,-O1,-O0>)
  target_compile_definitions(onnx_models PRIVATE AUTOGRAD_INLINE=inline)
  add_test(NAME onnx.models_run_in_opencv
           COMMAND ${ONNX_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/nn/onnx_check.py
                   $<TARGET_FILE:onnx_models>)
  set_tests_properties(onnx.models_run_in_opencv PROPERTIES LABELS unit TIMEOUT 300
                       ENVIRONMENT ${test_environment})
else()
  message(STATUS "Python's onnx and cv2 not found: the test of ONNX files in OpenCV is left out "
                 "(packages python3-onnx python3-opencv)")
endif()
