whence_test(context/test_cancel.c LABELS quick)
