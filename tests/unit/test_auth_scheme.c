/*
 * tests/unit/test_auth_scheme.c - records of passwords: those that Dovecot
 * 2.3's "doveadm pw" made of "secret", and our own. A new case is a row.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scheme.h"
#include "auth/verify.h"
#include "common/base/attr.h"
#include "common/store/digest.h"
#include "common/store/users.h"

#define SALT	"Z0SyeYgTvRT0/2WeFKYkew"
#define HASH	"ijCSzl0jFOtLQKizoX9wt20BRXxGNqv58nZV9Wi5WPA"
#define SHA_HEX	"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

static struct crypt_data	scratch;

static const char *const dovecot[] = {
	"{SHA512-CRYPT}$6$nWXQCK2IcfY02evC$6psNMNxSkgsch4WcPSklNvqG0bye7EMK"
	    "QH1Tet4ua4JOlU6I/2qUx/rZQFcGCjhPaFyeIwyAqhiyyAMyMuW3a0",
	"{SHA256-CRYPT}$5$mqbcrchO3zumdbsI$8YOXUY4KCZJzraFFwAWRzR.Chz8/khFkp"
	    "SHkJ5A6v4.",
	"{BLF-CRYPT}$2y$05$A/XFc0mdEVYXzVJVjUPckextAEUUPHDx7j2dT2BmUtOhoavEZ"
	    "qbBG",
	"{CRYPT}$2y$05$dZ587VtfmFh6LUtyf49e0eel1rMD1flLj9ek7ShxCXJZ5eBtrHHHO",
	"{MD5-CRYPT}$1$MUXBwxVA$BM8ewgSf2lp.PTQpluzFs.",
	"{MD5}$1$8DXMyqTo$T1swsUQq5YQ5GXIu2yfTF0",
	"{DES-CRYPT}16iwBuoZQmCnA",
	"16iwBuoZQmCnA",
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$" SALT "$" HASH,
	"{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$yBQyJWdygw7ApJzJQQb1QQ$Ig8xp"
	    "XZu+AukJD1jnT1RxPXsm5RbstQNgCalv/1muWI",
	"{PBKDF2}$1$QqM1G6mrkcPObk8E$5000$52e8ae75c5d2d90a1ebb18c49e8201ea22"
	    "20f4c4",
	"{PBKDF2.HEX}24312452684443487555345974714a4c34376924353030302461643"
	    "836326232356532356236663231616535326561373037316162646331386531"
	    "663662653930",
	"{SSHA}LV3jikkOIWwoBmyrCd49q4RhE+2IiqIV",
	"{SSHA.BASE64}h0Vd0PxRZ4ZDzb12K28xtvzjA4TDXuLw",
	"{SSHA256}LbeOqMsjX+aDoOkP2/xBc306vGtyttrZPUdYzkyxvai6PAcj",
	"{SSHA512}YGIjy6hWJosb06qw6Qz5BHrN5wMKuJJFXyCNDCUjDTizUrO9pWNezuVe9z"
	    "PSjlG837echMXK5NONFp3C25sfWExwmNQ=",
	"{SSHA512.HEX}339c7f9dfc9be83c34f0d91420050394c12c49bfc20f14f91f28667"
	    "20a49748f7ebec74a9bfe75e95e1e13e70677f10e0562dca460c83996b046e6e7"
	    "4dd0e9b00386af5b",
	"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
	"{SHA1}5en6G6MezRroT3XKqkdPOmY/BfQ=",
	"{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
	"{SHA256}" SHA_HEX,
	"{SHA256.HEX}" SHA_HEX,
	"{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhzt"
	    "meD2cmW192CF5bDufKRpayrW/isg==",
	"{SMD5}vR08WAo2ENS2wfwPE9gCs0w+lhk=",
	"{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
	"{LDAP-MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
	"{SCRAM-SHA-1}4096,zzAkzy0HbDJqr5O2NbtP0g==,r7tiX5RyFKO6mpSVI3YCszQL"
	    "owE=,bLGG5c2b5U9tJH/PGb7r48E3xA0=",
	"{SCRAM-SHA-256}4096,LVjb3YThFLBGqudKs65s+Q==,l/Q/WADHa0oUN7Ay+nhbXZ"
	    "Kf3PnUYarGpbvB6EtK+7M=,ZGrsz4XbRIRelX0lSmZlp+2sC5S1m+logH6305gl"
	    "1C4=",
	"{PLAIN}secret",
	"{CLEAR}secret",
	"{CLEARTEXT}secret",
	"{PLAIN.B64}c2VjcmV0",
	"{plain.hex}736563726574",
};

START_TEST(made_by_dovecot)
{
	struct scheme_record	 r;
	const char		*why = NULL;

	ck_assert(scheme_split(str_from(dovecot[_i]), &r));
	ck_assert_msg(scheme_record_ok(&r, &why), "%s: %s", dovecot[_i], why);
	ck_assert_msg(scheme_check(&r, STR("secret"), &scratch), "%s",
	    dovecot[_i]);
	ck_assert_msg(!scheme_check(&r, STR("Secret"), &scratch), "%s",
	    dovecot[_i]);
	ck_assert(!scheme_check(&r, STR(""), &scratch));
}
END_TEST

/* What asks for too much work, or makes no sense, fits nothing and says so; it is never computed. */
static const char *const refused[] = {
	"{CRYPT}$6$rounds=10000001$salt$x",
	"{CRYPT}$6$rounds=99999999999999999999$salt$x",
	"{CRYPT}$5$rounds=$salt$x",
	"{CRYPT}$2y$17$A/XFc0mdEVYXzVJVjUPckextAEUUPHDx7j2dT2BmUtOhoavEZqbBG",
	"{CRYPT}$2y$5$A/XFc0mdEVYXzVJVjUPckextAEUUPHDx7j2dT2BmUtOhoavEZqbBG",
	"{CRYPT}$2z$05$A/XFc0mdEVYXzVJVjUPckextAEUUPHDx7j2dT2BmUtOhoavEZqbBG",
	"{CRYPT}$y$jHT$saltsaltsalt$hash",		/* 2^20 blocks of 4 KiB */
	"{CRYPT}$y$jtT$saltsaltsalt$hash",
	"{CRYPT}$y$j9T9$saltsaltsalt$hash",		/* further parameters */
	"{CRYPT}$y$j",
	"{CRYPT}$y$",
	"{CRYPT}$7$J6..../....saltsalt$hash",
	"{CRYPT}$7$",
	"{CRYPT}$sha1$4000000000$salt$hash",
	"{CRYPT}$md5,rounds=4000000000$salt$$hash",
	"{CRYPT}_zzzzsalthash...",
	"{CRYPT}!$6$salt$hash", "{CRYPT}*", "{CRYPT}x", "{CRYPT}$", "{CRYPT}$9$x",
	"{DES-CRYPT}16iwBuoZQmCn:",
	"{ARGON2ID}$argon2id$v=19$m=2097152,t=1,p=1$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=19$m=1048576,t=17,p=1$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=19$m=65536,t=0,p=1$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=65$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=0$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=19$m=7,t=3,p=1$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=20$m=65536,t=3,p=1$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3$" SALT "$" HASH,
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$" SALT,
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$" SALT "$",
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$AAAA$" HASH,
	"{ARGON2ID}$argon2i$v=19$m=65536,t=3,p=1$" SALT "$" HASH,
	"{ARGON2I}$argon2d$v=19$m=65536,t=3,p=1$" SALT "$" HASH,
	"{PBKDF2}$1$salt$10000001$52e8ae75c5d2d90a1ebb18c49e8201ea2220f4c4",
	"{PBKDF2}$1$salt$0$52e8ae75c5d2d90a1ebb18c49e8201ea2220f4c4",
	"{PBKDF2}$1$$5000$52e8ae75c5d2d90a1ebb18c49e8201ea2220f4c4",
	"{PBKDF2}$1$salt$5000$52e8ae75c5d2d90a1ebb18c49e8201ea2220f4",
	"{PBKDF2}$2$salt$5000$52e8ae75c5d2d90a1ebb18c49e8201ea2220f4c4",
	"{SSHA}c2VjcmV0", "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "{SSHA}*",
	"{SHA256}5en6G6MezRroT3XKqkdPOmY/BfQ=", "{SHA.HEX}xy", "{SHA.HEX}abc",
	"{SCRAM-SHA-1}4096,zzAkzy0HbDJqr5O2NbtP0g==,r7tiX5RyFKO6mpSVI3YCszQL"
	    "owE=",
	"{SCRAM-SHA-1}0,zzAkzy0HbDJqr5O2NbtP0g==,r7tiX5RyFKO6mpSVI3YCszQLow"
	    "E=,bLGG5c2b5U9tJH/PGb7r48E3xA0=",
	"{SCRAM-SHA-256}4096,zzAkzy0HbDJqr5O2NbtP0g==,r7tiX5RyFKO6mpSVI3YCsz"
	    "QLowE=,bLGG5c2b5U9tJH/PGb7r48E3xA0=",
	"{PLAIN.B64}secret",
};

