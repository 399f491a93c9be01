/*
 * common/net/tls_key.c - private keys that are only names: an OpenSSL provider
 * in this process (provider(7)) whose keys consist of their public half and of
 * the socket of keys(8), which signs. What OpenSSL asks to have signed goes
 * there whole, so that keys can see what it is; a private half does not exist
 * here and cannot be exported.
 */
#include "common/net/tls_impl.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_keys.h"

#define PROVIDER	"posthouse"
#define PROPERTIES	"provider=" PROVIDER
#define SIGNER		"posthouse-keys"	/* our signature algorithm, whatever the key */
#define PARAM_SPKI	"posthouse-spki"
#define PARAM_SOCKET	"posthouse-socket"
#define SIGN_MS		10000

struct key {
	EVP_PKEY	*public;
	const char	*socket;
	unsigned char	 name[KEYS_KEY_SIZE];
};

struct job {			/* one signature */
	const struct key *key;
	const char	 *digest, *padding;
};

/* OpenSSL's idea of a digest as keys knows it; NULL: it would not take it. */
static const char *
digest_name(const char *name)
{
	static const struct { const char *openssl, *ours; } names[] = {
		{ "SHA256", "SHA256" }, { "SHA2-256", "SHA256" },
		{ "SHA384", "SHA384" }, { "SHA2-384", "SHA384" },
		{ "SHA512", "SHA512" }, { "SHA2-512", "SHA512" },
		{ "", "" }
	};
	size_t	i;

	for (i = 0; i < nitems(names); i++)
		if (strcasecmp(name == NULL ? "" : name, names[i].openssl) == 0)
			return names[i].ours;
	return NULL;
}

static int
failed(const char *why)
{
	ERR_raise_data(ERR_LIB_USER, 1, "keys: %s", why);
	return 0;
}

/* ---- the keys */

static void *
key_new(void *provider)
{
	(void)provider;
	return calloc(1, sizeof(struct key));
}

static void
key_free(void *arg)
{
	struct key	*k = arg;

	if (k != NULL)
		EVP_PKEY_free(k->public);
	free(k);
}

/* To OpenSSL it is whole: who asks for a signature gets one. */
static int
key_has(const void *arg, int selection)
{
	const struct key	*k = arg;

	(void)selection;
	return k != NULL && k->public != NULL;
}

static const OSSL_PARAM *
import_types(int selection)
{
	static const OSSL_PARAM	types[] = {
		OSSL_PARAM_octet_string(PARAM_SPKI, NULL, 0),
		OSSL_PARAM_octet_ptr(PARAM_SOCKET, NULL, 0),
		OSSL_PARAM_END
	};

	(void)selection;
	return types;
}

static int
key_import(void *arg, int selection, const OSSL_PARAM params[])
{
	struct key		*k = arg;
	const OSSL_PARAM	*spki, *socket;
	const void		*der, *path;
	const unsigned char	*p;
	size_t			 n, size;

	(void)selection;
	spki = OSSL_PARAM_locate_const(params, PARAM_SPKI);
	socket = OSSL_PARAM_locate_const(params, PARAM_SOCKET);
	if (spki == NULL || socket == NULL ||
	    !OSSL_PARAM_get_octet_string_ptr(spki, &der, &n) ||
	    !OSSL_PARAM_get_octet_ptr(socket, &path, &size))
		return 0;
	p = der;
	k->socket = path;
	k->public = d2i_PUBKEY(NULL, &p, (long)n);
	return k->public != NULL && SHA256(der, n, k->name) != NULL;
}

static const OSSL_PARAM *
export_types(int selection)
{
	static const OSSL_PARAM	none[] = { OSSL_PARAM_END };

	(void)selection;
	return none;
}

static int
key_export(void *arg, int selection, OSSL_CALLBACK *take, void *to)
{
	const struct key	*k = arg;

	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	return EVP_PKEY_export(k->public, EVP_PKEY_PUBLIC_KEY, take, to);
}

static const OSSL_PARAM *
gettable(void *provider)
{
	static const OSSL_PARAM	types[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL,
		    0),
		OSSL_PARAM_END
	};

	(void)provider;
	return types;
}

