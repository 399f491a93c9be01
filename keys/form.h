/*
 * keys/form.h - is this what a TLS server signs? Pure; the bytes come from a process that talks to the network and
 * may have been taken over.
 */
#ifndef KEYS_FORM_H
#define KEYS_FORM_H

#include "common/base/str.h"

enum form {
	FORM_NONE,	/* something else: an order to sign it is a forgery */
	FORM_TLS12,	/* two randoms and the parameters of a key exchange (RFC 5246 7.4.3, RFC 8422 5.4) */
	FORM_TLS13	/* CertificateVerify of a server (RFC 8446 4.4.3) */
};

enum form form_of(struct str message);

#endif
