/* The header "baggage": W3C Baggage, section 3. */
#include "carrier.h"

#include "gate.h"

/* What is sent on of a header that came in; NULL: nothing. Valid until the next call. */
static const char *round_trip(const char *header)
{
    static struct carrier onward;
    WH_AUTO wh_ctx *ctx = extract_one(wh_baggage_propagator(), "Baggage", header);
    carrier_clear(&onward);
    wh_inject_with(ctx, wh_baggage_propagator(), &in_lines, &onward);
    return onward.count ? onward.lines[0].value : NULL;
}

static void accepted(void **state)
{
    (void)state;
    static const struct { const char *in, *out; } rows[] = {
        {"a=1", "a=1"}, {"a=1,b=2", "a=1,b=2"}, {" a = 1 ,\tb\t=\t2\t", "a=1,b=2"}, {"a=", "a="}, {"a=,b=", "a=,b="},
        {"a=1;prop", "a=1;prop"}, {"a=1;p1;p2=v;p3 = v3", "a=1;p1;p2=v;p3 = v3"}, {"a=1 ; p1 ,b=2", "a=1;p1,b=2"}, {"a=1;", "a=1"},
        {"a=1=2==", "a=1=2=="}, {"a=!#$%26'()*+-./:<=>?@[]^_`{|}~", "a=!#$&'()*%2B-./:<=>?@[]^_`{|}~"}, {"!#$%&'*+-.^_`|~09azAZ=1", "!#$%&'*+-.^_`|~09azAZ=1"},
        {"a=%41%42c", "a=ABc"}, {"a=%20", "a=%20"}, {"a=%2c%3B%5c%22%25", "a=%2C%3B%5C%22%25"}, {"a=%c3%A4", "a=%C3%A4"},
        {"a=100%", "a=100%25"}, {"a=%zz", "a=%25zz"}, {"a=%4", "a=%254"}, {"a=%", "a=%25"},
        {",", NULL}, {"a=1,,b=2", "a=1,b=2"}, {",a=1,", "a=1"},
        {"a=1;quo\"te\\", "a=1;quo\"te\\"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *out = round_trip(rows[i].in);
        if (!rows[i].out != !out || (out && strcmp(out, rows[i].out))) fail_msg("%s became %s", rows[i].in, out ? out : "nothing");
    }
}

/* A member that breaks a rule goes, and the others stay. */
static void malformed_members_are_left_out(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a", "=", "=1", "a b=1", "a(=1", "\"a\"=1", "a=\"1\"", "a=b c", "a=b\\c", "a=\x01", "a=\x7f", "a=\xc3\xa4", "\xc3\xa4=1", "a;p=1", "a=1;\x01",
        "a=1;\xff", "a\t b=1", "a@b=1", "a:b=1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char header[64];
        if (round_trip(bad[i])) fail_msg("accepted: %s", bad[i]);
        snprintf(header, sizeof header, "x=1,%s,y=2", bad[i]);
        assert_string_equal(round_trip(header), "x=1,y=2");
    }
    assert_null(round_trip(""));
}

static void values_are_percent_decoded_and_case_is_kept(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = extract_one(wh_baggage_propagator(), "baggage", "Key=%20%E2%82%AC%f0%9F%98%80%2C,key=2");
    assert_string_equal(wh_baggage(ctx, "Key"), " \xe2\x82\xac\xf0\x9f\x98\x80,");
    assert_string_equal(wh_baggage(ctx, "key"), "2");
}

/* "+" is a '+' to us (W3C Baggage, section 3.3.1.3); others read values as those of HTML forms, where it is a blank. */
static void a_plus_is_understood_and_sent_so_that_all_understand_it(void **state)
{
    (void)state;
    static const char *const rows[] = {"a=1+1", "a=1%2B1", "a=1%2b1"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WH_AUTO wh_ctx *ctx = extract_one(wh_baggage_propagator(), "baggage", rows[i]);
        assert_string_equal(wh_baggage(ctx, "a"), "1+1");
        assert_string_equal(round_trip(rows[i]), "a=1%2B1");
    }
    assert_string_equal(round_trip("a+b=1;m+n"), "a+b=1;m+n"); /* only values are encoded */
}

static void what_is_no_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    static const struct { const char *in, *is; } rows[] = {
        {"a=%ff", "\xef\xbf\xbd"}, {"a=x%c3y", "x\xef\xbf\xbdy"}, {"a=%c3%28", "\xef\xbf\xbd("}, {"a=%ed%a0%80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"a=%f0%9f%98x", "\xef\xbf\xbdx"}, {"a=%e2%82", "\xef\xbf\xbd"}, {"a=%80%41", "\xef\xbf\xbd""A"}, {"a=x%00y", "x\xef\xbf\xbdy"},
        {"a=%c0%80", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WH_AUTO wh_ctx *ctx = extract_one(wh_baggage_propagator(), "baggage", rows[i].in);
        assert_string_equal(wh_baggage(ctx, "a"), rows[i].is);
    }
}

static void values_are_encoded_outside_of_baggage_octets_and_percent_always(void **state)
{
    (void)state;
    for (int c = 1; c < 128; c++) {
        struct carrier carrier = {0};
        const char value[2] = {(char)c, '\0'};
        char wanted[8];
        const bool octet = c == 0x21 || (c >= 0x23 && c <= 0x2b) || (c >= 0x2d && c <= 0x3a) || (c >= 0x3c && c <= 0x5b) || (c >= 0x5d && c <= 0x7e);
        snprintf(wanted, sizeof wanted, octet && c != '%' && c != '+' ? "a=%c" : "a=%%%02X", c);
        WH_AUTO wh_ctx *ctx = wh_with_baggage(NULL, "a", value);
        wh_inject(ctx, carrier_set, &carrier);
        assert_string_equal(carrier.lines[0].value, wanted);
        WH_AUTO wh_ctx *back = wh_extract(NULL, carrier_get, &carrier);
        assert_string_equal(wh_baggage(back, "a"), value);
        carrier_clear(&carrier);
    }
}

static void metadata_is_kept_as_one_text_and_sent_on(void **state)
{
    (void)state;
    struct wh_baggage_member member;
    WH_AUTO wh_ctx *ctx = extract_one(wh_baggage_propagator(), "baggage", "a=1 ; k1=v1;k2 ; k3 = \"v;3\" ,b=2");
    assert_true(wh_find_baggage(ctx, "a", &member));
    assert_string_equal(member.value, "1");
    assert_string_equal(member.metadata, "k1=v1;k2 ; k3 = \"v;3\"");
    assert_string_equal(round_trip("a=1 ; k1=v1;k2"), "a=1;k1=v1;k2");
}

static void of_equal_names_the_last_one_holds(void **state)
{
    (void)state;
    assert_string_equal(round_trip("a=1,b=2,a=3;m"), "a=3;m,b=2");
    assert_string_equal(round_trip("a=1;m,a=2"), "a=2");
}

static void several_headers_are_one(void **state)
{
    (void)state;
    struct carrier carrier = {0}, onward = {0};
    carrier_add(&carrier, "baggage", "a=1,b=2");
    carrier_add(&carrier, "x", "y");
    carrier_add(&carrier, "BAGGAGE", "c=3,,bad");
    carrier_add(&carrier, "Baggage", "a=4");
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &in_lines, &carrier);
    wh_inject(ctx, carrier_set, &onward);
    assert_string_equal(onward.lines[0].value, "a=4,b=2,c=3");
    carrier_clear(&carrier);
    carrier_clear(&onward);
}

/* `count` members of `len` bytes each, commas not counted. */
static char *members(size_t count, size_t len)
{
    char *text = malloc(count * (len + 1) + 1), *p = text;
    for (size_t i = 0; i < count; i++) {
        char name[24];
        const int name_len = snprintf(name, sizeof name, "n%zu=", i);
        if (i) *p++ = ',';
        memcpy(p, name, (size_t)name_len);
        memset(p + name_len, 'v', len - (size_t)name_len);
        p += len;
    }
    *p = '\0';
    return text;
}

static size_t members_of(const char *header)
{
    size_t count = header && *header ? 1 : 0;
    for (; header && *header; header++) count += *header == ',';
    return count;
}

static void up_to_64_members_and_8192_bytes_go_on_whole(void **state)
{
    (void)state;
    char *most = members(64, 127); /* 64 * 127 + 63 = 8191 */
    assert_int_equal(strlen(most), 8191);
    assert_string_equal(round_trip(most), most);
    free(most);
    char *one = members(1, 8192);
    assert_string_equal(round_trip(one), one);
    free(one);
    char *two = members(2, 4096);
    two[strlen(two) - 1] = '\0';
    assert_int_equal(strlen(two), 8192);
    assert_string_equal(round_trip(two), two);
    free(two);
}

static void what_is_beyond_is_dropped_by_whole_members(void **state)
{
    (void)state;
    char *many = members(180, 20), *long_ones = members(10, 1000), *one = members(1, 8193);
    const char *out = round_trip(many);
    assert_int_equal(members_of(out), 64);
    assert_memory_equal(out, many, strlen(out));
    assert_int_equal(many[strlen(out)], ',');
    out = round_trip(long_ones);
    assert_int_equal(members_of(out), 8);
    assert_int_equal(strlen(out), 8 * 1000 + 7);
    assert_null(round_trip(one));
    free(many);
    free(long_ones);
    free(one);
    struct carrier carrier = {0};
    char *first = members(5, 1000), *second = members(5, 1001);
    for (char *p = second; *p; p++)
        if (*p == 'n') *p = 'm';
    carrier_add(&carrier, "baggage", first);
    carrier_add(&carrier, "baggage", second);
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &in_lines, &carrier);
    assert_non_null(wh_baggage(ctx, "n4"));
    assert_non_null(wh_baggage(ctx, "m2"));
    assert_null(wh_baggage(ctx, "m3"));
    free(first);
    free(second);
    carrier_clear(&carrier);
}

