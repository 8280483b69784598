add_library(test_exporters STATIC exporters/drawing.c exporters/lines.c exporters/reading.c exporters/recorded.c
    exporters/scenes.c)
target_compile_options(test_exporters PRIVATE ${WHENCE_WARNINGS})
target_compile_definitions(test_exporters
    PUBLIC GOLDEN="${CMAKE_CURRENT_SOURCE_DIR}/exporters/golden"
    PRIVATE OTLP_JSON="${CMAKE_CURRENT_SOURCE_DIR}/exporters/otlp_json.py")
set_target_properties(test_exporters PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
foreach(room base trace exporters)
    target_include_directories(test_exporters PRIVATE ${PROJECT_SOURCE_DIR}/${room}/include)
endforeach()
target_link_libraries(test_exporters PUBLIC test_support)

foreach(subject json value_text read read_malformed read_request scopes memory
        console console_hostile console_terminal console_when console_bounds console_pipe console_stream
        file file_disk file_failures file_readers file_rotation file_sharing)
    whence_test(exporters/test_${subject}.c LABELS quick LINK test_exporters m)
endforeach()
