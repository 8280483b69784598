# The base, by subject. Included from tests/CMakeLists.txt.
whence_test(base/test_lock.c LABELS quick)
