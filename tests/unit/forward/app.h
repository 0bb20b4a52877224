/* Applications at the ends of a forward: each sends a stream whose every byte is known and checks
 * the one it gets. The first byte of a stream names its sender, the others follow from it, so what
 * is dropped, doubled, swapped between connections or out of order is seen. */
#ifndef TESTS_FORWARD_APP_H
#define TESTS_FORWARD_APP_H

#include "forward/loop.h"

struct app {
    struct loop *loop;
    struct loop_source source; /* fd -1: closed by us */
    uint8_t id;
    uint8_t from; /* id of the sender, once n_got > 0 */
    uint64_t n_to_send, n_sent;
    uint64_t n_got;
    bool ends_sending; /* shuts its sending side when all is sent */
    bool has_shut;
    bool holds_reading;
    bool is_wrong;  /* a byte came that was not the next of the stream */
    bool saw_end;   /* an orderly end */
    bool saw_reset; /* ... or an error, of reading or writing */
};

/* Takes fd over (non-blocking; may still be connecting). */
void app_start(struct app *a, struct loop *l, int fd, uint8_t id);
/* n bytes more, and then perhaps the end. */
void app_send(struct app *a, uint64_t n, bool then_end);
/* Reads nothing until app_resume(). */
void app_hold(struct app *a);
void app_resume(struct app *a);
/* Closes, resp. with a reset. Does nothing when closed. */
void app_close(struct app *a);
void app_reset(struct app *a);
bool app_is_over(const struct app *a); /* its stream has ended, one way or the other */

/* Byte number i of the stream of id. */
uint8_t app_byte(uint8_t id, uint64_t i);
/* Bytes at.. of the stream of id into out. */
void app_fill(uint8_t id, uint64_t at, uint8_t *out, size_t n);

#endif
