/* tests/unit/test_keys.c - what keys(8) reads, and what it signs. */
#include "keys/form.h"
#include "keys/load.h"
#include "keys/self.h"

#include <sys/mman.h>

#include "common/fmt/record.h"
#include "tests/unit/keys_fixture.h"

/* ---- the forms */

#define BLANKS	"                                                                "
#define CONTEXT	"TLS 1.3, server CertificateVerify"
#define R32	"0123456789abcdef0123456789abcdef"
#define R24	"0123456789abcdef01234567"
#define RANDOMS	R32 R24 "DOWNGRD\x01"
#define P65	"\x04" R32 R32
#define P97	"\x04" R32 R32 R32
#define P133	"\x04" R32 R32 R32 R32 "abcd"
#define M(s)	{ (s), sizeof(s) - 1 }

static const struct {
	struct str	message;
	enum form	form;
} forms[] = {
	{ M(BLANKS CONTEXT "\0" R32), FORM_TLS13 },
	{ M(BLANKS CONTEXT "\0" R32 "0123456789abcdef"), FORM_TLS13 },
	{ M(BLANKS CONTEXT "\0" R32 R32), FORM_NONE },
	{ M(BLANKS CONTEXT "\0" R24), FORM_NONE },
	{ M(BLANKS CONTEXT "\0"), FORM_NONE },
	{ M(BLANKS CONTEXT " " R32), FORM_NONE },
	{ M(BLANKS " " CONTEXT R32), FORM_NONE },
	{ M(BLANKS "TLS 1.3, client CertificateVerify\0" R32), FORM_NONE },
	{ M(BLANKS "HTTP/3, server CertificateVerify!\0" R32), FORM_NONE },
	{ M("x" BLANKS CONTEXT "\0" R32), FORM_NONE },
	{ M(R32 R32 CONTEXT "\0" R32), FORM_NONE },
	{ M(RANDOMS "\3\0\x1d\x20" R32), FORM_TLS12 },
	{ M(RANDOMS "\3\0\x1e\x38" R32 R24), FORM_TLS12 },
	{ M(RANDOMS "\3\0\x17\x41" P65), FORM_TLS12 },
	{ M(RANDOMS "\3\0\x18\x61" P97), FORM_TLS12 },
	{ M(RANDOMS "\3\0\x19\x85" P133), FORM_TLS12 },
	/* compressed, too long, too short, another curve, another kind of curve */
	{ M(RANDOMS "\3\0\x17\x41" "\2" R32 R32), FORM_NONE },
	{ M(RANDOMS "\3\0\x17\x21" "\2" R32), FORM_NONE },
	{ M(RANDOMS "\3\0\x1d\x20" R32 "x"), FORM_NONE },
	{ M(RANDOMS "\3\0\x1d\x20" R24), FORM_NONE },
	{ M(RANDOMS "\3\0\x1d\x1f" R24 "0123456"), FORM_NONE },
	{ M(RANDOMS "\3\0\x1f\x20" R32), FORM_NONE },
	{ M(RANDOMS "\3\1\x1d\x20" R32), FORM_NONE },
	{ M(RANDOMS "\1\0\x1d\x20" R32), FORM_NONE },
	{ M(RANDOMS "\3\0\x1d"), FORM_NONE },
	{ M(RANDOMS), FORM_NONE },
	/* not from one that knows TLS 1.3 */
	{ M(R32 R32 "\3\0\x1d\x20" R32), FORM_NONE },
	{ M(R32 R24 "DOWNGRD\0" "\3\0\x1d\x20" R32), FORM_NONE },
	{ M("DOWNGRD\x01" R24 R32 "\3\0\x1d\x20" R32), FORM_NONE },
	{ M(R32), FORM_NONE },
	{ M(""), FORM_NONE },
	{ M("From: ann@example.test\r\n"), FORM_NONE }
};

START_TEST(form)
{
	ck_assert_int_eq(form_of(forms[_i].message), forms[_i].form);
}
END_TEST

static const struct {
	unsigned	p, g, y;	/* lengths */
	int		more;		/* bytes behind */
	bool		ok;
} fields[] = {
	{ 256, 1, 256, 0, true }, { 1024, 1024, 1, 0, true },
	{ 256, 1, 256, 1, false }, { 256, 1, 256, -1, false },
	{ 255, 1, 255, 0, false }, { 1025, 1, 1025, 0, false },
	{ 256, 0, 256, 0, false }, { 256, 1, 0, 0, false },
	{ 256, 257, 256, 0, false }, { 256, 1, 257, 0, false }
};

