module whence/tests/context

go 1.21
