if(NOT TARGET whence-otlp)
    return()
endif()
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)

add_library(test_collector STATIC support/collector.c support/collector_answers.c support/collector_requests.c)
target_include_directories(test_collector PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/support)
target_compile_definitions(test_collector PRIVATE _GNU_SOURCE)
target_compile_options(test_collector PRIVATE ${WHENCE_WARNINGS})
set_target_properties(test_collector PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
target_link_libraries(test_collector PUBLIC Threads::Threads PRIVATE ZLIB::ZLIB)

foreach(subject otlp otlp_target otlp_fork otlp_leaving otlp_memory otlp_main otlp_json otlp_json_read otlp_grpc otlp_verdict
        otlp_split otlp_options strategies jaeger_sampler)
    whence_test(exporters/test_${subject}.c LABELS quick LINK whence-otlp-static test_collector)
endforeach()
foreach(subject otlp_failures otlp_retry otlp_time otlp_provider otlp_survival)
    whence_test(exporters/test_${subject}.c LABELS slow LINK whence-otlp-static test_collector TIMEOUT 180)
endforeach()

# These look inside.
foreach(subject otlp_fork otlp_leaving otlp_memory otlp_retry otlp_json_read otlp_grpc otlp_verdict otlp_split strategies
        jaeger_sampler)
    target_include_directories(exporters_test_${subject} PRIVATE ${PROJECT_SOURCE_DIR}/exporters/otlp/include)
    target_link_libraries(exporters_test_${subject} PRIVATE CURL::libcurl)
endforeach()