START_TEST(finite_field)
{
	char	 m[8192] = RANDOMS;
	size_t	 n = 64;
	unsigned part[3] = { fields[_i].p, fields[_i].g, fields[_i].y };
	size_t	 i;

	for (i = 0; i < 3; i++) {
		m[n++] = (char)(part[i] >> 8);
		m[n++] = (char)part[i];
		memset(m + n, 'x', part[i]);
		n += part[i];
	}
	n += (size_t)fields[_i].more;
	ck_assert_int_eq(form_of((struct str){ m, n }),
	    fields[_i].ok ? FORM_TLS12 : FORM_NONE);
}
END_TEST

/* ---- orders */

static struct vault	*vault;
static struct made	 rsa, ec, ed;
static char		 name[3][KEYS_KEY_SIZE];

static void
make_keys(void)
{
	rsa = made_for("rsa", "DNS:mx.test");
	ec = made_for("P-256", "DNS:mx.test");
	ed = made_for("ed25519", "DNS:mx.test");
}

static void
free_keys(void)
{
	made_free(&rsa);
	made_free(&ec);
	made_free(&ed);
}

static void
setup(void)
{
	struct pair	p[3] = { made_pair(&rsa, NULL, ""),
			    made_pair(&ec, NULL, "stapled"),
			    made_pair(&ed, NULL, "") };
	size_t		i;

	ck_assert_int_eq(vault_new(&vault), 0);
	for (i = 0; i < nitems(p); i++)
		memcpy(name[i], p[i].name, KEYS_KEY_SIZE);
	ck_assert_int_eq(vault_replace(vault, p, nitems(p), 0), 0);
}

static void
teardown(void)
{
	vault_free(&vault);
	ck_assert_ptr_null(vault);
}

#define T13	BLANKS CONTEXT "\0" R32
#define T12	RANDOMS "\3\0\x1d\x20" R32

static const struct {
	int		 key;		/* 0 RSA, 1 ECDSA, 2 Ed25519, 3 one that there is not */
	const char	*digest, *padding;
	struct str	 message;
	const char	*why;		/* NULL: it is signed; "": the peer is dropped */
} orders[] = {
	{ 0, "SHA256", "pss", M(T13), NULL },
	{ 0, "SHA512", "pss", M(T12), NULL },
	{ 0, "SHA256", "pkcs1", M(T12), NULL },
	{ 1, "SHA256", NULL, M(T13), NULL },
	{ 1, "SHA384", NULL, M(T12), NULL },
	{ 2, "", NULL, M(T13), NULL },
	{ 0, "SHA256", "pkcs1", M(T13), "wrong padding for TLS 1.3" },
	{ 0, "SHA256", NULL, M(T13), "wrong padding for the key" },
	{ 1, "SHA256", "pss", M(T13), "wrong padding for the key" },
	{ 0, "", "pss", M(T13), "wrong digest for the key" },
	{ 1, "", NULL, M(T13), "wrong digest for the key" },
	{ 2, "SHA256", NULL, M(T13), "wrong digest for the key" },
	{ 3, "SHA256", "pss", M(T13), "no such key" },
	{ 0, "SHA256", "pss", M("x"), "this is nothing that a TLS server signs" },
	{ 0, "SHA256", "pkcs1", M(""), "this is nothing that a TLS server signs" },
	{ 1, "SHA256", NULL, M(R32), "this is nothing that a TLS server signs" },
	{ 2, "", NULL, M(BLANKS "TLS 1.3, client CertificateVerify\0" R32),
	    "this is nothing that a TLS server signs" },
	{ 0, "SHA1", "pkcs1", M(T12), "" },
	{ 0, "MD5", "pkcs1", M(T12), "" },
	{ 0, "SHA256", "none", M(T12), "" },
	{ 0, "SHA256", "", M(T12), "" },
	{ 0, NULL, "pss", M(T12), "" },
	{ 0, "SHA256", "pss", { NULL, 0 }, "" },
	{ 4, "SHA256", "pss", M(T13), "" }
};

static void
verify(const struct made *m, const char *digest, const char *padding,
    struct str message, struct str sig)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*how;

	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, &how, *digest == '\0' ?
	    NULL : EVP_get_digestbyname(digest), NULL, m->key), 1);
	if (padding != NULL && strcmp(padding, "pss") == 0) {
		EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST);
	}
	ck_assert_int_eq(EVP_DigestVerify(ctx, (const unsigned char *)sig.p,
	    sig.n, (const unsigned char *)message.p, message.n), 1);
	EVP_MD_CTX_free(ctx);
}

