/* pop3d/uidl.h - the unique name of a message (RFC 1939, 7: UIDL); pure. */
#ifndef POP3D_UIDL_H
#define POP3D_UIDL_H

#include "common/base/str.h"

#define UIDL_MAX	70

/*
 * What another POP3 server called it, if it did; else the base name of its
 * file; a digest of that where it is too long or has other characters than RFC 1939 allows.
 */
const char *uidl_text(struct str other, struct str name, char[UIDL_MAX + 1]);

#endif
