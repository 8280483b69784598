/* An environment of any entries, by every propagator there is. Input: entries, one a line. */
#include "fields.h"

extern char **environ;

/* What a program in this environment hands on to its own child. */
static char **hand_on(char **envp)
{
    environ = envp;
    wh_ctx *ctx = wh_extract_env(NULL);
    char **made = wh_inject_env(ctx, NULL);
    require(made);
    wh_end(ctx);
    return made;
}

/* The first child is told what all formats can say; from then on nothing changes but the time that is left. */
static void go_on(char **envp)
{
    char **child = hand_on(envp), **second = hand_on(child), **third = hand_on(second);
    size_t i = 0;
    for (; second[i] && third[i]; i++)
        require(strncmp(second[i], "WHENCE_TIMEOUT=", 15) == 0 || strcmp(second[i], third[i]) == 0);
    require(!second[i] && !third[i]);
    free(third);
    free(second);
    free(child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *entries[MOST_FIELDS + 1];
    char *text = malloc(size + 1), *rest = text, **ours = environ;
    size_t count = 0;
    memcpy(text, data, size);
    text[size] = '\0';
    while (count < MOST_FIELDS && (entries[count] = strsep(&rest, "\n"))) count++;
    entries[count] = NULL;
    require(wh_set_propagators_named("tracecontext,baggage,b3,b3multi,jaeger,whence") == 0);
    go_on(entries);
    environ = ours;
    free(text);
    return 0;
}
