/*
 * tests/unit/test_hop_choose.c - from answers to places: a new case is a row.
 * Facts are written as words: "mx=RESULT" or "null", then for each host
 * "PREF:NAME" and its addresses or "a=RESULT", "aaaa=RESULT"; "-" for PREF: the
 * domain itself.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "route/hop_answer.h"
#include "route/hop_choose.h"

static const char conf[] =
    "hostname mx.example.test\n"
    "smtp.listen *:25\n"
    "transport relay.test smtp:smart.test\n"
    "transport tls.test smtps:smart.test\n"
    "transport port.test smtp:smart.test:2525\n"
    "transport lmtp.test lmtp:[127.0.0.1]:24\n"
    "transport sock.test lmtp:/run/x\n"
    "transport none.test none\n"
    "transport .none.test none\n"
    "transport ok.none.test smtp\n"
    "transport to.test mx:other.test\n"
    "transport lo.test smtp:[127.0.0.1]\n"
    "transport lo2.test smtp:[127.0.0.1]:10025\n"
    "remote.tls secure.test verified\n"
    "remote.tls mx1.test required\n"
    "remote.tls .big.test off\n"
    "remote.source * 192.0.2.5\n"
    "remote.source only6.test 2001:db8::5\n"
    "remote.connections secure.test 3\n"
    "remote.connections mx1.test 4\n"
    "remote.connections * 5\n";

static struct settings		*settings;
static struct hop_site		 site;
static struct hop_choice	 choice;

static void
setup(void)
{
	struct diag	why = { "" };
	struct addr	own;

	ck_assert_msg(settings_parse(str_from(conf), "conf", &settings,
	    &why) == 0, "%s", why.text);
	ck_assert_int_eq(addr_parse(STR("198.51.100.1"), &own), 0);
	ck_assert_msg(hop_site_init(&site, settings, &own, 1, &why) == 0, "%s",
	    why.text);
	hop_choice_init(&choice);
}

static void
teardown(void)
{
	hop_choice_free(&choice);
	hop_site_free(&site);
	settings_free(&settings);
}

static enum dns_result
result(const char *s)
{
	static const char *const	names[] = { "found", "none", "nx",
		"servfail", "timeout", "bogus" };
	size_t				i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(names[i], s) == 0)
			return (enum dns_result)i;
	ck_abort_msg("%s", s);
}

static void
look(struct fact_look *l, const char *s)
{
	*l = (struct fact_look){ true, result(s), 300, false, "" };
}

static struct fact_host *
host(struct facts *f, const char *word)
{
	const char	*name = strchr(word, ':') + 1;
	size_t		 i;

	f->implicit = *word == '-';
	ck_assert_int_eq(facts_add_host(f, name, f->implicit ? 0 :
	    (uint16_t)strtoul(word, NULL, 10), (uint32_t)f->nhosts), 0);
	for (i = 0; strcmp(f->hosts[i].name, name) != 0; i++)
		;
	look(&f->hosts[i].a, "none");
	look(&f->hosts[i].aaaa, "none");
	return &f->hosts[i];
}

/* Hosts come in order of preference here, so that pointers stay good. */
static void
parse(const char *text, struct facts *f)
{
	char			 words[1024], *next = words, *w;
	struct fact_host	*h = NULL;
	struct addr		 a;

	look(&f->mx, "found");
	strlcpy(words, text, sizeof(words));
	while ((w = strsep(&next, " ")) != NULL) {
		if (strcmp(w, "null") == 0)
			f->null_mx = true;
		else if (strncmp(w, "mx=", 3) == 0)
			look(&f->mx, w + 3);
		else if (strncmp(w, "a=", 2) == 0)
			look(&h->a, w + 2);
		else if (strncmp(w, "aaaa=", 5) == 0)
			look(&h->aaaa, w + 5);
		else if (addr_parse(str_from(w), &a) == 0) {
			look(addr_is_v4(&a) ? &h->a : &h->aaaa, "found");
			ck_assert_int_eq(facts_add_addr(h, &a), 0);
		} else if (*w != '\0')
			h = host(f, w);
	}
}

/* Never changes the order. */
static uint32_t
last(uint32_t n)
{
	return n - 1;
}

