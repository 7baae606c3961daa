/* Zstandard: every match finder, from the fastest to the optimal parser, and streaming. */
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { TEXT_BYTES = 1 << 20 };

/* Decompresses in small pieces. */
static int decompress_in_pieces(const char *from, size_t from_bytes, char *to) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    REQUIRE(20, stream != NULL);
    ZSTD_inBuffer in = {from, 0, 0};
    ZSTD_outBuffer out = {to, 0, 0};
    size_t status = 1;
    while (status != 0) {
        in.size = from_bytes - in.pos < 911 ? from_bytes : in.pos + 911;
        out.size = TEXT_BYTES - out.pos < 5003 ? TEXT_BYTES : out.pos + 5003;
        status = ZSTD_decompressStream(stream, &out, &in);
        REQUIRE(21, !ZSTD_isError(status));
    }
    REQUIRE(22, out.pos == TEXT_BYTES);
    ZSTD_freeDStream(stream);
    return 0;
}

int library_run(uint32_t seed) {
    char *text = malloc(TEXT_BYTES), *copy = malloc(TEXT_BYTES);
    const size_t room = ZSTD_compressBound(TEXT_BYTES);
    char *packed = malloc(room);
    REQUIRE(1, text && copy && packed);
    make_text((uint8_t *)text, TEXT_BYTES, seed);
    static const int levels[] = {-5, 1, 3, 5, 8, 12, 16, 19};
    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++) {
        /* The slow levels get less to do. */
        const size_t bytes = levels[i] < 9 ? TEXT_BYTES : TEXT_BYTES / 4;
        const size_t packed_bytes = ZSTD_compress(packed, room, text, bytes, levels[i]);
        REQUIRE(2, !ZSTD_isError(packed_bytes));
        write_output(packed, packed_bytes);
        REQUIRE(3, ZSTD_decompress(copy, TEXT_BYTES, packed, packed_bytes) == bytes);
        REQUIRE(4, memcmp(copy, text, bytes) == 0);
        if (bytes == TEXT_BYTES) {
            memset(copy, 0, TEXT_BYTES);
            const int step = decompress_in_pieces(packed, packed_bytes, copy);
            REQUIRE(step, step == 0);
            REQUIRE(5, memcmp(copy, text, TEXT_BYTES) == 0);
        }
    }
    free(packed);
    free(copy);
    free(text);
    return 0;
}
