whence_test(propagate/test_traceparent.c LABELS quick)
whence_test(propagate/test_timeout.c LABELS quick)
whence_test(propagate/test_propagate.c LABELS quick)