/* Encoded, values are three times as long. */
static void out_goes_what_fits_encoded(void **state)
{
    (void)state;
    struct carrier carrier = {0};
    char value[2001];
    memset(value, ' ', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "a", value), *b = wh_with_baggage(a, "b", value), *c = wh_with_baggage(b, "c", "small");
    wh_inject(c, carrier_set, &carrier);
    assert_int_equal(strlen(carrier.lines[0].value), 2 + 6000 + 1 + 7);
    assert_string_equal(strchr(carrier.lines[0].value, ','), ",c=small");
    carrier_clear(&carrier);
}

static void a_name_that_is_no_token_does_not_travel(void **state)
{
    (void)state;
    static const char *const names[] = {"a b", "\xc3\xa4", "a,b", "a;b", "a=b", "\"", "a\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct carrier carrier = {0};
        WH_AUTO wh_ctx *one = wh_with_baggage(NULL, names[i], "1"), *two = wh_with_baggage(one, "ok", "2");
        wh_inject(one, carrier_set, &carrier);
        assert_int_equal(carrier.count, 0);
        wh_inject(two, carrier_set, &carrier);
        assert_string_equal(carrier.lines[0].value, "ok=2");
        carrier_clear(&carrier);
    }
}

/* Nor does what could smuggle in a member, or a header. */
static void metadata_that_is_no_header_text_keeps_its_member_at_home(void **state)
{
    (void)state;
    static const char *const metadata[] = {"a,b=1", "a\r\nx: y", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++) {
        struct carrier carrier = {0};
        WH_AUTO wh_ctx *ctx = wh_with_baggage(NULL, "a", "1", .metadata = metadata[i]);
        wh_inject(ctx, carrier_set, &carrier);
        assert_int_equal(carrier.count, 0);
    }
}