START_TEST(refused_records)
{
	struct scheme_record	 r;
	const char		*why = NULL;

	ck_assert(scheme_split(str_from(refused[_i]), &r));
	ck_assert_msg(!scheme_record_ok(&r, &why), "%s", refused[_i]);
	ck_assert_ptr_nonnull(why);
	ck_assert(!scheme_check(&r, STR("secret"), &scratch));
}
END_TEST

/* No scheme of ours, or no record at all. */
static const char *const unknown[] = {
	"", "{PLAIN}", "{PLAIN", "{}secret", "{NTLM}abc", "{PLAIN.}x",
	"{PLAIN.XOR}x", "{.HEX}00", "{CRAM-MD5}00", "{}"
};

START_TEST(unknown_schemes)
{
	struct scheme_record	r;

	ck_assert_msg(!scheme_split(str_from(unknown[_i]), &r), "%s",
	    unknown[_i]);
	ck_assert(!verify_password(str_from(unknown[_i]), STR("x"), &scratch));
}
END_TEST

START_TEST(what_we_make)
{
	const struct scheme	*s;
	struct scheme_record	 r;
	const char		*why;
	struct buf		 rec, again;
	size_t			 i;

	for (i = 0; (s = scheme_at(i)) != NULL; i++) {
		buf_init(&rec, 2048);
		buf_init(&again, 2048);
		if (!scheme_makes(s)) {
			ck_assert_int_eq(scheme_make(s, STR("x"), 0, &rec), -1);
			ck_assert_int_eq(errno, ENOTSUP);
			continue;
		}
		ck_assert_msg(scheme_make(s, STR("pass word"), 0, &rec) == 0,
		    "%s", scheme_name(s));
		ck_assert(scheme_split(buf_view(&rec), &r));
		ck_assert_ptr_eq(r.scheme, s);
		ck_assert_msg(scheme_record_ok(&r, &why), "%s: %s",
		    scheme_name(s), why);
		ck_assert_msg(scheme_check(&r, STR("pass word"), &scratch),
		    "%s", scheme_name(s));
		ck_assert(!scheme_check(&r, STR("pass wore"), &scratch));
		ck_assert_uint_le(rec.n, USER_PASSWORD_MAX);
		/* but for plain texts, no two are the same */
		ck_assert_int_eq(scheme_make(s, STR("pass word"), 0, &again),
		    0);
		ck_assert(str_eq(buf_view(&rec), buf_view(&again)) ==
		    scheme_plain(buf_view(&rec), &again));
		buf_free(&rec);
		buf_free(&again);
	}
	ck_assert_uint_gt(i, 15);
}
END_TEST

