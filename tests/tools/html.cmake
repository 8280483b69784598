if(TARGET whence_tool)
    whence_test(tools/test_page_text.c LINK whence_tool LABELS quick)
endif()
if(TARGET whence-tool)
    whence_python_test(tools/test_page.py ARGS $<TARGET_FILE:whence-tool> $<TARGET_FILE:tools_scenes> LABELS python)
endif()

# In a real browser: Chromium must be here.
if(TARGET whence-tool AND TARGET demo)
    whence_python_test(tools/test_html.py ARGS $<TARGET_FILE:whence-tool> $<TARGET_FILE:demo> $<TARGET_FILE:tools_scenes>
        LABELS house TIMEOUT 300)
    set_tests_properties(tools_html PROPERTIES RUN_SERIAL ON)
endif()