/* "250 2.0.0 KEY | addr addr" or "550 5.1.2". */
static const char *
run(const char *domain, const char *facts)
{
	static char	out[4096];
	char		text[ADDR_TEXT_SIZE];
	struct hop_plan	plan;
	struct facts	f;
	size_t		i, n;

	hop_plan_make(&site, str_from(domain), &plan);
	facts_init(&f, plan.kind == HOP_KIND_MX, plan.name);
	if (plan.kind == HOP_KIND_MX || plan.kind == HOP_KIND_HOST)
		parse(facts, &f);
	hop_choose(&site, &plan, &f, last, &choice);
	n = (size_t)snprintf(out, sizeof(out), "%u %s", choice.code,
	    choice.status);
	if (choice.code == 250)
		n += (size_t)snprintf(out + n, sizeof(out) - n, " %s |",
		    choice.key);
	for (i = 0; i < choice.ntargets; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, " %s",
		    choice.targets[i].path != NULL ? choice.targets[i].path :
		    addr_text(&choice.targets[i].addr, false, text));
	ck_assert_int_eq(choice.code == 250, choice.ntargets > 0);
	ck_assert(record_ok(buf_view(&choice.why)));
	/* targets point into the facts */
	choice.ntargets = 0;
	facts_free(&f);
	return out;
}

#define FROM	" from=192.0.2.5"

