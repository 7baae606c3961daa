/* zlib: deflate at several levels, inflate, checksums. */
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { TEXT_BYTES = 2 << 20 };

/* Inflates in small pieces, so that every state of the decoder is left and entered again. */
static int inflate_in_pieces(const uint8_t *from, uLong from_bytes, uint8_t *to, uLong to_bytes) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    REQUIRE(20, inflateInit(&stream) == Z_OK);
    stream.next_in = (Bytef *)from;
    stream.next_out = to;
    int status = Z_OK;
    while (status == Z_OK) {
        const uLong left_in = from_bytes - stream.total_in, left_out = to_bytes - stream.total_out;
        stream.avail_in = left_in < 1009 ? (uInt)left_in : 1009;
        stream.avail_out = left_out < 4093 ? (uInt)left_out : 4093;
        status = inflate(&stream, Z_NO_FLUSH);
    }
    REQUIRE(21, status == Z_STREAM_END && stream.total_out == to_bytes);
    REQUIRE(22, inflateEnd(&stream) == Z_OK);
    return 0;
}

int library_run(uint32_t seed) {
    uint8_t *text = malloc(TEXT_BYTES), *copy = malloc(TEXT_BYTES);
    const uLong room = compressBound(TEXT_BYTES);
    uint8_t *packed = malloc(room);
    REQUIRE(1, text && copy && packed);
    make_text(text, TEXT_BYTES, seed);
    const uLong sums[2] = {crc32(0, text, TEXT_BYTES), adler32(1, text, TEXT_BYTES)};
    write_output(sums, sizeof sums);
    static const int levels[] = {0, 1, 3, 6, 9};
    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++) {
        uLong packed_bytes = room, copy_bytes = TEXT_BYTES;
        REQUIRE(2, compress2(packed, &packed_bytes, text, TEXT_BYTES, levels[i]) == Z_OK);
        write_output(packed, packed_bytes);
        REQUIRE(3, uncompress(copy, &copy_bytes, packed, packed_bytes) == Z_OK);
        REQUIRE(4, copy_bytes == TEXT_BYTES && memcmp(copy, text, TEXT_BYTES) == 0);
        memset(copy, 0, TEXT_BYTES);
        const int step = inflate_in_pieces(packed, packed_bytes, copy, TEXT_BYTES);
        REQUIRE(step, step == 0);
        REQUIRE(5, memcmp(copy, text, TEXT_BYTES) == 0);
        /* A damaged stream is refused, not believed. */
        packed[packed_bytes / 2] ^= 0x55;
        copy_bytes = TEXT_BYTES;
        const int status = uncompress(copy, &copy_bytes, packed, packed_bytes);
        REQUIRE(6, status == Z_DATA_ERROR || status == Z_BUF_ERROR);
        write_output(&status, sizeof status);
    }
    free(packed);
    free(copy);
    free(text);
    return 0;
}
