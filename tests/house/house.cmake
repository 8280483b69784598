# What the house promises of itself: its libraries, its headers, its rooms. Of what is shipped: instrumented code needs and
# exports more.
whence_python_test(house/test_tally.py LABELS house)
whence_python_test(jaeger/test_query.py LABELS house)
whence_python_test(house/test_run.py LABELS house)
whence_python_test(house/test_pages.py LABELS house)
whence_python_test(house/test_behaviours.py LABELS house)
whence_python_test(house/test_scenarios.py LABELS house)
if(NOT WHENCE_SANITIZE AND NOT CMAKE_C_FLAGS MATCHES "--coverage")
    whence_python_test(house/test_headers.py LABELS house TIMEOUT 300)
    whence_python_test(house/test_rooms.py LABELS house TIMEOUT 300)
    whence_python_test(house/test_library.py LABELS house)
endif()
whence_python_test(house/test_inlined.py LABELS house)
