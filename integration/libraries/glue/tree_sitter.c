/* tree-sitter with the grammar of JSON: parses, edits, parses again, queries. */
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

enum { TEXT_BYTES_MAX = 1 << 20, DEPTH_MAX = 12 };

const TSLanguage *tree_sitter_json(void);

/* Text under construction. */
struct text {
    char *bytes;
    uint32_t length;
    uint32_t state;
};

static void put(struct text *text, const char *from) {
    const size_t length = strlen(from);
    memcpy(text->bytes + text->length, from, length);
    text->length += (uint32_t)length;
}

static void put_value(struct text *text, unsigned depth) {
    static const char *const leaves[] = {"null", "true",       "-12.5e3", "\"a \\\"b\\\" \\u00e4\"",
                                         "0",    "\"long text\"", "false",   "{}"};
    const uint32_t kind = next_number(&text->state) % 10;
    if (depth == 0 || kind < 4) {
        put(text, leaves[next_number(&text->state) % 8]);
        return;
    }
    const int is_object = kind < 7;
    put(text, is_object ? "{" : "[");
    const uint32_t count = next_number(&text->state) % 6;
    for (uint32_t i = 0; i < count; i++) {
        put(text, i == 0 ? "\n " : ", ");
        if (is_object)
            put(text, i % 2 ? "\"key\": " : "\"other key\" : ");
        put_value(text, depth - 1);
    }
    put(text, is_object ? "}" : "]");
}

/* Writes every node: its kind and its place. */
static void write_tree(const TSTree *tree) {
    TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
    for (;;) {
        const TSNode node = ts_tree_cursor_current_node(&cursor);
        const uint32_t places[] = {ts_node_symbol(node), ts_node_start_byte(node),
                                   ts_node_end_byte(node), ts_node_start_point(node).row,
                                   ts_node_is_error(node)};
        write_output(places, sizeof places);
        if (ts_tree_cursor_goto_first_child(&cursor) || ts_tree_cursor_goto_next_sibling(&cursor))
            continue;
        do {
            if (!ts_tree_cursor_goto_parent(&cursor)) {
                ts_tree_cursor_delete(&cursor);
                return;
            }
        } while (!ts_tree_cursor_goto_next_sibling(&cursor));
    }
}

/* Runs a query and writes what it captures. */
static int write_captures(const TSTree *tree) {
    static const char source[] =
        "(pair key: (string (string_content) @key) value: (_) @value) (array (number) @number)";
    uint32_t place;
    TSQueryError error;
    TSQuery *query =
        ts_query_new(tree_sitter_json(), source, sizeof source - 1, &place, &error);
    REQUIRE(30, query != NULL);
    TSQueryCursor *cursor = ts_query_cursor_new();
    ts_query_cursor_exec(cursor, query, ts_tree_root_node(tree));
    TSQueryMatch match;
    uint32_t index;
    while (ts_query_cursor_next_capture(cursor, &match, &index)) {
        const uint32_t found[] = {match.captures[index].index,
                                  ts_node_start_byte(match.captures[index].node)};
        write_output(found, sizeof found);
    }
    ts_query_cursor_delete(cursor);
    ts_query_delete(query);
    return 0;
}

int library_run(uint32_t seed) {
    struct text text = {malloc(TEXT_BYTES_MAX + 4096), 0, seed | 1};
    TSParser *parser = ts_parser_new();
    REQUIRE(1, text.bytes && parser && ts_parser_set_language(parser, tree_sitter_json()));
    put(&text, "[");
    while (text.length < TEXT_BYTES_MAX / 4) {
        put_value(&text, DEPTH_MAX);
        put(&text, ",\n");
    }
    put(&text, "1]");
    TSTree *tree = ts_parser_parse_string(parser, NULL, text.bytes, text.length);
    REQUIRE(2, tree != NULL);
    write_tree(tree);
    const int step = write_captures(tree);
    REQUIRE(step, step == 0);
    /* Damage it, tell the parser where, and parse again; errors must be recovered from alike. */
    for (unsigned i = 0; i < 20; i++) {
        const uint32_t at = next_number(&text.state) % text.length;
        text.bytes[at] = "x]{\"1"[i % 5];
        /* The places in lines do not matter to the parser. */
        const TSInputEdit edit = {at, at + 1, at + 1, {0, at}, {0, at + 1}, {0, at + 1}};
        ts_tree_edit(tree, &edit);
        TSTree *next = ts_parser_parse_string(parser, tree, text.bytes, text.length);
        REQUIRE(3, next != NULL);
        ts_tree_delete(tree);
        tree = next;
    }
    write_tree(tree);
    char *printed = ts_node_string(ts_tree_root_node(tree));
    write_output(printed, strlen(printed));
    free(printed);
    ts_tree_delete(tree);
    ts_parser_delete(parser);
    free(text.bytes);
    return 0;
}
