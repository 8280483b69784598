/* Runs a fuzz target without a fuzzer: over its corpus, and over so many changes of it, the same every time. With clang, the
 * fuzz preset links libFuzzer in place of this.
 *
 *   target FOLDER [ROUNDS]
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_FILES = 256, MOST_BYTES = 65536 };

static struct input {
    uint8_t *bytes;
    size_t size;
} inputs[MOST_FILES];
static size_t input_count;

static uint64_t next_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* In memory of exactly its size, so that a read beyond it is seen. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) exit(2);
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void load(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) exit(2);
    for (struct dirent *entry; (entry = readdir(dir)) && input_count < MOST_FILES;) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (!file) continue;
        uint8_t *bytes = malloc(MOST_BYTES);
        if (!bytes) exit(2);
        inputs[input_count++] = (struct input){bytes, fread(bytes, 1, MOST_BYTES, file)};
        fclose(file);
    }
    closedir(dir);
}

static size_t mutate(uint8_t *bytes, size_t size)
{
    for (uint64_t changes = 1 + next_random() % 4; changes; changes--) {
        const size_t at = size ? next_random() % size : 0;
        switch (next_random() % 5) {
        case 0: if (size) bytes[at] ^= (uint8_t)(1u << next_random() % 8); break;
        case 1: if (size) bytes[at] = (uint8_t)next_random(); break;
        case 2: size = at; break;
        case 3: /* something of another one */ {
            const struct input *other = &inputs[next_random() % input_count];
            const size_t from = other->size ? next_random() % other->size : 0;
            size_t len = other->size - from;
            if (len > MOST_BYTES - at) len = MOST_BYTES - at;
            memcpy(bytes + at, other->bytes + from, len);
            if (at + len > size) size = at + len;
            break;
        }
        default:
            if (size < MOST_BYTES) {
                memmove(bytes + at + 1, bytes + at, size - at);
                bytes[at] = (uint8_t)next_random();
                size++;
            }
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[MOST_BYTES];
    const long rounds = argc > 2 ? atol(argv[2]) : 0;
    if (argc < 2) return 2;
    load(argv[1]);
    if (input_count == 0) return 2;
    for (size_t i = 0; i < input_count; i++) run(inputs[i].bytes, inputs[i].size);
    for (long round = 0; round < rounds; round++) {
        const struct input *input = &inputs[next_random() % input_count];
        memcpy(bytes, input->bytes, input->size);
        run(bytes, mutate(bytes, input->size));
    }
    printf("%zu inputs and %ld changes of them\n", input_count, rounds);
    return 0;
}
