/*
 * The whole job in plain C: two processes that keep two RAMs equal, one checkpoint after
 * another.
 *
 * The primary asks, hears that the secondary stands still, finds its dirty pages with memcmp
 * against a shadow, copies them there and sends them from it in records of 256 (writev), and
 * waits for received and loaded. Both make the digest of the checkpoint that ours make, and the
 * secondary compares them. It puts pages in place as they arrive: unlike ours it stages nothing,
 * so it could not survive the death of the primary in mid-checkpoint. There is no validation
 * beyond bounds and the digest, no heartbeat, no trace. It is what ours would be without
 * everything that makes it a product.
 *
 * The figure is the time from the request to loaded in milliseconds. It is to be compared with a
 * whole checkpoint of the real pair, not with its pause: this guest would stand still all that
 * time.
 *
 *   checkpoint-pair serve MB                    prints {"port":N}, ends with its one connection
 *   checkpoint-pair run PORT MB DIRTY ROUNDS    RAM in MiB, the same on both; dirty share 0..1
 *       prints {"p50":ms,"p99":ms,"rounds":N,"rate":checkpoints a second,"equal":are both RAMs}
 */
#include "loopback.h"

enum { WARM_UP_ROUNDS = 10 };

/* The secondary */

static void serve(size_t pages)
{
    uint8_t *ram = new_foreign_memory(pages);
    struct record_reader reader = new_reader(accept_one_peer());
    const struct record empty_list = {DIRTY_LIST, 0};
    const struct record *record;
    static struct page_digest digest_of_pages;
    begin_digest(&digest_of_pages);
    while ((record = next_record(&reader)) != NULL) {
        switch (record->type) {
        case REQUEST:
            write_state(reader.peer, REPLY, 0);
            write_all(reader.peer, &empty_list, sizeof empty_list);
            break;
        case PAGES:
            apply_pages(record, ram, pages, &digest_of_pages);
            break;
        case END:
            check_end(record, &digest_of_pages);
            write_state(reader.peer, RECEIVED, 0);
            write_state(reader.peer, LOADED, 0);
            break;
        case DIGEST_REQUEST:
            write_state(reader.peer, DIGEST, digest(ram, pages));
            break;
        default:
            fail("the primary sent something unexpected");
        }
    }
}

/* The primary */

struct primary {
    int peer;
    size_t pages;
    uint8_t *ram, *shadow;
    struct page_digest digest;
    struct page_sender sender; /* sends from the shadow, which is the checkpoint */
};

static void send_dirty_pages(struct primary *primary)
{
    for (size_t page = 0; page < primary->pages; page++) {
        if (!page_differs(primary->ram, primary->shadow, page)) continue;
        copy_page(primary->shadow, primary->ram, page);
        send_page(&primary->sender, page);
    }
    send_record(&primary->sender);
}

static double checkpoint_ms(struct primary *primary)
{
    struct record list;
    double start = now_ms();
    write_state(primary->peer, REQUEST, 0);
    read_state(primary->peer, REPLY);
    read_all(primary->peer, &list, sizeof list);
    if (list.type != DIRTY_LIST || list.length != 0) fail("the secondary lists pages of its own");
    send_dirty_pages(primary);
    write_end(primary->peer, &primary->digest);
    read_state(primary->peer, RECEIVED);
    read_state(primary->peer, LOADED);
    return now_ms() - start;
}

static void run(const char *port, size_t pages, double share, size_t rounds)
{
    static struct primary primary;
    primary.pages = pages;
    primary.ram = new_ram(pages);
    primary.shadow = new_foreign_memory(pages);
    primary.peer = primary.sender.peer = connect_to(port);
    primary.sender.memory = primary.shadow;
    primary.sender.digest = &primary.digest;
    begin_digest(&primary.digest);
    double *samples = new_samples(rounds);

    checkpoint_ms(&primary); /* the seed: no page is like its shadow yet, so all of them go */
    for (int i = 0; i < WARM_UP_ROUNDS; i++) {
        dirty_pages(primary.ram, pages, share);
        checkpoint_ms(&primary);
    }
    double total_ms = 0;
    for (size_t i = 0; i < rounds; i++) {
        dirty_pages(primary.ram, pages, share);
        total_ms += samples[i] = checkpoint_ms(&primary);
    }
    write_state(primary.peer, DIGEST_REQUEST, 0);
    int equal = read_state(primary.peer, DIGEST) == digest(primary.ram, pages);

    sort_samples(samples, rounds);
    printf("{\"p50\":%.4f,\"p99\":%.4f,\"rounds\":%zu,\"rate\":%.1f,\"equal\":%s}\n",
           quantile(samples, rounds, 0.5), quantile(samples, rounds, 0.99), rounds,
           (double)rounds * 1e3 / total_ms, equal ? "true" : "false");
    if (!equal) exit(1);
}

static size_t pages_argument(const char *text)
{
    return (size_t)number_argument(text, 1, MEMORY_MB_MAX) * PAGES_PER_MB;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "serve") == 0) serve(pages_argument(arguments[2]));
    else if (count == 6 && strcmp(arguments[1], "run") == 0)
        run(arguments[2], pages_argument(arguments[3]), number_argument(arguments[4], 0, 1),
            (size_t)number_argument(arguments[5], 1, ROUNDS_MAX));
    else {
        fprintf(stderr, "usage: checkpoint-pair serve MB | run PORT MB DIRTY ROUNDS\n");
        return 2;
    }
    return 0;
}
