# Counted where the figures mean something: optimized, by gcc (whose debug information every valgrind reads), not instrumented.
find_program(WHENCE_VALGRIND valgrind)
if(WHENCE_BENCH AND WHENCE_VALGRIND AND NOT WHENCE_SANITIZE AND CMAKE_BUILD_TYPE MATCHES "^Rel" AND CMAKE_C_COMPILER_ID STREQUAL "GNU"
   AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    whence_python_test(bench/test_instructions.py LABELS house TIMEOUT 300)
endif()