static int allocations;

static bool count_allocations(size_t size)
{
    (void)size;
    allocations++;
    return true;
}

static int allocations_for(const char *header)
{
    struct carrier carrier = {0};
    carrier_add(&carrier, "baggage", header);
    wh_end(wh_extract(NULL, carrier_get, &carrier)); /* whatever the first use needs */
    allocations = 0;
    wh__mem_gate = count_allocations;
    wh_ctx *ctx = wh_extract(NULL, carrier_get, &carrier);
    wh__mem_gate = NULL;
    wh_end(ctx);
    carrier_clear(&carrier);
    return allocations;
}

static void nothing_is_allocated_for_a_header_that_is_rejected_and_one_block_for_another(void **state)
{
    (void)state;
    char *huge = malloc((1 << 20) + 1), *many = members(64, 100), *long_one = members(1, 100000);
    static const char fill[] = {'a', ',', '=', ';', ' ', '%', '\xff'};
    for (size_t i = 0; i < sizeof fill; i++) {
        memset(huge, fill[i], 1 << 20);
        huge[1 << 20] = '\0';
        assert_int_equal(allocations_for(huge), 0);
    }
    assert_int_equal(allocations_for("a"), 0);
    assert_int_equal(allocations_for(long_one), 0);
    assert_int_equal(allocations_for("a=1"), 1);
    assert_int_equal(allocations_for("a=%20;m,a=2,b=%ff"), 1);
    assert_int_equal(allocations_for(many), 1);
    free(huge);
    free(many);
    free(long_one);
}

