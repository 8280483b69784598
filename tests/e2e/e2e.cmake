find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TARGET demo)
    add_test(NAME e2e_incidents
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_incidents.py $<TARGET_FILE_DIR:demo>)
    set_tests_properties(e2e_incidents PROPERTIES TIMEOUT 600 LABELS e2e RUN_SERIAL ON)
endif()
if(TARGET whence-otlp)
    add_executable(e2e_traces e2e/traces.c)
    target_compile_definitions(e2e_traces PRIVATE _GNU_SOURCE)
    target_compile_options(e2e_traces PRIVATE ${WHENCE_WARNINGS})
    set_target_properties(e2e_traces PROPERTIES C_STANDARD 11)
    target_link_libraries(e2e_traces PRIVATE whence::otlp)
    add_test(NAME e2e_collector
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_collector.py $<TARGET_FILE:e2e_traces>)
    set_tests_properties(e2e_collector PROPERTIES TIMEOUT 600 LABELS e2e RUN_SERIAL ON)
endif()

# Wants openssl, for certificates.
if(TARGET whence-otlp)
    add_executable(otlp_send e2e/otlp_send.c)
    target_compile_definitions(otlp_send PRIVATE _GNU_SOURCE)
    target_compile_options(otlp_send PRIVATE ${WHENCE_WARNINGS})
    set_target_properties(otlp_send PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
    target_link_libraries(otlp_send PRIVATE whence-otlp-static)
    add_test(NAME e2e_otlp
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_otlp.py $<TARGET_FILE:otlp_send>)
    set_tests_properties(e2e_otlp PROPERTIES TIMEOUT 600 LABELS e2e RUN_SERIAL ON)
endif()
