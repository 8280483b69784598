# A test in Python, with unittest. Nothing is written into the source tree; tests/house/house.py may be imported.
#
#   whence_python_test(<folder>/test_<subject>.py [ARGS <argument>...] LABELS <label>... [TIMEOUT <seconds>])
function(whence_python_test source)
    cmake_parse_arguments(TEST "" "TIMEOUT" "ARGS;LABELS" ${ARGN})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 300)
    endif()
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    string(REGEX REPLACE "^(.*)/test_(.*)\\.py$" "\\1_\\2" name ${source})
    foreach(lib whence whence-otlp whence-curl whence-microhttpd whence-sqlite)
        if(TARGET ${lib})
            list(APPEND libraries "${lib}=$<TARGET_FILE:${lib}>")
        endif()
    endforeach()
    list(JOIN libraries "," libraries)
    add_test(NAME ${name} COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${TEST_ARGS})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}")
    set_property(TEST ${name} PROPERTY ENVIRONMENT
        PYTHONDONTWRITEBYTECODE=1
        "${WHENCE_TEST_ENVIRONMENT}"
        PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/house
        WHENCE_SOURCE=${PROJECT_SOURCE_DIR}
        WHENCE_BUILD=${PROJECT_BINARY_DIR}
        WHENCE_CC=${CMAKE_C_COMPILER}
        WHENCE_LIBRARIES=${libraries})
endfunction()
