/* PCRE2: compiles patterns of every kind, matches them in megabytes, substitutes. */
#include "host.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 1 << 20, OUT_BYTES = 2 << 20 };

static const struct {
    const char *pattern;
    uint32_t options;
} patterns[] = {
    {"[aeiou]{2,}", 0},
    {"\\b(\\w)(\\w)\\w*\\2\\1\\b", 0},
    {"(?i)Q[^u ]", 0},
    {"(?<word>[a-z]+) (?&word) \\k<word>", 0},
    {"^(?:[a-m]+\\s)+", PCRE2_MULTILINE},
    {"(?<=x)y|z(?=a)|(?<!b)c(?!d)", 0},
    {"(a+|b+)*?c", 0},
    {"[[:alpha:]]+[[:punct:]]", 0},
    {"(?>\\w+)(?:ing|ed)?\\b", PCRE2_UNGREEDY},
    {"\\x{e4}|\\p{Lu}|\\X", PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF},
    {"(\\w+)\\s(?(1)\\w|\\d)(?|(a)|(b))", 0},
    {"(((((((((a)|b)|c)|d)|e)|f)|g)|h)|i)++", PCRE2_CASELESS},
};

/* Writes where the first matches are, and how many there are. */
static int match_all(const pcre2_code *code, const uint8_t *text, size_t bytes) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    REQUIRE(20, data != NULL);
    uint32_t count = 0;
    size_t at = 0, sum = 0;
    while (at < bytes && count < 20000) {
        const int found = pcre2_match(code, text, bytes, at, 0, data, NULL);
        if (found < 0) {
            write_output(&found, sizeof found);
            break;
        }
        const PCRE2_SIZE *places = pcre2_get_ovector_pointer(data);
        write_output(places, (size_t)found * 2 * sizeof *places);
        sum += places[1] - places[0];
        at = places[1] > at ? places[1] : at + 1;
        count++;
    }
    write_output(&count, sizeof count);
    write_output(&sum, sizeof sum);
    int workspace[200];
    const int found =
        pcre2_dfa_match(code, text, bytes / 16, 0, 0, data, NULL, workspace, 200);
    write_output(&found, sizeof found);
    pcre2_match_data_free(data);
    return 0;
}

int library_run(uint32_t seed) {
    uint8_t *text = malloc(TEXT_BYTES), *out = malloc(OUT_BYTES);
    REQUIRE(1, text && out);
    make_text(text, TEXT_BYTES, seed);
    for (unsigned i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        int error;
        PCRE2_SIZE place;
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)patterns[i].pattern, PCRE2_ZERO_TERMINATED,
                                         patterns[i].options, &error, &place, NULL);
        REQUIRE(2, code != NULL);
        const int step = match_all(code, text, TEXT_BYTES);
        REQUIRE(step, step == 0);
        pcre2_code_free(code);
    }
    /* Every prefix of a pattern, so that errors are seen, too, with their messages. */
    static const char full[] = "(?i)(a|b(?=c)[^d-f\\d]{2,3}?)*+(?<n>\\k<n>)(?(n)x|y)[[:^word:]]\\Qz";
    for (size_t length = 1; length < sizeof full; length++) {
        int error;
        PCRE2_SIZE place;
        uint8_t message[128];
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)full, length, 0, &error, &place, NULL);
        write_output(&error, sizeof error);
        write_output(&place, sizeof place);
        const int bytes = pcre2_get_error_message(error, message, sizeof message);
        write_output(message, bytes > 0 ? (size_t)bytes : 0);
        pcre2_code_free(code);
    }
    int error;
    PCRE2_SIZE place, bytes = OUT_BYTES;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR) "([a-z])([a-z]+)", PCRE2_ZERO_TERMINATED, 0,
                                     &error, &place, NULL);
    REQUIRE(3, code != NULL);
    const uint32_t options = PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_EXTENDED;
    const int count = pcre2_substitute(code, text, TEXT_BYTES / 4, 0, options, NULL, NULL,
                                       (PCRE2_SPTR) "\\U$1\\E$2-", PCRE2_ZERO_TERMINATED, out,
                                       &bytes);
    REQUIRE(4, count > 0);
    write_output(out, bytes);
    pcre2_code_free(code);
    free(out);
    free(text);
    return 0;
}
