/*
 * common/fmt/esmtp.h - parameters of MAIL and RCPT: " KEY=value KEY ..."
 * (RFC 5321 4.1.2; SIZE 1870, BODY 6152/3030, SMTPUTF8 6531, DSN 3461, AUTH 4954).
 */
#ifndef FMT_ESMTP_H
#define FMT_ESMTP_H

#include <stdbool.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"

#define ENVID_MAX	100	/* RFC 3461 4.4, decoded xtext */
#define ORCPT_MAX	500

/* The next parameter: false at the end or on a malformed one (cursor not at its end). Value is empty and has_value false for a bare keyword. */
struct esmtp_param {
	struct str	key;
	struct str	value;
	bool		has_value;
};
bool	esmtp_param(struct cur *, struct esmtp_param *);

enum notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

/* "NEVER" or a list of SUCCESS,FAILURE,DELAY (RFC 3461 4.1). */
bool	esmtp_notify(struct str, unsigned *);
/* xtext to bytes (RFC 3461 4): decoded length, or -1 EINVAL / EMSGSIZE. */
int	esmtp_xtext_decode(struct str, char *, size_t, size_t *);
/* ORCPT: addr-type ";" xtext, or utf-8 address forms of RFC 6533. */
bool	esmtp_orcpt_ok(struct str, bool);

#endif
