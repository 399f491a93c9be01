/*
 * auth/introspect_http.h - questions to a provider by HTTP, many at a time, by libcurl on libevent. One address, which is
 * configured; verified TLS unless that address is on this host; no redirection, proxy, cookie or other protocol.
 */
#ifndef AUTH_INTROSPECT_HTTP_H
#define AUTH_INTROSPECT_HTTP_H

#include <event2/event.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/str.h"

#define HTTP_BODY_MAX	(64u * 1024u)	/* of an answer */

struct http;
struct http_question;

struct http_config {
	const char	*url;
	struct str	 authorization;	/* "Authorization: ...", or empty */
	struct str	 ca;		/* certificates, PEM */
	long		 timeout;	/* ms, for all of it */
	long		 connections;	/* at a time */
};

/* Before the sandbox is entered: the libraries read their own files now. -1: *why. */
int	http_begin(struct diag *why) must_check;
/* The configuration is copied. */
int	http_new(struct http **, struct event_base *, const struct http_config *, struct diag *why) must_check;
void	http_free(struct http **);	/* all questions are forgotten, without an answer */

/* status: of HTTP; 0: there was no whole answer, and error says why. body: a view as long as the call. */
typedef void	http_done(void *, long status, const char *error, struct str body);

/* Posts a form, which is copied and wiped afterwards. Never calls done from within. NULL: out of memory. */
struct http_question *http_post(struct http *, struct str form, http_done *, void *) must_check;
void	http_cancel(struct http_question **);	/* not after the answer */

#endif