static const struct {
	const char	*domain, *facts, *out;
} rows[] = {
	/* MX */
	{ "a.test", "10:m1.test 192.0.2.1 2001:db8::1 20:m2.test 192.0.2.2",
	    "250 2.0.0 smtp:m1.test" FROM " | 2001:db8::1 192.0.2.1 192.0.2.2" },
	{ "a.test", "10:m2.test 192.0.2.2 10:m1.test 192.0.2.1",
	    "250 2.0.0 smtp:m1.test" FROM " | 192.0.2.2 192.0.2.1" },
	{ "a.test", "10:m.test 192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2 "
	    "192.0.2.3", "250 2.0.0 smtp:m.test" FROM " | 2001:db8::1 "
	    "192.0.2.1 2001:db8::2 192.0.2.2 192.0.2.3" },
	{ "a.test", "null", "550 5.1.10" },
	{ "a.test", "mx=nx", "550 5.1.2" },
	{ "a.test", "mx=servfail", "450 4.4.3" },
	{ "a.test", "mx=timeout", "450 4.4.3" },
	{ "a.test", "mx=bogus", "450 4.7.0" },
	{ "a.test", "", "550 5.4.4" },		/* records without a host's name */
	/* no MX */
	{ "a.test", "mx=none -:a.test 192.0.2.1",
	    "250 2.0.0 smtp:a.test" FROM " | 192.0.2.1" },
	{ "a.test", "mx=none -:a.test", "550 5.4.4" },
	{ "a.test", "mx=none -:a.test a=nx aaaa=nx", "550 5.1.2" },
	{ "a.test", "mx=none -:a.test a=timeout", "450 4.4.3" },
	{ "a.test", "mx=none -:a.test a=servfail 2001:db8::1",
	    "250 2.0.0 smtp:a.test" FROM " | 2001:db8::1" },
	{ "a.test", "mx=none -:a.test aaaa=bogus", "450 4.7.0" },
	{ "a.test", "mx=none -:a.test aaaa=bogus a=timeout", "450 4.7.0" },
	{ "a.test", "mx=none -:a.test 198.51.100.1", "550 5.4.6" },
	/* hosts without an address */
	{ "a.test", "10:m1.test 20:m2.test 192.0.2.2",
	    "250 2.0.0 smtp:m2.test" FROM " | 192.0.2.2" },
	{ "a.test", "10:m1.test a=nx aaaa=nx 20:m2.test", "550 5.4.4" },
	{ "a.test", "10:m1.test a=servfail 20:m2.test a=nx", "450 4.4.3" },
	{ "a.test", "10:m1.test a=bogus aaaa=bogus", "450 4.7.0" },
	{ "a.test", "10:m1.test a=timeout 20:m2.test 192.0.2.2",
	    "250 2.0.0 smtp:m2.test" FROM " | 192.0.2.2" },
	{ "a.test", "10:m1.test 224.0.0.1 255.255.255.255 ff02::1 fe80::1",
	    "550 5.4.4" },
	/* ourselves */
	{ "a.test", "10:mx.example.test 192.0.2.9", "550 5.4.6" },
	{ "a.test", "10:m1.test 192.0.2.1 20:mx.example.test 30:m3.test "
	    "192.0.2.3", "250 2.0.0 smtp:m1.test" FROM " | 192.0.2.1" },
	{ "a.test", "10:m1.test 192.0.2.1 20:m2.test 192.0.2.2 20:we.test "
	    "198.51.100.1", "250 2.0.0 smtp:m1.test" FROM " | 192.0.2.1" },
	{ "a.test", "10:we.test 198.51.100.1 10:m2.test 192.0.2.2",
	    "550 5.4.6" },
	{ "a.test", "10:m1.test a=timeout 20:we.test 198.51.100.1",
	    "450 4.4.3" },
	{ "a.test", "10:m1.test 20:we.test 198.51.100.1", "550 5.4.4" },
	{ "a.test", "10:we.test 127.0.0.9", "550 5.4.6" },
	/* literals */
	{ "[192.0.2.7]", NULL, "250 2.0.0 smtp:[192.0.2.7]" FROM
	    " | 192.0.2.7" },
	{ "[IPv6:2001:db8::7]", NULL, "250 2.0.0 smtp:[IPv6:2001:db8::7]" FROM
	    " | 2001:db8::7" },
	{ "[198.51.100.1]", NULL, "550 5.4.6" },
	{ "[127.0.0.1]", NULL, "550 5.4.6" },
	{ "[255.255.255.255]", NULL, "550 5.4.4" },
	{ "a..b", NULL, "550 5.1.2" },
	/* transports */
	{ "relay.test", "-:smart.test 192.0.2.1",
	    "250 2.0.0 smtp:smart.test" FROM " | 192.0.2.1" },
	{ "relay.test", "-:smart.test a=nx", "450 4.4.4" },
	{ "relay.test", "-:smart.test", "450 4.4.4" },
	{ "relay.test", "mx=servfail", "450 4.4.3" },	/* no memory for its host */
	{ "relay.test", "-:smart.test 198.51.100.1", "550 5.4.6" },
	{ "port.test", "-:smart.test 198.51.100.1",
	    "250 2.0.0 smtp:smart.test:2525" FROM " | 198.51.100.1" },
	{ "tls.test", "-:smart.test 192.0.2.1",
	    "250 2.0.0 smtps:smart.test" FROM " | 192.0.2.1" },
	{ "lmtp.test", NULL, "250 2.0.0 lmtp:[127.0.0.1]:24" FROM
	    " | 127.0.0.1" },
	{ "sock.test", NULL, "250 2.0.0 lmtp:/run/x | /run/x" },
	{ "none.test", NULL, "550 5.4.4" },
	{ "x.none.test", NULL, "550 5.4.4" },
	{ "ok.none.test", "mx=nx", "550 5.1.2" },
	{ "to.test", "10:m.test 192.0.2.1",
	    "250 2.0.0 smtp:m.test" FROM " | 192.0.2.1" },
	{ "to.test", "mx=nx", "450 4.4.4" },
	{ "to.test", "null", "450 4.4.4" },
	{ "to.test", "mx=timeout", "450 4.4.3" },
	{ "lo.test", NULL, "550 5.4.6" },
	{ "lo2.test", NULL, "250 2.0.0 smtp:[127.0.0.1]:10025" FROM
	    " | 127.0.0.1" },
	/* settings in the key */
	{ "secure.test", "10:mx1.test 192.0.2.1",
	    "250 2.0.0 smtp:mx1.test tls=verified" FROM " | 192.0.2.1" },
	{ "b.test", "10:mx1.test 192.0.2.1",
	    "250 2.0.0 smtp:mx1.test tls=required" FROM " | 192.0.2.1" },
	{ "b.test", "10:a.big.test 192.0.2.1",
	    "250 2.0.0 smtp:a.big.test tls=off" FROM " | 192.0.2.1" },
	{ "only6.test", "mx=none -:only6.test 2001:db8::1",
	    "250 2.0.0 smtp:only6.test from=2001:db8::5 | 2001:db8::1" },
};

START_TEST(row)
{
	ck_assert_str_eq(run(rows[_i].domain, rows[_i].facts), rows[_i].out);
}
END_TEST

START_TEST(limits)
{
	run("secure.test", "10:mx1.test 192.0.2.1");
	ck_assert_str_eq(choice.connections, "3");
	run("b.test", "10:mx1.test 192.0.2.1");
	ck_assert_str_eq(choice.connections, "4");
	run("b.test", "10:m.test 192.0.2.1");
	ck_assert_str_eq(choice.connections, "5");
	ck_assert_ptr_null(choice.rate);
	ck_assert_uint_eq(choice.expires, 300);
	run("b.test", "10:m.test 192.0.2.1 20:n.test a=timeout");
	ck_assert_uint_eq(choice.expires, 10);
}
END_TEST

