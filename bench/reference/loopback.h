/*
 * Two processes that talk over loopback TCP: one connection, TCP_NODELAY, blocking, and records
 * on it that look like Xen's: {type, length of the body}, body. Byte order is the machine's own,
 * since both ends are on it.
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "page-digest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { ACCEPT_SECONDS_MAX = 30 };

static inline int send_at_once(int peer)
{
    int yes = 1;
    if (setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) fail_call("TCP_NODELAY");
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone shall be an error with a name */
    end_after_seconds(RUN_SECONDS_MAX);
    return peer;
}

/* Listens on a free port, says which on stdout, and takes one connection. */
static inline int accept_one_peer(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0) fail_call("socket");
    if (bind(listener, (struct sockaddr *)&address, length) != 0) fail_call("bind");
    if (listen(listener, 1) != 0) fail_call("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) fail_call("getsockname");

    end_after_seconds(ACCEPT_SECONDS_MAX);
    printf("{\"port\":%d}\n", ntohs(address.sin_port));
    fflush(stdout);
    int peer = accept(listener, NULL, NULL);
    if (peer < 0) fail_call("accept");
    close(listener);
    return send_at_once(peer);
}

static inline int connect_to(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)number_argument(port, 1, 65535));
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    if (peer < 0) fail_call("socket");
    if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0) fail_call("connect");
    return send_at_once(peer);
}

/* Writes all of the buffers; uses them up as it goes. */
static inline void write_buffers(int peer, struct iovec *buffers, int count)
{
    while (count > 0) {
        ssize_t written = writev(peer, buffers, count);
        if (written < 0) fail_call("write");
        while (count > 0 && (size_t)written >= buffers->iov_len) {
            written -= (ssize_t)buffers->iov_len;
            buffers++;
            count--;
        }
        if (count > 0) {
            buffers->iov_base = (uint8_t *)buffers->iov_base + written;
            buffers->iov_len -= (size_t)written;
        }
    }
}

static inline void write_all(int peer, const void *bytes, size_t length)
{
    struct iovec buffer = {(void *)bytes, length};
    write_buffers(peer, &buffer, 1);
}

/* 1: all bytes are there; 0: the peer has closed before the first of them. */
static inline int read_all_or_end(int peer, void *bytes, size_t length)
{
    for (size_t have = 0; have < length;) {
        ssize_t count = read(peer, (uint8_t *)bytes + have, length - have);
        if (count < 0) fail_call("read");
        if (count == 0 && have == 0) return 0;
        if (count == 0) fail("the peer closed within a message");
        have += (size_t)count;
    }
    return 1;
}

static inline void read_all(int peer, void *bytes, size_t length)
{
    if (!read_all_or_end(peer, bytes, length)) fail("the peer has closed");
}

/* Records */

enum record_type {
    REQUEST = 1,    /* primary: a checkpoint is due */
    REPLY,          /* secondary: my guest stands still, */
    DIRTY_LIST,     /*   and these of its pages must be overwritten (none) */
    PAGES,          /* primary: {count, reserved}, count pfns of 8 bytes, count pages */
    END,            /* primary: {has a digest, digest, the rest of the state}; it is whole */
    RECEIVED,       /* secondary: all is here, */
    LOADED,         /*   and applied */
    DIGEST_REQUEST, /* after the measurement: are both RAMs equal? */
    DIGEST,
};

enum { RECORD_PAGES = 256, STATE_BYTES = 192 };

struct record {
    uint32_t type, length;
    uint8_t body[];
};

struct state_record { /* REQUEST, REPLY, RECEIVED, LOADED, DIGEST: 16 bytes, as CHECKPOINT_STATE */
    uint32_t type, length, value, reserved;
};

struct end_record { /* a digest of the pages since the last one, and of the state */
    uint32_t type, length, has_digest, reserved;
    uint64_t digest;
    uint32_t state[STATE_BYTES / 4 - 4];
};

struct pages_head {
    uint32_t type, length, count, reserved;
    uint64_t pfns[RECORD_PAGES];
};

enum { PAGES_FIXED = 16, RECORD_BYTES_MAX = sizeof(struct pages_head) + RECORD_PAGES * PAGE_SIZE };

static inline void write_state(int peer, uint32_t type, uint32_t value)
{
    struct state_record record = {type, 8, value, 0};
    write_all(peer, &record, sizeof record);
}

static inline uint32_t read_state(int peer, uint32_t type)
{
    struct state_record record;
    read_all(peer, &record, sizeof record);
    if (record.type != type || record.length != 8) fail("the peer sent something unexpected");
    return record.value;
}

