# The base, by subject. Included from tests/CMakeLists.txt.
whence_test(base/test_lock.c LABELS quick)
whence_test(base/test_atfork.c LABELS quick)
whence_test(base/test_clock.c LABELS quick)
whence_test(base/test_text.c LABELS quick)
whence_test(base/test_slab.c LABELS quick)
whence_test(base/test_thread.c LABELS quick)
whence_test(base/test_report.c LABELS quick)
