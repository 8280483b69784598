/* The console on a terminal: its colours, its locale, its width. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "drawing.h"
#include "test.h"
#include "tools.h"

/* ---- terminals ---- */

/* A real terminal: the other end of a pseudo terminal is read until nothing more comes. */
static int open_terminal(unsigned short columns, FILE **out)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    struct termios mode;
    assert_int_equal(tcgetattr(slave, &mode), 0);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    assert_int_equal(tcsetattr(slave, TCSANOW, &mode), 0);
    const struct winsize size = {.ws_row = 50, .ws_col = columns};
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
    *out = fdopen(slave, "w");
    assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    return master;
}

/* A scene that fits into what a terminal holds while nobody reads: 4 KB at a time. */
static const char *draw_on_terminal(const struct scene *scene, unsigned short columns)
{
    FILE *out;
    const int master = open_terminal(columns, &out);
    struct wh_exporter *console = wh_console_exporter_new(out);
    assert_non_null(console);
    export_scene(console, scene);
    assert_int_equal(console->flush(console, WH_NEVER), 0);
    wh_exporter_free(console);
    read_now(master, drawn, sizeof drawn);
    close(master);
    fclose(out);
    return drawn;
}

/* ---- colour ---- */

static void a_terminal_gets_colour(void **state)
{
    (void)state;
    set_environment("C.UTF-8", "60"); /* the terminal knows better */
    compare("sibling.colour.120", draw_on_terminal(&scene_sibling, 120));
    setenv("TERM", "vt100", 1);
    compare("deadline.colour.80", draw_on_terminal(&scene_deadline, 80));
}

static void no_colour_where_it_is_not_wanted(void **state)
{
    (void)state;
    char plain[8192];
    snprintf(plain, sizeof plain, "%s", draw_on_paper(&scene_sibling, "C.UTF-8", "120"));
    setenv("NO_COLOR", "1", 1);
    assert_string_equal(draw_on_terminal(&scene_sibling, 120), plain);
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    assert_string_equal(draw_on_terminal(&scene_sibling, 120), plain);
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "", 1); /* empty counts as not set (no-color.org) */
    assert_non_null(strchr(draw_on_terminal(&scene_sibling, 120), '\033'));
}

/* ---- locale and width ---- */

static void the_locale_is_looked_up_in_its_order(void **state)
{
    (void)state;
    set_environment("C.UTF-8", "80");
    const struct { const char *all, *ctype, *lang; bool utf8; } cases[] = {
        {"C", "C.UTF-8", "C.UTF-8", false}, {"", "en_US.utf8", "C", true}, {"", "", "de_DE.UTF-8@euro", true},
        {"de_DE.ISO-8859-1", "", "C.UTF-8", false}, {"", "", "", false}, {"C.UTF-8", "C", "C", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("LC_ALL", cases[i].all, 1);
        setenv("LC_CTYPE", cases[i].ctype, 1);
        setenv("LANG", cases[i].lang, 1);
        FILE *out = tmpfile();
        struct wh_exporter *console = wh_console_exporter_new(out);
        export_scene(console, &scene_sibling);
        assert_int_equal(console->flush(console, WH_NEVER), 0);
        wh_exporter_free(console);
        const char *text = read_back(out);
        assert_int_equal(strstr(text, "└─") != NULL, cases[i].utf8);
        assert_int_equal(strstr(text, "`- ") != NULL, !cases[i].utf8);
    }
}

/* Every line of every scene, at every width, in both spellings. */
static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    char columns[8];
    for (unsigned width = 60; width <= 160; width += 7) {
        snprintf(columns, sizeof columns, "%u", width);
        for (int ascii = 0; ascii < 2; ascii++) {
            const char *locale = ascii ? "C" : "C.UTF-8";
            assert_lines_fit(draw_on_paper(&scene_client_gone, locale, columns), width);
            assert_lines_fit(draw_on_paper(&scene_deadline, locale, columns), width);
            assert_lines_fit(draw_on_paper(&scene_hostile, locale, columns), width + 8); /* combining marks */
            assert_lines_fit(draw_on_paper(&scene_overrun, locale, columns), width);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_gets_colour),
        cmocka_unit_test(no_colour_where_it_is_not_wanted),
        cmocka_unit_test(the_locale_is_looked_up_in_its_order),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + goldens_written;
}
