/* bzip2: block sorting, Huffman coding and back. */
#include "host.h"

#include <bzlib.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 1 << 20 };

/* The library calls it when it finds itself broken. */
void bz_internal_error(int code) {
    (void)code;
    abort();
}

int library_run(uint32_t seed) {
    char *text = malloc(TEXT_BYTES), *copy = malloc(TEXT_BYTES);
    const unsigned room = TEXT_BYTES + TEXT_BYTES / 100 + 600;
    char *packed = malloc(room);
    REQUIRE(1, text && copy && packed);
    make_text((uint8_t *)text, TEXT_BYTES, seed);
    /* Long repetitions take the other sorting algorithm. */
    memset(text + TEXT_BYTES / 2, 'r', TEXT_BYTES / 8);
    static const int blocks[] = {1, 9};
    for (unsigned i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        unsigned packed_bytes = room, copy_bytes = TEXT_BYTES;
        REQUIRE(2, BZ2_bzBuffToBuffCompress(packed, &packed_bytes, text, TEXT_BYTES, blocks[i], 0,
                                            0) == BZ_OK);
        write_output(packed, packed_bytes);
        for (int is_small = 0; is_small < 2; is_small++) {
            copy_bytes = TEXT_BYTES;
            REQUIRE(3, BZ2_bzBuffToBuffDecompress(copy, &copy_bytes, packed, packed_bytes, is_small,
                                                  0) == BZ_OK);
            REQUIRE(4, copy_bytes == TEXT_BYTES && memcmp(copy, text, TEXT_BYTES) == 0);
        }
        packed[packed_bytes / 2] ^= 0x55;
        copy_bytes = TEXT_BYTES;
        const int status =
            BZ2_bzBuffToBuffDecompress(copy, &copy_bytes, packed, packed_bytes, 0, 0);
        REQUIRE(5, status < 0);
        write_output(&status, sizeof status);
    }
    free(packed);
    free(copy);
    free(text);
    return 0;
}
