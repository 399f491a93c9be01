/*
 * auth/introspect.h - between auth and introspect. introspect connects to run/token/auth and says V hello, again whenever
 * auth was started anew; then auth asks and introspect answers, in any order.
 *
 * auth to introspect:	V token		I number, T token
 *			V cancel	I number: nobody waits for it any more
 * introspect to auth:	V hello
 *			V good		I number, U what the claim says, J its jti, if it is plain
 *			V refused	I number, E number of enum oauth_error, W why, for the log
 *			V temp		I number, W why
 */
#ifndef AUTH_INTROSPECT_H
#define AUTH_INTROSPECT_H

#define INTROSPECT_VERB		'V'
#define INTROSPECT_NUMBER	'I'
#define INTROSPECT_TOKEN	'T'
#define INTROSPECT_USER		'U'
#define INTROSPECT_ID		'J'
#define INTROSPECT_ERROR	'E'
#define INTROSPECT_WHY		'W'

#define INTROSPECT_TOKEN_MAX	12288u
#define INTROSPECT_WHY_MAX	128u
#define INTROSPECT_ASKED_MAX	2000u	/* under way at a time */
#define INTROSPECT_GRACE_MS	2000	/* auth waits so much longer than introspect does */

#endif
