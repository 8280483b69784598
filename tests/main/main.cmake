find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TARGET whence-otlp)
    add_executable(main_program main/program.c)
    target_compile_definitions(main_program PRIVATE _GNU_SOURCE)
    target_compile_options(main_program PRIVATE ${WHENCE_WARNINGS})
    target_link_libraries(main_program PRIVATE whence::otlp)
    set_target_properties(main_program PROPERTIES C_STANDARD 11)
    add_test(NAME main_environment
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/main/test_environment.py $<TARGET_FILE:main_program>)
    set_tests_properties(main_environment PROPERTIES TIMEOUT 120 LABELS python
        ENVIRONMENT "${WHENCE_TEST_ENVIRONMENT}")
endif()
