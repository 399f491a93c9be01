/*
 * common/proc/proto_hop.h - queue asks hop: where does the mail for this domain go? Answers come in any order.
 * V hop, I number, D domain -> I, C, E, T; and where there is something to be tried: K, X, N, M, P, t's.
 * The answer goes to remote as it is (proto_remote.h), so that queue need not understand all of it; it has at
 * most 24576 bytes, so that it fits in a packet with sender and recipients.
 */
#ifndef PROC_PROTO_HOP_H
#define PROC_PROTO_HOP_H

#define HOP_VERB	'V'
#define HOP_NUMBER	'I'	/* of the question; comes back */
#define HOP_DOMAIN	'D'	/* lower case, U-labels or A-labels, or an address literal with its brackets; comes back */
/* answers */
#define HOP_CODE	'C'	/* "250"; "450" later (DNS cannot say now); "550" never (no such domain, null MX, best MX is us) */
#define HOP_STATUS	'E'	/* RFC 3463: 5.1.2, 5.1.10 (null MX, RFC 7505), 5.4.6 (loop), 5.4.4, 4.4.3 ... */
#define HOP_TEXT	'T'	/* one line for log, status file and bounce */
#define HOP_WHY		'W'	/* "file:line: rule" or "look-up: result", in order */
#define HOP_KEY		'K'	/* name of the destination for scheduling: "smtp:" + the first of the best MX hosts, or the target of the transport line;
				 * " tls=LEVEL" and " from=ADDRESS" follow where they are not the usual ones: what has the same
				 * key may go over the same connection */
#define HOP_EXPIRES	'X'	/* seconds that the answer may be used for: 10 to 3600 */
#define HOP_CONNECTIONS	'N'	/* the most at a time to this destination (remote.connections); missing: the general limit */
#define HOP_RATE	'M'	/* messages a minute to this destination (remote.rate); missing: no limit */
#define HOP_PROTOCOL	'P'	/* "smtp" or "lmtp" */
#define HOP_TLS		'L'	/* "off", "opportunistic", "required", "verified" (name and chain) or "implicit" (from the first byte, verified) */
#define HOP_SOURCE	's'	/* own address to connect from: one each of IPv4 and IPv6 at the most */
#define HOP_TARGET	't'	/* to be tried in this order; a record: */
#define TARGET_HOST	'H'	/* name, for EHLO checks, TLS and log; a literal has none */
#define TARGET_ADDR	'A'	/* "192.0.2.1", "2001:db8::1", or the path of a socket */
#define TARGET_PORT	'P'
#define TARGET_PREF	'F'	/* preference of the MX: addresses of one host follow each other and may be raced */

#define HOP_TARGETS	100	/* the most in an answer */

#endif
