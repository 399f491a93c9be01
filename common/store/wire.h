/* common/store/wire.h - how long a message is on the wire. */
#ifndef STORE_WIRE_H
#define STORE_WIRE_H

#include <stdint.h>

#include "common/base/attr.h"

/* Octets from here to the end, with CRLF line ends, as POP3 and IMAP count. -1: errno. */
int	wire_size(int fd, uint64_t *) must_check;

#endif
