/* common/fmt/ehlo.h - what a server offers in its reply to EHLO or LHLO (RFC 5321 4.1.1.1). Pure. */
#ifndef FMT_EHLO_H
#define FMT_EHLO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

enum ehlo_auth {	/* mechanisms that we know */
	EHLO_PLAIN = 1, EHLO_LOGIN = 2, EHLO_SCRAM_SHA1 = 4, EHLO_SCRAM_SHA256 = 8
};

struct ehlo {
	bool		pipelining;	/* RFC 2920 */
	bool		eightbit;	/* 8BITMIME, RFC 6152 */
	bool		utf8;		/* SMTPUTF8, RFC 6531 */
	bool		chunking;	/* RFC 3030 */
	bool		dsn;		/* RFC 3461 */
	bool		starttls;	/* RFC 3207 */
	bool		size;		/* RFC 1870 */
	uint64_t	size_max;	/* 0: not said, or no limit */
	unsigned	auth;		/* RFC 4954: EHLO_ bits */
	/* LIMITS, RFC 9422; 0: not said */
	unsigned	rcpt_max, mail_max, rcpt_domain_max;
};

/* The first line's text: the name that the server gives itself, a view; false if there is none. */
bool	ehlo_name(struct str, struct str *);
/* Each further line's text; what is not known or makes no sense changes nothing. */
void	ehlo_line(struct ehlo *, struct str);

#endif