static int
key_get(void *arg, OSSL_PARAM params[])
{
	const struct key	*k = arg;

	return EVP_PKEY_get_params(k->public, params);
}

static const char *
operation_name(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? SIGNER : NULL;
}

/* ---- the signatures */

static void *
job_new(void *provider, const char *properties)
{
	(void)provider;
	(void)properties;
	return calloc(1, sizeof(struct job));
}

static void
job_free(void *job)
{
	free(job);
}

static int
job_set(void *arg, const OSSL_PARAM params[])
{
	struct job		*j = arg;
	const OSSL_PARAM	*p;
	const char		*text;
	int			 n;

	if (params == NULL)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p != NULL) {
		if (!OSSL_PARAM_get_int(p, &n) ||
		    (n != RSA_PKCS1_PADDING && n != RSA_PKCS1_PSS_PADDING))
			return failed("no such padding");
		j->padding = n == RSA_PKCS1_PADDING ? "pkcs1" : "pss";
	}
	/* TLS knows no other salt (RFC 8446 4.2.3) */
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if (p != NULL && p->data_type == OSSL_PARAM_UTF8_STRING)
		return (OSSL_PARAM_get_utf8_string_ptr(p, &text) &&
		    strcmp(text, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0) ||
		    failed("no such salt");
	if (p != NULL && (!OSSL_PARAM_get_int(p, &n) ||
	    n != RSA_PSS_SALTLEN_DIGEST))
		return failed("no such salt");
	return 1;
}

static const OSSL_PARAM *
settable(void *job, void *provider)
{
	static const OSSL_PARAM	types[] = {
		OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL,
		    0),
		OSSL_PARAM_END
	};

	(void)job;
	(void)provider;
	return types;
}

static int
sign_init(void *arg, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct job	*j = arg;

	j->key = key;
	j->padding = EVP_PKEY_is_a(j->key->public, "RSA") ? "pkcs1" : NULL;
	if ((j->digest = digest_name(digest)) == NULL)
		return failed("no such digest");
	if (EVP_PKEY_is_a(j->key->public, "ED25519"))
		j->digest = "";
	return job_set(arg, params);
}

/* The signature is a view of the answer. */
static int
take_answer(struct str rec, struct str *sig)
{
	char	verb[16], text[128];

	if (!record_gets(rec, KEYS_VERB, verb, sizeof(verb)))
		return failed("an answer without a verb");
	if (strcmp(verb, "signature") == 0 &&
	    record_get(rec, KEYS_SIGNATURE, sig))
		return 1;
	return failed(record_gets(rec, KEYS_TEXT, text, sizeof(text)) ? text :
	    "an answer that is none");
}

static void
ask(const struct job *j, struct str message, struct buf *rec)
{
	record_puts(rec, KEYS_VERB, "sign");
	record_put(rec, KEYS_KEY, (struct str){ (const char *)j->key->name,
	    sizeof(j->key->name) });
	record_puts(rec, KEYS_DIGEST, j->digest);
	if (j->padding != NULL)
		record_puts(rec, KEYS_PADDING, j->padding);
	record_put(rec, KEYS_MESSAGE, message);
}