static void without_memory_the_request_goes_on_without_it(void **state)
{
    (void)state;
    struct carrier carrier = {0};
    carrier_add(&carrier, "baggage", "a=1");
    wh_end(wh_extract(NULL, carrier_get, &carrier));
    memory_ends_after(0);
    WH_AUTO wh_ctx *ctx = wh_extract(NULL, carrier_get, &carrier);
    assert_true(memory_is_back());
    assert_int_equal(wh_err(ctx), 0);
    assert_null(wh_baggage(ctx, "a"));
    carrier_clear(&carrier);
}

/* What a remote caller says takes the place of what the parent has; if it says nothing, that stays. */
static void what_comes_in_takes_the_place_of_the_parents(void **state)
{
    (void)state;
    struct carrier carrier = {0}, none = {0};
    carrier_add(&carrier, "baggage", "a=1");
    WH_AUTO wh_ctx *parent = wh_with_baggage(NULL, "own", "1");
    WH_AUTO wh_ctx *from = wh_extract(parent, carrier_get, &carrier), *silent = wh_extract(parent, carrier_get, &none);
    assert_null(wh_baggage(from, "own"));
    assert_string_equal(wh_baggage(from, "a"), "1");
    assert_string_equal(wh_baggage(silent, "own"), "1");
    carrier_clear(&carrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(malformed_members_are_left_out),
        cmocka_unit_test(values_are_percent_decoded_and_case_is_kept),
        cmocka_unit_test(a_plus_is_understood_and_sent_so_that_all_understand_it),
        cmocka_unit_test(what_is_no_utf8_becomes_the_replacement_character),
        cmocka_unit_test(values_are_encoded_outside_of_baggage_octets_and_percent_always),
        cmocka_unit_test(metadata_is_kept_as_one_text_and_sent_on),
        cmocka_unit_test(of_equal_names_the_last_one_holds),
        cmocka_unit_test(several_headers_are_one),
        cmocka_unit_test(up_to_64_members_and_8192_bytes_go_on_whole),
        cmocka_unit_test(what_is_beyond_is_dropped_by_whole_members),
        cmocka_unit_test(out_goes_what_fits_encoded),
        cmocka_unit_test(a_name_that_is_no_token_does_not_travel),
        cmocka_unit_test(metadata_that_is_no_header_text_keeps_its_member_at_home),
        cmocka_unit_test(nothing_is_allocated_for_a_header_that_is_rejected_and_one_block_for_another),
        cmocka_unit_test(without_memory_the_request_goes_on_without_it),
        cmocka_unit_test(what_comes_in_takes_the_place_of_the_parents),
    };
    return cmocka_run_group_tests_name("baggage_header", tests, NULL, NULL);
}
