/* keys/self.h - the certificate of a host that has none yet. */
#ifndef KEYS_SELF_H
#define KEYS_SELF_H

#include "common/base/attr.h"
#include "common/base/diag.h"

/* A new key (ECDSA, P-256) and a certificate for the host name signed by itself, as PEM into the two files. -1: *why. */
int	self_signed(const char *hostname, int certificate, int key, struct diag *) must_check;

#endif
