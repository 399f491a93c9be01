/*
 * common/proc/mechanisms.h - the SASL mechanisms, and which of them a connection may use. The fronts announce by it,
 * auth decides by it.
 */
#ifndef PROC_MECHANISMS_H
#define PROC_MECHANISMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/net/addr.h"
#include "common/proc/settings.h"

enum mechanism {
	MECHANISM_NONE,		/* user name and password without SASL: USER and PASS, LOGIN of IMAP */
	MECHANISM_PLAIN, MECHANISM_LOGIN, MECHANISM_SCRAM_SHA_1, MECHANISM_SCRAM_SHA_256,
	MECHANISM_SCRAM_SHA_1_PLUS, MECHANISM_SCRAM_SHA_256_PLUS, MECHANISM_EXTERNAL, MECHANISM_OAUTHBEARER,
	MECHANISM_XOAUTH2
};

/* What is known of a connection. */
struct mechanism_facts {
	bool	encrypted;
	bool	cleartext_ok;	/* mechanisms_cleartext_ok */
	bool	binding;	/* the TLS layer gives a channel binding */
	bool	certificate;	/* the client has proven one */
};

#define MECHANISMS_TEXT_SIZE 128	/* the names of all of them */

/* Those of auth.mechanisms that the connection may use, in that order: "PLAIN SCRAM-SHA-256"; "" if there are none. */
const char *mechanisms_text(const struct settings *, const struct mechanism_facts *, char[MECHANISMS_TEXT_SIZE]);
bool	mechanism_ok(const struct settings *, const struct mechanism_facts *, enum mechanism);
/* The name in upper or lower case; false: there is none of that name. */
bool	mechanism_find(struct str, enum mechanism *);
const char *mechanism_name(enum mechanism);	/* of MECHANISM_NONE "password" */
/* Is something shown that whoever listens could use himself? */
bool	mechanism_shows_secret(enum mechanism);
bool	mechanism_binds(enum mechanism);	/* one that ends in -PLUS */
/* May secrets come from there without encryption? how: "yes", "no", "loopback", as *.cleartext says. */
bool	mechanisms_cleartext_ok(const char *how, const struct addr *peer);
/* What SERVICE.cleartext says; "no" of a service that has no such key. */
const char *mechanisms_cleartext_of(const struct settings *, const char *service);

#endif
