/* Filters that would rather do harm. */
#include <stddef.h>
#include <stdint.h>

/* Paints over the host's own picture, whose address it was told. */
int32_t paint_over(uint64_t picture, uint64_t bytes)
{
    volatile uint8_t *at = (uint8_t *)picture;

    for (size_t i = 0; i < bytes; i++)
        at[i] = 0;
    return 0;
}

/* Keeps the machine for itself. */
int32_t never_return(uint64_t picture, uint64_t bytes)
{
    (void)picture;
    (void)bytes;
    for (;;)
        ;
}