/* A connection for each signature: so a worker that waits for a client costs keys nothing. */
static int
sign(void *arg, unsigned char *sig, size_t *siglen, size_t size,
    const unsigned char *message, size_t n)
{
	struct job		*j = arg;
	struct msg_client	 keys = { j->key->socket, -1 };
	struct buf		 rec, answer;
	struct str		 made;
	int			 ok = 0;

	if (sig == NULL) {
		*siglen = (size_t)EVP_PKEY_get_size(j->key->public);
		return 1;
	}
	buf_init(&rec, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	ask(j, (struct str){ (const char *)message, n }, &rec);
	if (!buf_ok(&rec) ||
	    msg_client_call(&keys, &rec, NULL, &answer, SIGN_MS) == -1)
		failed(strerror(errno));
	else if (take_answer(buf_view(&answer), &made)) {
		if ((ok = made.n <= size) != 0) {
			memcpy(sig, made.p, made.n);
			*siglen = made.n;
		} else
			failed("a signature that is too long");
	}
	fdio_close(&keys.fd);
	buf_free(&rec);
	buf_free(&answer);
	return ok;
}

/* ---- the provider */

#define FN(f)	((void (*)(void))(f))

static const OSSL_DISPATCH	key_functions[] = {
	{ OSSL_FUNC_KEYMGMT_NEW, FN(key_new) },
	{ OSSL_FUNC_KEYMGMT_FREE, FN(key_free) },
	{ OSSL_FUNC_KEYMGMT_HAS, FN(key_has) },
	{ OSSL_FUNC_KEYMGMT_IMPORT, FN(key_import) },
	{ OSSL_FUNC_KEYMGMT_IMPORT_TYPES, FN(import_types) },
	{ OSSL_FUNC_KEYMGMT_EXPORT, FN(key_export) },
	{ OSSL_FUNC_KEYMGMT_EXPORT_TYPES, FN(export_types) },
	{ OSSL_FUNC_KEYMGMT_GET_PARAMS, FN(key_get) },
	{ OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, FN(gettable) },
	{ OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, FN(operation_name) },
	{ 0, NULL }
};

static const OSSL_DISPATCH	signature_functions[] = {
	{ OSSL_FUNC_SIGNATURE_NEWCTX, FN(job_new) },
	{ OSSL_FUNC_SIGNATURE_FREECTX, FN(job_free) },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, FN(sign_init) },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN, FN(sign) },
	{ OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, FN(job_set) },
	{ OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, FN(settable) },
	{ 0, NULL }
};

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	/* libssl takes a key for what its name says */
	static const OSSL_ALGORITHM	keys[] = {
		{ "RSA:rsaEncryption", PROPERTIES, key_functions, NULL },
		{ "EC:id-ecPublicKey", PROPERTIES, key_functions, NULL },
		{ "ED25519", PROPERTIES, key_functions, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	static const OSSL_ALGORITHM	signatures[] = {
		{ SIGNER, PROPERTIES, signature_functions, NULL },
		{ NULL, NULL, NULL, NULL }
	};

	(void)provider;
	*no_cache = 0;
	if (operation == OSSL_OP_KEYMGMT)
		return keys;
	return operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static int
provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH	functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, FN(query) },
		{ 0, NULL }
	};

	(void)in;
	*out = functions;
	*provider = (void *)(uintptr_t)handle;
	return 1;
}

OSSL_PROVIDER *
tls_key_init(void)
{
	/* nothing of ours hangs on a file of the system's administrator, which is out of reach in a chroot */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return NULL;
	if (OSSL_PROVIDER_available(NULL, PROVIDER))
		return OSSL_PROVIDER_load(NULL, PROVIDER);
	/*
	 * The default one first: of two that know a kind of key OpenSSL takes
	 * the first unless it is told which.
	 */
	if (OSSL_PROVIDER_load(NULL, "default") == NULL ||
	    OSSL_PROVIDER_add_builtin(NULL, PROVIDER, provider_init) != 1)
		return NULL;
	return OSSL_PROVIDER_load(NULL, PROVIDER);
}

EVP_PKEY *
tls_key_new(const char *socket, struct str spki)
{
	const unsigned char	*p = (const unsigned char *)spki.p;
	OSSL_PARAM		 params[3];
	void			*path = (void *)(uintptr_t)socket;
	EVP_PKEY		*public, *key = NULL;
	EVP_PKEY_CTX		*ctx = NULL;

	if ((public = d2i_PUBKEY(NULL, &p, (long)spki.n)) == NULL)
		return NULL;
	params[0] = OSSL_PARAM_construct_octet_string(PARAM_SPKI,
	    (void *)(uintptr_t)spki.p, spki.n);
	params[1] = OSSL_PARAM_construct_octet_ptr(PARAM_SOCKET, &path, 0);
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(public),
	    PROPERTIES);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(public);
	return key;
}
