# The context, by subject. Included from tests/CMakeLists.txt.
whence_test(context/test_cancel.c LABELS quick)
whence_test(context/test_race.c LABELS quick)
whence_test(context/test_tree.c LABELS quick)
whence_test(context/test_model.c LABELS quick)
whence_test(context/test_storm.c LABELS quick)
whence_test(context/test_wheel.c LABELS quick)
target_include_directories(context_test_wheel PRIVATE ${PROJECT_SOURCE_DIR}/context) # it compiles timer.c anew
whence_test(context/test_deadline.c LABELS quick)
whence_test(context/test_value.c LABELS quick)
whence_test(context/test_detach.c LABELS quick)
whence_test(context/test_callback.c LABELS quick)
whence_test(context/test_stop.c LABELS quick)
whence_test(context/test_wait.c LABELS quick)
