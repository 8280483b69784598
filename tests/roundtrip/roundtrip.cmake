# Random spans, read by decoders of others. Included from tests/CMakeLists.txt.
if(NOT TARGET whence-otlp)
    return()
endif()
add_executable(roundtrip_spans roundtrip/spans.c roundtrip/do.c roundtrip/value.c)
target_compile_definitions(roundtrip_spans PRIVATE _GNU_SOURCE)
target_compile_options(roundtrip_spans PRIVATE ${WHENCE_WARNINGS})
target_link_libraries(roundtrip_spans PRIVATE whence-static whence-otlp-static m)
set_target_properties(roundtrip_spans PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
# Alone: also for the sanitizers, and for valgrind.
add_test(NAME roundtrip_spans COMMAND roundtrip_spans 5 500 130 /dev/null file:/dev/null)
set_tests_properties(roundtrip_spans PROPERTIES TIMEOUT 300 LABELS quick ENVIRONMENT "${WHENCE_TEST_ENVIRONMENT}")
whence_python_test(roundtrip/test_codec.py ARGS $<TARGET_FILE:roundtrip_spans> LABELS python TIMEOUT 1800)
whence_python_test(roundtrip/test_jaeger.py ARGS $<TARGET_FILE:roundtrip_spans> LABELS e2e TIMEOUT 600)
