/* LZ4: fast and high compression, and the frame format with its checksums. */
#include "host.h"

#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 2 << 20 };

int library_run(uint32_t seed) {
    char *text = malloc(TEXT_BYTES), *copy = malloc(TEXT_BYTES);
    LZ4F_preferences_t preferences;
    memset(&preferences, 0, sizeof preferences);
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    preferences.frameInfo.blockSizeID = LZ4F_max64KB;
    const size_t room = LZ4F_compressFrameBound(TEXT_BYTES, &preferences) + 1024;
    char *packed = malloc(room);
    REQUIRE(1, text && copy && packed);
    make_text((uint8_t *)text, TEXT_BYTES, seed);
    /* Accelerations above 0, levels of high compression below. */
    static const int efforts[] = {1, 8, -3, -9, -12};
    for (unsigned i = 0; i < sizeof efforts / sizeof *efforts; i++) {
        const int effort = efforts[i];
        const int bytes = effort > 0
                              ? LZ4_compress_fast(text, packed, TEXT_BYTES, (int)room, effort)
                              : LZ4_compress_HC(text, packed, TEXT_BYTES, (int)room, -effort);
        REQUIRE(2, bytes > 0);
        write_output(packed, (size_t)bytes);
        REQUIRE(3, LZ4_decompress_safe(packed, copy, bytes, TEXT_BYTES) == TEXT_BYTES);
        REQUIRE(4, memcmp(copy, text, TEXT_BYTES) == 0);
    }
    const size_t frame = LZ4F_compressFrame(packed, room, text, TEXT_BYTES, &preferences);
    REQUIRE(5, !LZ4F_isError(frame));
    write_output(packed, frame);
    LZ4F_dctx *context;
    REQUIRE(6, !LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)));
    size_t read = 0, written = 0;
    while (read < frame) {
        size_t from = frame - read < 777 ? frame - read : 777, to = TEXT_BYTES - written;
        REQUIRE(7, !LZ4F_isError(LZ4F_decompress(context, copy + written, &to, packed + read,
                                                 &from, NULL)));
        read += from;
        written += to;
    }
    REQUIRE(8, written == TEXT_BYTES && memcmp(copy, text, TEXT_BYTES) == 0);
    LZ4F_freeDecompressionContext(context);
    free(packed);
    free(copy);
    free(text);
    return 0;
}