/* Pages on their way into one record: nothing is copied, the pages are sent from where they are. */
struct page_sender {
    int peer;
    const uint8_t *memory;
    struct page_digest *digest; /* of what is sent; NULL: none */
    struct pages_head head;
    struct iovec buffers[1 + RECORD_PAGES];
};

static inline void send_record(struct page_sender *sender)
{
    uint32_t count = sender->head.count;
    if (count == 0) return;
    for (uint32_t i = 0; sender->digest != NULL && i < count; i++) {
        const uint8_t *page = sender->memory + sender->head.pfns[i] * PAGE_SIZE;
        digest_page(sender->digest, (uint32_t)sender->head.pfns[i], page);
    }
    sender->head.type = PAGES;
    sender->head.length = 8 + count * (8 + PAGE_SIZE);
    sender->buffers[0] = (struct iovec){&sender->head, PAGES_FIXED + 8 * count};
    write_buffers(sender->peer, sender->buffers, 1 + (int)count);
    sender->head.count = 0;
}

static inline void send_page(struct page_sender *sender, uint64_t pfn)
{
    uint32_t index = sender->head.count++;
    sender->head.pfns[index] = pfn;
    void *page = (void *)(sender->memory + pfn * PAGE_SIZE);
    sender->buffers[1 + index] = (struct iovec){page, PAGE_SIZE};
    if (sender->head.count == RECORD_PAGES) send_record(sender);
}

/* Large reads into one buffer; records are used where they lie in it. */
enum { READER_BYTES = 4 << 20 };

struct record_reader {
    int peer;
    uint8_t *buffer;
    size_t start, end;
};

static inline struct record_reader new_reader(int peer)
{
    struct record_reader reader = {peer, aligned_alloc(PAGE_SIZE, READER_BYTES), 0, 0};
    if (reader.buffer == NULL) fail_call("reader");
    memset(reader.buffer, 1, READER_BYTES);
    return reader;
}

/* The next record, valid until the next call; NULL when the peer has closed. */
static inline const struct record *next_record(struct record_reader *reader)
{
    for (;;) {
        const struct record *record = (const struct record *)(reader->buffer + reader->start);
        size_t have = reader->end - reader->start;
        if (have >= sizeof *record) {
            size_t whole = sizeof *record + record->length;
            if (whole > RECORD_BYTES_MAX) fail("a record is too long");
            if (have >= whole) {
                reader->start += whole;
                return record;
            }
        }
        memmove(reader->buffer, record, have);
        reader->start = 0;
        reader->end = have;
        ssize_t count = read(reader->peer, reader->buffer + have, READER_BYTES - have);
        if (count < 0) fail_call("read");
        if (count == 0 && have > 0) fail("the peer closed within a record");
        if (count == 0) return NULL;
        reader->end += (size_t)count;
    }
}

/*
 * Puts each page of a PAGES record where it belongs and returns how many they were. `digest` may be
 * NULL.
 */
static inline size_t apply_pages(const struct record *record, uint8_t *ram, size_t ram_pages,
                                 struct page_digest *digest)
{
    const struct pages_head *head = (const struct pages_head *)record;
    if (record->length < 8 || record->length != 8 + (uint64_t)head->count * (8 + PAGE_SIZE)) {
        fail("a record of pages has the wrong length");
    }
    const uint8_t *pages = (const uint8_t *)(head->pfns + head->count);
    for (uint32_t i = 0; i < head->count; i++) {
        if (head->pfns[i] >= ram_pages) fail("a page lies outside RAM");
        const uint8_t *page = pages + (size_t)i * PAGE_SIZE;
        if (digest != NULL) digest_page(digest, (uint32_t)head->pfns[i], page);
        memcpy(ram + head->pfns[i] * PAGE_SIZE, page, PAGE_SIZE);
    }
    return head->count;
}

/* The state that is whole now; `digest` is of the pages ahead of it, and begins anew. */
static inline void write_end(int peer, struct page_digest *digest)
{
    struct end_record end = {.type = END, .length = STATE_BYTES, .has_digest = 1};
    end.digest = end_digest(digest, end.state, sizeof end.state / 4);
    begin_digest(digest);
    write_all(peer, &end, sizeof end);
}

static inline void check_end(const struct record *record, struct page_digest *digest)
{
    struct end_record end;
    if (record->length != STATE_BYTES) fail("the end of a checkpoint has the wrong length");
    memcpy(&end, record, sizeof end);
    uint64_t expected = end_digest(digest, end.state, sizeof end.state / 4);
    begin_digest(digest);
    if (end.has_digest && end.digest != expected) fail("the digest is another");
}

#endif
