/*
 * The digest that ours puts into each checkpoint, word by word the same (shared/memory/page-mix.ts
 * and checkpoint-digest.ts), so that the plain C pair does as much work for each page. Vectors are
 * those of 128 bits that WebAssembly has as well.
 */
#ifndef PAGE_DIGEST_H
#define PAGE_DIGEST_H

#include "guest-memory.h"

#if defined(__x86_64__)
#define VECTOR_CODE __attribute__((target("sse4.1")))
#else
#define VECTOR_CODE
#endif

enum { CHAINS = 32, SUMS = 8, LANES = 4, BLOCK_BYTES = CHAINS * 4, SHIFT = 15 };
enum { CHAIN_VECTORS = CHAINS / LANES, SUM_VECTORS = SUMS / LANES };

#define FACTOR 0x9e3779b1u
#define LOW_FACTOR 0x85ebca6bu
#define HIGH_FACTOR 0xc2b2ae35u

typedef uint32_t vector __attribute__((vector_size(16)));

struct page_digest {
    vector chains[CHAIN_VECTORS], sums[SUM_VECTORS];
    uint32_t low, high, pages;
};

static inline uint32_t step(uint32_t chain, uint32_t word, uint32_t factor)
{
    uint32_t mixed = (chain ^ word) * factor;
    return mixed ^ (mixed >> SHIFT);
}

static inline void digest_word(struct page_digest *digest, uint32_t word)
{
    digest->low = step(digest->low, word, LOW_FACTOR);
    digest->high = step(digest->high, word, HIGH_FACTOR);
}

static inline void begin_digest(struct page_digest *digest)
{
    for (uint32_t i = 0; i < CHAINS; i++) {
        digest->chains[i / LANES][i % LANES] = (i + 1) * FACTOR;
    }
    memset(digest->sums, 0, sizeof digest->sums);
    digest->low = 0x243f6a89;
    digest->high = 0x13198a2f;
    digest->pages = 0;
}

VECTOR_CODE static inline vector vector_step(vector chain, vector words)
{
    vector mixed = (chain ^ words) * FACTOR;
    return mixed ^ (mixed >> SHIFT);
}

VECTOR_CODE static void digest_page(struct page_digest *digest, uint32_t pfn, const uint8_t *page)
{
    vector chains[CHAIN_VECTORS], sums[SUM_VECTORS];
    memcpy(chains, digest->chains, sizeof chains);
    memcpy(sums, digest->sums, sizeof sums);
    chains[0] = vector_step(chains[0], (vector){pfn, pfn, pfn, pfn});
    for (size_t at = 0; at < PAGE_SIZE; at += BLOCK_BYTES) {
#pragma GCC unroll 8
        for (int i = 0; i < CHAIN_VECTORS; i++) {
            vector words;
            memcpy(&words, page + at + i * sizeof words, sizeof words);
            chains[i] = vector_step(chains[i], words);
            sums[i % SUM_VECTORS] += chains[i];
        }
    }
    memcpy(digest->chains, chains, sizeof chains);
    memcpy(digest->sums, sums, sizeof sums);
    digest->pages++;
}

static inline uint32_t fold(const struct page_digest *digest, uint32_t start, uint32_t factor)
{
    uint32_t chain = start;
    for (int i = 0; i < CHAINS; i++) {
        chain = step(chain, digest->chains[i / LANES][i % LANES], factor);
    }
    for (int i = 0; i < SUMS; i++) {
        chain = step(chain, digest->sums[i / LANES][i % LANES], factor);
    }
    return chain;
}

/* Of the pages and of the state, which is `count` words. */
static inline uint64_t end_digest(struct page_digest *digest, const uint32_t *state, int count)
{
    for (int i = 0; i < count; i++) digest_word(digest, state[i]);
    digest_word(digest, digest->pages);
    uint64_t high = fold(digest, digest->high, HIGH_FACTOR);
    return high << 32 | fold(digest, digest->low, LOW_FACTOR);
}

#endif
