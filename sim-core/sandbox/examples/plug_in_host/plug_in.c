/* A plug-in that nobody vouches for: gives a word a score, and fails in many ways when told to. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the program offers. */
void note(const char *text, uint64_t length);
uint64_t weight(uint32_t letter);

static void say(const char *text)
{
    note(text, strlen(text));
}

static uint64_t dig(uint64_t depth)
{
    volatile uint64_t here[64] = {depth};

    return dig(depth + 1) + here[depth % 64];
}

/* Called back by the program while it runs `weight`. */
uint32_t is_vowel(uint32_t letter)
{
    return letter != 0 && strchr("aeiou", (int)letter) != NULL;
}

uint64_t score(const char *word, uint64_t length)
{
    uint64_t total = 0;
    char *copy = malloc(length + 1);

    if (copy == NULL)
        return 0;
    memcpy(copy, word, length);
    copy[length] = '\0';
    if (strcmp(copy, "loop") == 0)
        for (;;)
            ;
    if (strcmp(copy, "null") == 0)
        *(volatile uint64_t *)8 = 1;
    if (strcmp(copy, "wild") == 0)
        *(volatile uint64_t *)0x7fff80000000 = 1;
    if (strcmp(copy, "dig") == 0)
        return dig(0);
    if (strcmp(copy, "lie") == 0)
        note((const char *)0x7fff80000000, 16);
    if (strcmp(copy, "hoard") == 0)
        while (malloc(1 << 16) != NULL)
            total++;
    if (length > 8)
        say("that is a long word");
    for (uint64_t i = 0; i < length; i++)
        total += weight((uint8_t)copy[i]);
    free(copy);
    return total;
}
