# What a user gets: installed, moved, and built against. Of what is shipped, not of instrumented code.
if(WHENCE_INSTALL AND NOT WHENCE_SANITIZE AND NOT CMAKE_C_FLAGS MATCHES "--coverage")
    whence_python_test(install/test_consumer.py LABELS install TIMEOUT 600)
endif()
