/*
 * What the pause of a guest costs when its dirty pages are found by comparing: every page of RAM
 * is held against its shadow, the pages that differ are copied into the shadow and their numbers
 * noted.
 *
 * The figure is the time of one such pass in milliseconds, with no network and no second
 * process: the floor under the pause of any pair that has no dirty log. It is bound by memory
 * bandwidth, twice the RAM is read whatever is dirty.
 *
 *   scan-and-copy MB DIRTY ROUNDS    RAM in MiB, share of dirty pages 0..1
 *                                    prints {"p50":ms,"p99":ms,"rounds":N,"pages":dirty a round}
 */
#include "guest-memory.h"

enum { WARM_UP_ROUNDS = 3 };

/* The timed part. Returns the number of pages whose pfn it noted. */
static size_t scan_and_copy(const uint8_t *ram, uint8_t *shadow, size_t pages, uint64_t *dirty_pfns)
{
    size_t dirty = 0;
    for (size_t page = 0; page < pages; page++) {
        if (!page_differs(ram, shadow, page)) continue;
        copy_page(shadow, ram, page);
        dirty_pfns[dirty++] = page;
    }
    return dirty;
}

static double round_ms(uint8_t *ram, uint8_t *shadow, size_t pages, double share, uint64_t *pfns)
{
    size_t expected = dirty_pages(ram, pages, share);
    double start = now_ms();
    size_t found = scan_and_copy(ram, shadow, pages, pfns);
    double took = now_ms() - start;
    if (found != expected) fail("the scan did not find the pages that were dirtied");
    return took;
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: scan-and-copy MB DIRTY ROUNDS\n");
        return 2;
    }
    size_t pages = (size_t)number_argument(arguments[1], 1, MEMORY_MB_MAX) * PAGES_PER_MB;
    double share = number_argument(arguments[2], 0, 1);
    size_t rounds = (size_t)number_argument(arguments[3], 1, ROUNDS_MAX);
    end_after_seconds(RUN_SECONDS_MAX);

    uint8_t *ram = new_ram(pages), *shadow = new_ram(pages);
    uint64_t *pfns = calloc(pages, sizeof *pfns);
    if (pfns == NULL) fail_call("pfns");
    memset(pfns, 1, pages * sizeof *pfns);

    double *samples = new_samples(rounds);
    for (int i = 0; i < WARM_UP_ROUNDS; i++) round_ms(ram, shadow, pages, share, pfns);
    for (size_t i = 0; i < rounds; i++) samples[i] = round_ms(ram, shadow, pages, share, pfns);
    sort_samples(samples, rounds);
    printf("{\"p50\":%.4f,\"p99\":%.4f,\"rounds\":%zu,\"pages\":%zu}\n",
           quantile(samples, rounds, 0.5), quantile(samples, rounds, 0.99), rounds,
           (size_t)((double)pages * share));
    return 0;
}
