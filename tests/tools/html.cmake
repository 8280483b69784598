# In a real browser: Chromium must be here.
if(TARGET whence-tool AND TARGET demo)
    whence_python_test(tools/test_html.py ARGS $<TARGET_FILE:whence-tool> $<TARGET_FILE:demo> LABELS house TIMEOUT 300)
    set_tests_properties(tools_html PROPERTIES RUN_SERIAL ON)
endif()
