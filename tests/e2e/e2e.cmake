find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TARGET demo)
    add_test(NAME e2e_incidents
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_incidents.py $<TARGET_FILE_DIR:demo>)
    set_tests_properties(e2e_incidents PROPERTIES TIMEOUT 600 LABELS e2e RUN_SERIAL ON)
endif()