START_TEST(order)
{
	const struct made *keys[] = { &rsa, &ec, &ed };
	static const char  nobody[KEYS_KEY_SIZE] = "nobody";
	const char	  *key = orders[_i].key > 2 ? nobody : name[orders[_i].key];
	const char	  *why = orders[_i].why;
	struct buf	   rec, answer;
	struct str	   field;
	char		   verb[16];
	unsigned long long made, refused;

	buf_init(&rec, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	record_puts(&rec, KEYS_VERB, "sign");
	if (orders[_i].key < 4)
		record_put(&rec, KEYS_KEY, (struct str){ key, KEYS_KEY_SIZE });
	if (orders[_i].digest != NULL)
		record_puts(&rec, KEYS_DIGEST, orders[_i].digest);
	if (orders[_i].padding != NULL)
		record_puts(&rec, KEYS_PADDING, orders[_i].padding);
	if (orders[_i].message.p != NULL)
		record_put(&rec, KEYS_MESSAGE, orders[_i].message);
	if (why != NULL && *why == '\0') {
		ck_assert_int_eq(vault_answer(vault, buf_view(&rec), &answer),
		    -1);
		goto done;
	}
	ck_assert_int_eq(vault_answer(vault, buf_view(&rec), &answer), 0);
	ck_assert(record_gets(buf_view(&answer), KEYS_VERB, verb,
	    sizeof(verb)));
	vault_counts(vault, &made, &refused);
	if (why == NULL) {
		ck_assert_str_eq(verb, "signature");
		ck_assert(record_get(buf_view(&answer), KEYS_SIGNATURE,
		    &field));
		verify(keys[orders[_i].key], orders[_i].digest,
		    orders[_i].padding, orders[_i].message, field);
	} else {
		ck_assert_str_eq(verb, "refused");
		ck_assert(record_get(buf_view(&answer), KEYS_TEXT, &field));
		ck_assert(str_eq(field, str_from(why)));
		ck_assert(!record_get(buf_view(&answer), KEYS_SIGNATURE,
		    &field));
	}
	ck_assert_uint_eq(made, why == NULL);
	ck_assert_uint_eq(refused, why != NULL);
done:
	buf_free(&rec);
	buf_free(&answer);
}
END_TEST

static const char *const	malformed[] = {
	"", "V4:sign", "V4:sign,\nx", "V4:give,\n", "V4:list,\n",
	"V4:list,\nN3:201,\n", "V4:list,\nN1:x,\n", "F1:x,\n"
};

START_TEST(drop)
{
	struct buf	answer;

	buf_init(&answer, MSG_MAX);
	ck_assert_int_eq(vault_answer(vault, str_from(malformed[_i]),
	    &answer), -1);
	buf_free(&answer);
}
END_TEST

START_TEST(list)
{
	static const char *const asks[] = {
		"V4:list,\nN1:0,\n", "V4:list,\nN1:1,\n", "V4:list,\nN1:2,\n",
		"V4:list,\nN1:3,\n"
	};
	struct buf	 answer;
	struct str	 field;
	uint64_t	 n;
	char		 verb[16];

	buf_init(&answer, MSG_MAX);
	ck_assert_int_eq(vault_answer(vault, str_from(asks[_i]), &answer), 0);
	ck_assert(record_gets(buf_view(&answer), KEYS_VERB, verb,
	    sizeof(verb)));
	ck_assert_str_eq(verb, _i == 3 ? "none" : "certificate");
	ck_assert(record_getu(buf_view(&answer), KEYS_COUNT, 100, &n));
	ck_assert_uint_eq(n, 3);
	ck_assert(record_getu(buf_view(&answer), KEYS_GENERATION, 100, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(record_get(buf_view(&answer), KEYS_CHAIN, &field),
	    _i != 3);
	ck_assert_int_eq(record_get(buf_view(&answer), KEYS_OCSP, &field),
	    _i == 1);
	/* nothing of a private key is ever in an answer */
	ck_assert(!record_get(buf_view(&answer), KEYS_SIGNATURE, &field));
	buf_free(&answer);
}
END_TEST

/* ---- files */

static struct made	ca, mid, leaf, weak, curve, old, early;

static void
make_files(void)
{
	ca = made_by(NULL, "P-256", "root", "CA", -1, 30);
	mid = made_by(&ca, "P-256", "middle", "CA", -1, 30);
	leaf = made_by(&mid, "P-256", "leaf", "DNS:a.test", -1, 30);
	weak = made_for("rsa1024", "DNS:a.test");
	curve = made_for("P-521", "DNS:a.test");
	old = made_by(NULL, "P-256", "old", "DNS:a.test", -9, -1);
	early = made_by(NULL, "P-256", "early", "DNS:a.test", 1, 9);
}

static void
free_files(void)
{
	made_free(&ca);
	made_free(&mid);
	made_free(&leaf);
	made_free(&weak);
	made_free(&curve);
	made_free(&old);
	made_free(&early);
}

static const struct {
	const struct made	*chain[3], *key;
	const char		*text;		/* instead of the chain; and behind it */
	const char		*keytext;
	const char		*why, *warning;	/* "": it is right */
} files[] = {
	{ { &leaf, &mid, &ca }, &leaf, "", "", "", "" },
	{ { &leaf, &mid }, &leaf, "", "", "", "" },
	{ { &leaf }, &leaf, "", "", "", "" },
	{ { &old }, &old, "", "", "", "c.pem: the certificate has expired" },
	{ { &early }, &early, "", "", "",
	    "c.pem: the certificate is not valid yet" },
	{ { &leaf }, &mid, "", "",
	    "k.pem: the key does not fit the certificate in c.pem", "" },
	{ { &mid, &leaf }, &mid, "", "",
	    "c.pem: certificate 2 has not issued certificate 1, expected the "
	    "server's own first and each one's issuer behind it", "" },
	{ { &leaf, &ca }, &leaf, "", "",
	    "c.pem: certificate 2 has not issued certificate 1, expected the "
	    "server's own first and each one's issuer behind it", "" },
	{ { &leaf, &mid, &leaf }, &leaf, "", "",
	    "c.pem: certificate 3 has not issued certificate 2, expected the "
	    "server's own first and each one's issuer behind it", "" },
	{ { NULL }, &leaf, "", "",
	    "c.pem: there is no certificate in it, expected PEM", "" },
	{ { NULL }, &leaf, "hello\n", "",
	    "c.pem: there is no certificate in it, expected PEM", "" },
	{ { &leaf }, &leaf,
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "",
	    "c.pem: it is broken, expected certificates in PEM", "" },
	{ { &leaf }, NULL, "", "",
	    "k.pem: there is no private key in it, expected PEM", "" },
	{ { &leaf }, NULL, "", "-----BEGIN PRIVATE KEY-----\nAAAA\n",
	    "k.pem: there is no private key in it, expected PEM", "" },
	{ { &weak }, &weak, "", "",
	    "k.pem: the key has 1024 bits, expected 2048 or more", "" },
	{ { &curve }, &curve, "", "",
	    "k.pem: the key is of no kind that we know, expected RSA, ECDSA "
	    "with P-256 or P-384, or Ed25519", "" }
};

START_TEST(file)
{
	struct pair_files	f;
	struct pair		p;
	struct diag		why = { "" }, warning;
	size_t			i;
	int			r;

	pair_files_init(&f);
	for (i = 0; i < 3 && files[_i].chain[i] != NULL; i++)
		made_add_pem(&f.certificate, files[_i].chain[i]->x, NULL);
	buf_adds(&f.certificate, files[_i].text);
	if (files[_i].key != NULL)
		made_add_pem(&f.key, NULL, files[_i].key->key);
	buf_adds(&f.key, files[_i].keytext);
	r = pair_load(&p, &f, "c.pem", "k.pem", &warning, &why);
	ck_assert_str_eq(r == 0 ? "" : why.text, files[_i].why);
	ck_assert_str_eq(warning.text, files[_i].warning);
	ck_assert_int_eq(p.key == NULL, r == -1);
	pair_free(&p);
	pair_files_wipe(&f);
}
END_TEST

START_TEST(encrypted)
{
	struct pair_files	f;
	struct pair		p;
	struct diag		why = { "" }, warning;
	BIO			*b = BIO_new(BIO_s_mem());
	char			*text, password[] = "secret";
	long			 n;

	pair_files_init(&f);
	made_add_pem(&f.certificate, leaf.x, NULL);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(b, leaf.key,
	    EVP_aes_128_cbc(), NULL, 0, NULL, password), 1);
	n = BIO_get_mem_data(b, &text);
	ck_assert_int_eq(buf_add(&f.key, text, (size_t)n), 0);
	ck_assert_int_eq(pair_load(&p, &f, "c.pem", "k.pem", &warning, &why),
	    -1);
	ck_assert_str_eq(why.text,
	    "k.pem: the key is encrypted, expected one without a password");
	BIO_free(b);
	pair_free(&p);
	pair_files_wipe(&f);
}
END_TEST

START_TEST(self)
{
	char			host[] = "a-host-with-a-long-name-that-is-"
				    "longer-than-a-common-name-may-be."
				    "example.test";
	struct pair_files	f;
	struct pair		p;
	struct diag		why = { "" }, warning;
	int			c = memfd_create("c", 0), k = memfd_create("k",
				    0);
	const char		*name_of = _i == 0 ? "mx.example.test" : host;
	const unsigned char	*der;
	struct str		 first;
	X509			*x;

	pair_files_init(&f);
	ck_assert_int_eq(self_signed(name_of, c, k, &why), 0);
	ck_assert_int_eq(lseek(c, 0, SEEK_SET), 0);
	ck_assert_int_eq(lseek(k, 0, SEEK_SET), 0);
	ck_assert_int_eq(fdio_slurp(c, &f.certificate), 0);
	ck_assert_int_eq(fdio_slurp(k, &f.key), 0);
	ck_assert_msg(pair_load(&p, &f, "c.pem", "k.pem", &warning,
	    &why) == 0, "%s", why.text);
	ck_assert_str_eq(warning.text, "");
	ck_assert(record_get(buf_view(&p.chain), KEYS_CHAIN, &first));
	der = (const unsigned char *)first.p;
	ck_assert_ptr_nonnull(x = d2i_X509(NULL, &der, (long)first.n));
	ck_assert_int_eq(X509_check_host(x, name_of, 0,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 1);
	ck_assert_int_eq(X509_verify(x, p.key), 1);
	X509_free(x);
	pair_free(&p);
	pair_files_wipe(&f);
	close(c);
	close(k);
}
END_TEST

/* ---- what replaces what */

static struct pair
named(const struct made *m, const char *path)
{
	struct pair	p = { .file = NULL };

	if (m != NULL)
		p = made_pair(m, NULL, "");
	free(p.file);
	p.file = strdup(path);
	return p;
}

static bool
has_key(const struct made *m)
{
	struct pair	p = made_pair(m, NULL, "");
	struct buf	rec, answer;
	char		verb[16];

	buf_init(&rec, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	record_puts(&rec, KEYS_VERB, "sign");
	record_put(&rec, KEYS_KEY, (struct str){ p.name, KEYS_KEY_SIZE });
	record_puts(&rec, KEYS_DIGEST, "SHA256");
	record_put(&rec, KEYS_MESSAGE, (struct str)M(T13));
	ck_assert_int_eq(vault_answer(vault, buf_view(&rec), &answer), 0);
	ck_assert(record_gets(buf_view(&answer), KEYS_VERB, verb,
	    sizeof(verb)));
	buf_free(&rec);
	buf_free(&answer);
	pair_free(&p);
	return strcmp(verb, "signature") == 0;
}

START_TEST(replace)
{
	struct made	a = made_for("P-256", "DNS:a"), b = made_for("P-256",
			    "DNS:b"), c = made_for("P-256", "DNS:c");
	struct pair	first[] = { named(&a, "/a"), named(&b, "/b") };
	struct pair	second[] = { named(&c, "/a"), named(NULL, "/b"),
			    named(NULL, "/new") };
	struct pair	third[] = { named(NULL, "/new") };

	ck_assert_int_eq(vault_replace(vault, first, 2, 0), 0);
	ck_assert_int_eq(vault_replace(vault, second, 3, 1000), 0);
	/* b's file is wrong now: it stays; a new file that is wrong is nothing */
	ck_assert_uint_eq(vault_count(vault), 2);
	ck_assert(has_key(&a) && has_key(&b) && has_key(&c));
	vault_time(vault, 1000 + VAULT_OLD_MS - 1);
	ck_assert(has_key(&a) && has_key(&b) && has_key(&c));
	vault_time(vault, 1000 + VAULT_OLD_MS);
	ck_assert(!has_key(&a) && has_key(&b) && has_key(&c));
	ck_assert_int_eq(vault_replace(vault, third, 1, 2000), -1);
	ck_assert_uint_eq(vault_count(vault), 2);
	pair_free(&third[0]);
	made_free(&a);
	made_free(&b);
	made_free(&c);
}
END_TEST

/* ---- descriptors of the master, in pieces */

static struct child_fd
as_file(const char *what, const X509 *x, const EVP_PKEY *key)
{
	struct child_fd	fd = { "", memfd_create("f", MFD_CLOEXEC) };
	struct buf	pem;

	buf_init(&pem, 65536);
	made_add_pem(&pem, x, key);
	ck_assert_int_eq(fdio_write(fd.fd, pem.p, pem.n), 0);
	ck_assert_int_eq(lseek(fd.fd, 0, SEEK_SET), 0);
	strlcpy(fd.name, what, sizeof(fd.name));
	buf_free(&pem);
	return fd;
}

static char	said[1024];

static void
say(bool is_warning, const char *text)
{
	ck_assert(!is_warning);
	strlcat(said, text, sizeof(said));
	strlcat(said, "\n", sizeof(said));
}

START_TEST(pieces)
{
	struct child_fd	 one[] = { as_file("certificate 0", ec.x, NULL),
			    as_file("key 0", NULL, ec.key),
			    as_file("certificate 2", rsa.x, NULL) };
	struct child_fd	 two[] = { as_file("key 2", NULL, rsa.key) };
	struct load	 l = { NULL, 0 };
	struct settings	*s;
	struct pairs	 pairs;
	struct diag	 why = { "" };
	size_t		 wrong;

	ck_assert_msg(settings_parse(STR("hostname mx.test\n"
	    "tls.certificate /a/0.crt /a/0.key\n"
	    "tls.certificate /a/1.crt /a/1.key\n"
	    "tls.certificate /a/2.crt /a/2.key\n"), "test", &s, &why) == 0,
	    "%s", why.text);
	ck_assert_int_eq(load_files(&l, one, nitems(one), &why), 0);
	ck_assert_int_eq(load_files(&l, two, nitems(two), &why), 0);
	said[0] = '\0';
	ck_assert_int_eq(load_pairs(&l, s, &pairs, &wrong, say), 0);
	ck_assert_uint_eq(wrong, 1);
	ck_assert_uint_eq(pairs.n, 3);
	ck_assert_ptr_null(pairs.list[1].key);
	ck_assert_str_eq(pairs.list[1].file, "/a/1.crt");
	ck_assert_str_eq(said,
	    "/a/1.crt: there is no certificate in it, expected PEM\n");
	ck_assert_ptr_null(l.files);
	ck_assert_int_eq(memcmp(pairs.list[0].name, name[1], KEYS_KEY_SIZE), 0);
	ck_assert_int_eq(memcmp(pairs.list[2].name, name[0], KEYS_KEY_SIZE), 0);
	pairs_free(&pairs);
	settings_free(&s);
	close(one[0].fd);
	close(one[1].fd);
	close(one[2].fd);
	close(two[0].fd);
}
END_TEST

START_TEST(wrong_names)
{
	static const char *const names[] = { "certificate", "key x", "key 200",
		"secret 1", "" };
	struct child_fd	 fd = as_file(names[_i], ec.x, NULL);
	struct load	 l = { NULL, 0 };
	struct diag	 why = { "" };

	ck_assert_int_eq(load_files(&l, &fd, 1, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "of the master"));
	load_wipe(&l);
	close(fd.fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("keys");
	TCase	*t = tcase_create("forms"), *v = tcase_create("vault");
	TCase	*f = tcase_create("files");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, form, 0, (int)nitems(forms));
	tcase_add_loop_test(t, finite_field, 0, (int)nitems(fields));
	suite_add_tcase(s, t);
	tcase_add_unchecked_fixture(v, make_keys, free_keys);
	tcase_add_checked_fixture(v, setup, teardown);
	tcase_add_loop_test(v, order, 0, (int)nitems(orders));
	tcase_add_loop_test(v, drop, 0, (int)nitems(malformed));
	tcase_add_loop_test(v, list, 0, 4);
	tcase_add_test(v, replace);
	tcase_add_test(v, pieces);
	tcase_add_loop_test(v, wrong_names, 0, 5);
	suite_add_tcase(s, v);
	tcase_add_unchecked_fixture(f, make_files, free_files);
	tcase_add_loop_test(f, file, 0, (int)nitems(files));
	tcase_add_test(f, encrypted);
	tcase_add_loop_test(f, self, 0, 2);
	suite_add_tcase(s, f);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
