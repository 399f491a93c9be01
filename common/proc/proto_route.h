/*
 * common/proc/proto_route.h - questions to route. One record asks, one answers.
 * V rcpt    may this client send to this recipient, and whom does it mean?   (smtpd)
 * V final   which final recipients are meant? (queue, before each attempt)
 * V vrfy    RFC 5321 3.5.1, V expn 3.5.2                                     (smtpd)
 * V sender  may this user (ROUTE_AUTH) send as this address (ROUTE_SENDER)? 250, 553 or 451   (smtpd)
 */
#ifndef PROC_PROTO_ROUTE_H
#define PROC_PROTO_ROUTE_H

#define ROUTE_VERB	'V'
#define ROUTE_SERVICE	'L'	/* "smtp" or "lmtp" */
#define ROUTE_CLIENT	'c'	/* IP address of the client, missing for local submission */
#define ROUTE_AUTH	'u'	/* authenticated user, missing if none */
#define ROUTE_SENDER	's'	/* local@domain, "" for the null sender */
#define ROUTE_SKIP	'k'	/* final: leave out so many finals; who sends it (0 first) understands ROUTE_MORE */
#define ROUTE_TAG	'i'	/* comes back */
#define ROUTE_RCPT	'r'	/* local@domain in canonical form, "postmaster" alone allowed */
/* answers */
#define ROUTE_CODE	'C'	/* "250", "251", "450", "550" ... */
#define ROUTE_STATUS	'E'	/* "2.1.5" (RFC 3463) */
#define ROUTE_TEXT	'T'	/* one line for the reply, without codes */
#define ROUTE_FINAL	'F'	/* struct final; rcpt: only if it is exactly one FINAL_USER; final: all of them */
#define ROUTE_MORE	'm'	/* not all finals fitted: how many there are; ask again with ROUTE_SKIP. Without that: 451 4.5.3 */
#define ROUTE_NAME	'n'	/* expn, vrfy: one line each */
#define ROUTE_WHY	'W'	/* "file:line: rule" or "look-up: result", in order */

#define ROUTE_FINALS	100000u	/* the most that one address may mean; as many as a message can have (ENVELOPE_RCPTS) */

#endif
