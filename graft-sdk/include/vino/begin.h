/* Opens the declarations of a library header; vino/end.h closes them. */
#include <stddef.h>
#ifdef __cplusplus
#define VINO_RESTRICT __restrict
#define VINO_NORETURN [[noreturn]]
extern "C" {
#else
#define VINO_RESTRICT restrict
#define VINO_NORETURN _Noreturn
#endif