static const struct { const char *scheme; unsigned long cost; bool ok; } costs[] = {
	{ "CRYPT", 1, true }, { "CRYPT", 5, true }, { "CRYPT", 12, false },
	{ "SHA512-CRYPT", 1000, true }, { "SHA512-CRYPT", 10000001, false },
	{ "BLF-CRYPT", 4, true }, { "BLF-CRYPT", 3, false },
	{ "BLF-CRYPT", 40, false },
	{ "ARGON2ID", 1, true }, { "ARGON2ID", 100000, false },
	{ "PBKDF2", 1, true }, { "PBKDF2", 10000001, false },
	{ "SCRAM-SHA-256", 4096, true }, { "SCRAM-SHA-256", 4095, false },
	{ "SCRAM-SHA-256", 2000000, false },
};

START_TEST(cost)
{
	const struct scheme	*s = scheme_find(str_from(costs[_i].scheme));
	struct buf		 rec;

	ck_assert_ptr_nonnull(s);
	buf_init(&rec, 2048);
	ck_assert_msg((scheme_make(s, STR("x"), costs[_i].cost, &rec) == 0) ==
	    costs[_i].ok, "%s %lu", costs[_i].scheme, costs[_i].cost);
	buf_free(&rec);
}
END_TEST

/* RFC 5802 5, RFC 7677 3: "pencil". */
START_TEST(scram)
{
	static const char	one[] = "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,"
				    "6dlGYMOdZcOPutkcNY8U2g7vK9Y=,"
				    "D+CSWLOshSulAsxiupA+qs2/fTE=";
	struct scram_keys	k;
	struct scheme_record	r;

	ck_assert(scheme_split(str_from(one), &r));
	ck_assert(scheme_check(&r, STR("pencil"), &scratch));
	ck_assert(scheme_scram(str_from(one), &digest_scram_sha1, &k));
	ck_assert_uint_eq(k.iterations, 4096);
	ck_assert_uint_eq(k.salt_n, 12);
	ck_assert(!scheme_scram(str_from(one), &digest_scram_sha256, &k));
	ck_assert(!scheme_scram(STR("{PLAIN}x"), &digest_scram_sha1, &k));
}
END_TEST

START_TEST(plain)
{
	struct buf	b;

	buf_init(&b, 64);
	ck_assert(scheme_plain(STR("{PLAIN.HEX}7365"), &b));
	ck_assert(str_eq(buf_view(&b), STR("se")));
	buf_reset(&b);
	ck_assert(!scheme_plain(STR("{SSHA}LV3jikkOIWwoBmyrCd49q4RhE+2IiqIV"),
	    &b));
	ck_assert(!scheme_plain(STR("secret"), &b));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_scheme");
	TCase	*t = tcase_create("auth_scheme");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, made_by_dovecot, 0, nitems(dovecot));
	tcase_add_loop_test(t, refused_records, 0, nitems(refused));
	tcase_add_loop_test(t, unknown_schemes, 0, nitems(unknown));
	tcase_add_test(t, what_we_make);
	tcase_add_loop_test(t, cost, 0, nitems(costs));
	tcase_add_test(t, scram);
	tcase_add_test(t, plain);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
