/*
 * How fast RAM can be handed over when all of it goes: the seed of a pair, in plain C.
 *
 * One process sends MB MiB of full pages, non-zero, as records of 256 (header, pfns, pages; one
 * writev a record); the other parses them, puts each page in its place and says so with one
 * byte. The figure is the time from the first byte sent to that byte, p50 in milliseconds, and
 * the throughput of the median round in MiB/s. Nothing is compared, compressed or left out.
 *
 *   seed-stream serve MB               prints {"port":N}, ends with its one connection
 *   seed-stream run PORT MB ROUNDS     RAM in MiB, the same on both
 *                                      prints {"p50":ms,"mbPerS":MiB/s,"rounds":N}
 */
#include "loopback.h"

enum { WARM_UP_ROUNDS = 2 };

static void serve(size_t pages)
{
    uint8_t *ram = new_foreign_memory(pages);
    struct record_reader reader = new_reader(accept_one_peer());
    const struct record *record;
    size_t arrived = 0;
    while ((record = next_record(&reader)) != NULL) {
        if (record->type != PAGES) fail("the sender sent something unexpected");
        arrived += apply_pages(record, ram, pages, NULL);
        if (arrived < pages) continue;
        arrived = 0;
        write_all(reader.peer, "k", 1);
    }
}

static double stream_ms(struct page_sender *sender, size_t pages)
{
    char acknowledgement;
    double start = now_ms();
    for (size_t page = 0; page < pages; page++) send_page(sender, page);
    send_record(sender);
    read_all(sender->peer, &acknowledgement, 1);
    return now_ms() - start;
}

static void run(const char *port, size_t mb, size_t rounds)
{
    static struct page_sender sender;
    size_t pages = mb * PAGES_PER_MB;
    sender.memory = new_ram(pages);
    sender.peer = connect_to(port);
    double *samples = new_samples(rounds);
    for (int i = 0; i < WARM_UP_ROUNDS; i++) stream_ms(&sender, pages);
    for (size_t i = 0; i < rounds; i++) samples[i] = stream_ms(&sender, pages);
    sort_samples(samples, rounds);
    double p50 = quantile(samples, rounds, 0.5);
    printf("{\"p50\":%.4f,\"mbPerS\":%.1f,\"rounds\":%zu}\n", p50, (double)mb * 1e3 / p50, rounds);
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "serve") == 0)
        serve((size_t)number_argument(arguments[2], 1, MEMORY_MB_MAX) * PAGES_PER_MB);
    else if (count == 5 && strcmp(arguments[1], "run") == 0)
        run(arguments[2], (size_t)number_argument(arguments[3], 1, MEMORY_MB_MAX),
            (size_t)number_argument(arguments[4], 1, ROUNDS_MAX));
    else {
        fprintf(stderr, "usage: seed-stream serve MB | run PORT MB ROUNDS\n");
        return 2;
    }
    return 0;
}
