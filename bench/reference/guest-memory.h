/*
 * A guest's RAM for measurements: non-zero everywhere, touched beforehand, dirtied in a known
 * way.
 *
 * Three things made wrong figures before. Memory touched for the first time inside the timed
 * part (page faults cost more than the work), pages of zeros (all of them may be one physical
 * page), and a dirty byte at a fixed place (memcmp stops at the first difference, so its place
 * is its cost).
 *
 * naive-pair.ts does the same steps with the same numbers: both sides of any mixed pair must
 * arrive at the same RAM.
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include "measure.h"

enum { PAGE_SIZE = 4096, PAGES_PER_MB = 256, WORDS_PER_PAGE = PAGE_SIZE / 8 };

static inline uint8_t *new_memory(size_t pages)
{
    uint8_t *memory = aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);
    if (memory == NULL) fail_call("memory");
    return memory;
}

/* RAM whose every word differs from 0 and from its neighbours. */
static inline uint8_t *new_ram(size_t pages)
{
    uint8_t *ram = new_memory(pages);
    for (size_t i = 0; i < pages * PAGE_SIZE / 4; i++) {
        uint32_t value = (uint32_t)i * 2654435761u | 1;
        memcpy(ram + i * 4, &value, 4);
    }
    return ram;
}

/* Touched memory in which no page equals a page of RAM, so that what is copied into it shows. */
static inline uint8_t *new_foreign_memory(size_t pages)
{
    uint8_t *memory = new_memory(pages);
    memset(memory, 0xa4, pages * PAGE_SIZE);
    return memory;
}

static inline uint32_t next_random(void)
{
    static uint32_t state = 12345;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state; /* xorshift32: never 0 */
}

/*
 * Dirties exactly share * pages different pages and returns how many: RAM is cut into as many
 * equal stretches and one page of each is hit, somewhere in it. One 8-byte store a page, which
 * always changes what was there.
 */
static inline size_t dirty_pages(uint8_t *ram, size_t pages, double share)
{
    size_t count = (size_t)((double)pages * share);
    for (size_t i = 0; i < count; i++) {
        size_t first = i * pages / count, past = (i + 1) * pages / count;
        size_t page = first + next_random() % (past - first);
        size_t word = next_random() % WORDS_PER_PAGE;
        uint8_t *place = ram + page * PAGE_SIZE + word * 8;
        uint64_t value;
        memcpy(&value, place, 8);
        value ^= (uint64_t)next_random() << 32;
        value ^= next_random();
        memcpy(place, &value, 8); /* RAM is seen as words of several sizes: no pointers to them */
    }
    return count;
}

static inline int page_differs(const uint8_t *ram, const uint8_t *shadow, size_t page)
{
    return memcmp(ram + page * PAGE_SIZE, shadow + page * PAGE_SIZE, PAGE_SIZE) != 0;
}

static inline void copy_page(uint8_t *to, const uint8_t *from, size_t page)
{
    memcpy(to + page * PAGE_SIZE, from + page * PAGE_SIZE, PAGE_SIZE);
}

/* FNV-1a over 32-bit words. It tells two RAMs apart, and never runs inside a timed part. */
static inline uint32_t digest(const uint8_t *ram, size_t pages)
{
    uint32_t hash = 2166136261u, value;
    for (size_t i = 0; i < pages * PAGE_SIZE / 4; i++) {
        memcpy(&value, ram + i * 4, 4);
        hash = (hash ^ value) * 16777619u;
    }
    return hash;
}

#endif
