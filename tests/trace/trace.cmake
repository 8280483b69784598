whence_test(trace/test_span.c LABELS quick)
whence_test(trace/test_cancellation.c LABELS quick)
whence_test(trace/test_sampler.c LABELS quick LINK m)
whence_test(trace/test_provider.c LABELS quick)