static unsigned	drawn;

static uint32_t
any(uint32_t n)
{
	drawn = drawn * 1103515245u + 12345u;
	return (drawn >> 16) % n;
}

/* Equals take turns; a worse one never comes first. */
START_TEST(turns)
{
	struct hop_plan	plan;
	struct facts	f;
	size_t		i, j, first[3] = { 0, 0, 0 };
	const char	*names[] = { "m1.test", "m2.test", "m3.test" };

	hop_plan_make(&site, STR("a.test"), &plan);
	facts_init(&f, true, "a.test");
	parse("10:m1.test 192.0.2.1 192.0.2.4 10:m2.test 192.0.2.2 "
	    "10:m3.test 192.0.2.3 20:m4.test 192.0.2.5", &f);
	for (i = 0; i < 300; i++) {
		hop_choose(&site, &plan, &f, any, &choice);
		ck_assert_uint_eq(choice.ntargets, 5);
		ck_assert_str_eq(choice.targets[4].host, "m4.test");
		for (j = 0; j < 3; j++)
			first[j] += strcmp(choice.targets[0].host,
			    names[j]) == 0;
		for (j = 0; j < 4; j++)		/* one host's stay together */
			if (strcmp(choice.targets[j].host, "m1.test") == 0)
				break;
		ck_assert_str_eq(choice.targets[j + 1].host, "m1.test");
		ck_assert_str_eq(choice.key, "smtp:m1.test" FROM);
	}
	for (j = 0; j < 3; j++)
		ck_assert_uint_gt(first[j], 60);
	facts_free(&f);
}
END_TEST

/* As large as it can be, the answer fits beside a message's recipients. */
/* An address that this host got later. */
START_TEST(own_changes)
{
	struct hop_plan	plan;
	struct addr	a;

	ck_assert_int_eq(addr_parse(STR("192.0.2.9"), &a), 0);
	hop_plan_make(&site, STR("[192.0.2.9]"), &plan);
	hop_choose(&site, &plan, NULL, any, &choice);
	ck_assert_uint_eq(choice.code, 250);
	hop_site_set_own(&site, &a, 1);
	hop_choose(&site, &plan, NULL, any, &choice);
	ck_assert_uint_eq(choice.code, 550);
	ck_assert_str_eq(choice.status, "5.4.6");
	hop_site_set_own(&site, NULL, 0);
	hop_choose(&site, &plan, NULL, any, &choice);
	ck_assert_uint_eq(choice.code, 250);
}
END_TEST

START_TEST(largest)
{
	struct hop_plan	plan;
	struct hop_ask	ask = { UINT64_MAX, STR("a.test") };
	struct facts	f;
	struct addr	a = { .valid = true };
	char		name[HOP_NAME_MAX + 1];
	struct buf	out;
	size_t		i, j;

	hop_plan_make(&site, STR("a.test"), &plan);
	facts_init(&f, true, "a.test");
	look(&f.mx, "found");
	for (i = 0; i < FACTS_HOSTS; i++) {
		memset(name, 'a', sizeof(name));
		snprintf(name, sizeof(name), "%02zu", i);
		name[2] = 'x';
		for (j = 63; j < HOP_NAME_MAX; j += 64)
			name[j] = '.';
		name[HOP_NAME_MAX] = '\0';
		ck_assert_int_eq(facts_add_host(&f, name, 65535, 0), 0);
	}
	for (i = 0; i < FACTS_HOSTS; i++)
		for (j = 0; j < FACTS_ADDRS; j++) {
			memset(a.ip, 0x2d, sizeof(a.ip));
			ck_assert_int_eq(facts_add_addr(&f.hosts[i], &a), 0);
		}
	hop_choose(&site, &plan, &f, any, &choice);
	ck_assert_uint_eq(choice.ntargets, HOP_TARGETS);
	buf_init(&out, 65536);
	ck_assert(hop_answer_build(&out, &ask, &choice));
	ck_assert_uint_le(out.n, HOP_ANSWER_MAX);
	ck_assert_uint_gt(out.n, HOP_ANSWER_MAX - 1000);
	ck_assert(record_ok(buf_view(&out)));
	buf_free(&out);
	facts_free(&f);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("hop_choose");
	TCase	*t = tcase_create("choose");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, row, 0, nitems(rows));
	tcase_add_test(t, limits);
	tcase_add_test(t, turns);
	tcase_add_test(t, own_changes);
	tcase_add_test(t, largest);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
