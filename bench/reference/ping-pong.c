/*
 * The five messages of one checkpoint and nothing else, between two blocking processes.
 *
 *   request 16 bytes ->   <- reply 16 + list 8   state 200 ->   <- received 16   <- loaded 16
 *
 * The figure is the time from the request to the last byte of loaded, in milliseconds: what the
 * network stack and two wake-ups a round trip cost before a single page has moved. No pair on
 * this machine can be faster without spinning. ping-pong.ts is the same in Node.
 *
 *   ping-pong serve              prints {"port":N}, ends with its one connection
 *   ping-pong run PORT ROUNDS    prints {"p50":ms,"p99":ms,"rounds":N}
 */
#include "loopback.h"

enum { REQUEST_BYTES = 16, REPLY_BYTES = 16 + 8, SEND_BYTES = 200, ANSWER_BYTES = 16 };
enum { WARM_UP_ROUNDS = 1000 };

static uint8_t bytes[SEND_BYTES];

static void serve(void)
{
    int peer = accept_one_peer();
    while (read_all_or_end(peer, bytes, REQUEST_BYTES)) {
        write_all(peer, bytes, REPLY_BYTES);
        read_all(peer, bytes, SEND_BYTES);
        write_all(peer, bytes, ANSWER_BYTES); /* received */
        write_all(peer, bytes, ANSWER_BYTES); /* loaded, a message of its own */
    }
}

static double shake_hands_ms(int peer)
{
    double start = now_ms();
    write_all(peer, bytes, REQUEST_BYTES);
    read_all(peer, bytes, REPLY_BYTES);
    write_all(peer, bytes, SEND_BYTES);
    read_all(peer, bytes, ANSWER_BYTES);
    read_all(peer, bytes, ANSWER_BYTES);
    return now_ms() - start;
}

static void run(const char *port, size_t rounds)
{
    int peer = connect_to(port);
    double *samples = new_samples(rounds);
    for (int i = 0; i < WARM_UP_ROUNDS; i++) shake_hands_ms(peer);
    for (size_t i = 0; i < rounds; i++) samples[i] = shake_hands_ms(peer);
    sort_samples(samples, rounds);
    printf("{\"p50\":%.4f,\"p99\":%.4f,\"rounds\":%zu}\n", quantile(samples, rounds, 0.5),
           quantile(samples, rounds, 0.99), rounds);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "serve") == 0) serve();
    else if (count == 4 && strcmp(arguments[1], "run") == 0)
        run(arguments[2], (size_t)number_argument(arguments[3], 1, ROUNDS_MAX));
    else {
        fprintf(stderr, "usage: ping-pong serve | ping-pong run PORT ROUNDS\n");
        return 2;
    }
    return 0;
}
