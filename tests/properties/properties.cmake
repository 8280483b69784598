find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_executable(properties_node properties/node.c)
target_compile_definitions(properties_node PRIVATE _GNU_SOURCE)
target_compile_options(properties_node PRIVATE ${WHENCE_WARNINGS})
set_target_properties(properties_node PROPERTIES C_STANDARD 11)
target_link_libraries(properties_node PRIVATE whence::whence)
add_test(NAME properties_trees
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/properties/test_trees.py $<TARGET_FILE:properties_node>
        $<$<TARGET_EXISTS:whence-tool>:--whence=$<TARGET_FILE:whence-tool>>
    COMMAND_EXPAND_LISTS)
set_tests_properties(properties_trees PROPERTIES TIMEOUT 3000 LABELS "e2e")
