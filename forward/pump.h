/* A socket joined to a channel: bytes both ways, with exact ends.
 *
 *     local socket                                   channel
 *     readable  -> mux_want, turn: readv into packets ->  DATA
 *     EOF       -> mux_eof                             ->  EOF
 *     RST       -> mux_close without EOF               ->  CLOSE
 *     writev gathered slices, spill what is refused    <-  DATA
 *     shutdown(SHUT_WR) once the spill is out          <-  EOF
 *     close; reset where no EOF had come               <-  CLOSE
 *
 * Credit is given for bytes that the socket took. A pump at rest holds its struct and no buffer. */
#ifndef FORWARD_PUMP_H
#define FORWARD_PUMP_H

#include "forward/peer.h"

/* Joins fd (connected, non-blocking) to channel id, which is open (MUX_OPENED, or just confirmed),
 * and becomes the channel's user. to_channel  bytes that go to the channel before all that fd will
 * give (copied) to_socket   bytes of the channel's, not yet credited, that go to fd before all that
 * come (copied) Takes over fd and the channel: on ERR_NOMEM both are closed. */
enum err pump_start(struct peer *p, uint32_t id, int fd, struct bytes to_channel,
    struct bytes to_socket, bool peer_eof);

#endif
