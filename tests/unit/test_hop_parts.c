/* tests/unit/test_hop_parts.c - names, patterns, hosts, resolv.conf, our own addresses, the cache, the watch. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "route/hop_cache.h"
#include "route/hop_hosts.h"
#include "route/hop_name.h"
#include "route/hop_site.h"
#include "route/hop_watch.h"

#define L63	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char	*in, *out;	/* NULL: cannot exist */
} names[] = {
	{ "example.org", "example.org" },
	{ "EXAMPLE.Org", "example.org" },
	{ "_x.a-b.test", "_x.a-b.test" },
	{ "a", "a" },
	{ L63 ".test", L63 ".test" },
	{ L63 "." L63 "." L63 "." L63, NULL },
	{ L63 "a.test", NULL },
	{ "", NULL }, { ".", NULL }, { "a.", NULL }, { ".a", NULL },
	{ "a..b", NULL }, { "a b", NULL }, { "a/b", NULL }, { "[x]", NULL },
	{ "b\xc3\xbc""cher.test", "xn--bcher-kva.test" },
	{ "B\xc3\x9c""CHER.test", "xn--bcher-kva.test" },
	{ "stra\xc3\x9f""e.test", "xn--strae-oqa.test" },	/* non-transitional */
	{ "xn--bcher-kva.test", "xn--bcher-kva.test" },
	{ "a\xe3\x80\x82test", "a.test" },	/* the ideographic full stop */
	{ "\xe2\x80\xa8.test", NULL }, { "\xff.test", NULL }, { "\xc3", NULL },
};

START_TEST(ascii)
{
	char	out[HOP_NAME_MAX + 1];
	int	r = hop_name_ascii(str_from(names[_i].in), out);

	if (names[_i].out == NULL)
		ck_assert_int_eq(r, -1);
	else {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(out, names[_i].out);
	}
}
END_TEST

#define WIRE(s)	{ (s), sizeof(s) - 1 }
static const struct {
	struct str	 in;
	const char	*out;
} wires[] = {
	{ WIRE("\2mx\7Example\3ORG\0"), "mx.example.org" },
	{ WIRE("\0"), "" },
	{ WIRE("\3a.b\4test\0"), NULL },
	{ WIRE("\3a\0b\4test\0"), NULL },
	{ WIRE("\3a b\4test\0"), NULL },
	{ WIRE("\2mx\4test"), NULL },		/* no end */
	{ WIRE("\2mx\4test\0x"), NULL },	/* more behind it */
	{ WIRE("\2mx\5test\0"), NULL },
	{ WIRE("\300\14"), NULL },		/* compressed */
	{ WIRE(""), NULL },
	{ WIRE("\77" L63 "\77" L63 "\77" L63 "\77" L63 "\77" L63 "\0"), NULL },
};

START_TEST(wire)
{
	char	out[HOP_NAME_MAX + 1];
	int	r = hop_name_wire(wires[_i].in, out);

	if (wires[_i].out == NULL)
		ck_assert_int_eq(r, -1);
	else {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(out, wires[_i].out);
	}
}
END_TEST

START_TEST(literals)
{
	static const char *const	good[] = { "[192.0.2.1]",
		"[IPv6:2001:db8::1]", "[ipv6:::1]", "[2001:db8::1]" };
	static const char *const	bad[] = { "", "[]", "[", "192.0.2.1",
		"[192.0.2]", "[192.0.2.1", "[x]", "[IPv6:]", "[192.0.2.1]x" };
	struct addr			a;
	size_t				i;

	for (i = 0; i < nitems(good); i++)
		ck_assert_msg(hop_name_literal(str_from(good[i]), &a), "%s",
		    good[i]);
	for (i = 0; i < nitems(bad); i++)
		ck_assert_msg(!hop_name_literal(str_from(bad[i]), &a), "%s",
		    bad[i]);
}
END_TEST

static const char hosts_text[] =
    "# comment 192.0.2.9 no\n"
    "127.0.0.1\tlocalhost\n"
    "\n"
    "192.0.2.1 Mail.Example.ORG mail # 192.0.2.7 not\n"
    "2001:db8::1   mail.example.org.\r\n"
    "fe80::1%eth0 linklocal\n"
    "nonsense mail\n"
    "192.0.2.3\n"
    "192.0.2.2 mail bad..name";

START_TEST(hosts)
{
	const struct host_entry	*e;
	struct hosts		 h;
	struct addr		 a;

	ck_assert_int_eq(hosts_parse(STR(hosts_text), &h), 0);
	ck_assert_uint_eq(h.n, 5);
	ck_assert_uint_eq(hosts_find(&h, "mail.example.org", &e), 2);
	ck_assert_uint_eq(e[0].line, 4);
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), &a), 0);
	ck_assert_mem_eq(e[0].addr.ip, a.ip, sizeof(a.ip));
	ck_assert_uint_eq(e[1].line, 5);
	ck_assert_uint_eq(hosts_find(&h, "mail", &e), 2);
	ck_assert_uint_eq(e[1].line, 9);
	ck_assert_uint_eq(hosts_find(&h, "localhost", &e), 1);
	ck_assert_uint_eq(hosts_find(&h, "linklocal", &e), 0);
	ck_assert_uint_eq(hosts_find(&h, "no", &e), 0);
	ck_assert_uint_eq(hosts_find(&h, "zzz", &e), 0);
	hosts_free(&h);
	ck_assert_int_eq(hosts_parse(STR(""), &h), 0);
	ck_assert_uint_eq(hosts_find(&h, "a", &e), 0);
	hosts_free(&h);
}
END_TEST

START_TEST(resolv)
{
	static const char	text[] = "; comment\n#nameserver 192.0.2.9\n"
	    "search example.org\nnameserver 192.0.2.1\n"
	    "  nameserver\t2001:db8::1  # why\nnameserver\nnameserver x\n"
	    "Nameserver 192.0.2.3\noptions rotate\nnameserver 192.0.2.2";
	struct addr		a[RESOLV_SERVERS];
	char			t[ADDR_TEXT_SIZE], many[1024] = "";
	size_t			i;

	ck_assert_uint_eq(resolv_parse(STR(text), a), 3);
	ck_assert_str_eq(addr_text(&a[0], false, t), "192.0.2.1");
	ck_assert_str_eq(addr_text(&a[1], false, t), "2001:db8::1");
	ck_assert_str_eq(addr_text(&a[2], false, t), "192.0.2.2");
	ck_assert_uint_eq(a[2].port, 53);
	for (i = 0; i < RESOLV_SERVERS + 3; i++)
		strlcat(many, "nameserver 192.0.2.4\n", sizeof(many));
	ck_assert_uint_eq(resolv_parse(str_from(many), a), RESOLV_SERVERS);
	ck_assert_uint_eq(resolv_parse(STR(""), a), 0);
}
END_TEST

static const char conf[] =
    "hostname MX.example.test\n"
    "smtp.listen 192.0.2.1:25 [2001:db8::1]:25 127.0.0.1:2525 0.0.0.0:587\n"
    "remote.rate example.org 1\n"
    "remote.rate .example.org 2\n"
    "remote.rate .sub.EXAMPLE.org 3\n"
    "remote.rate x.sub.example.org 4\n"
    "remote.rate x.sub.example.org 5\n"
    "remote.rate * 6\n"
    "remote.rate .org 7\n"
    "remote.rate b\xc3\xbc""cher.test 8\n";

static struct settings	*settings;
static struct hop_site	 site;

static void
setup(void)
{
	struct diag	why = { "" };
	struct addr	own[2];

	ck_assert_msg(settings_parse(str_from(conf), "conf", &settings,
	    &why) == 0, "%s", why.text);
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), &own[0]), 0);
	ck_assert_int_eq(addr_parse(STR("2001:db8::1"), &own[1]), 0);
	ck_assert_msg(hop_site_init(&site, settings, own, 2, &why) == 0, "%s",
	    why.text);
}

static void
teardown(void)
{
	hop_site_free(&site);
	settings_free(&settings);
}

static const struct {
	const char	*domain, *rate;	/* "": only * */
	size_t		 n;
} patterns[] = {
	{ "example.org", "1", 1 },
	{ "a.example.org", "2", 1 },
	{ "a.b.example.org", "2", 1 },
	{ "sub.example.org", "2", 1 },
	{ "a.sub.example.org", "3", 1 },
	{ "x.sub.example.org", "4", 2 },
	{ "y.x.sub.example.org", "3", 1 },
	{ "notexample.org", "7", 1 },
	{ "org", "", 0 },
	{ "xn--bcher-kva.test", "8", 1 },
	{ "a.xn--bcher-kva.test", "", 0 },
	{ "[192.0.2.1]", "", 0 },
	{ "*", "6", 1 },
};

START_TEST(pattern)
{
	const struct hop_pattern	*p;
	size_t				 n = 99;

	p = hop_patterns_find(&site.rates, patterns[_i].domain, &n);
	ck_assert_uint_eq(n, patterns[_i].n);
	if (n == 0)
		ck_assert_ptr_null(p);
	else
		ck_assert_str_eq(p->item->more, patterns[_i].rate);
	p = hop_patterns_any(&site.rates, &n);
	ck_assert_ptr_nonnull(p);
	ck_assert_str_eq(p->item->more, "6");
	ck_assert_ptr_null(hop_patterns_any(&site.tls, &n));
}
END_TEST

static const struct {
	const char	*addr;
	unsigned	 port;
	bool		 us;
} ours[] = {
	{ "192.0.2.1", 25, true }, { "192.0.2.1", 26, false },
	{ "192.0.2.2", 25, false }, { "2001:db8::1", 25, true },
	{ "2001:db8::2", 25, false }, { "127.0.0.1", 2525, true },
	{ "127.0.0.1", 25, false }, { "127.0.0.2", 2525, false },
	{ "127.0.0.2", 587, true }, { "192.0.2.1", 587, true },
	{ "2001:db8::1", 587, false }, { "0.0.0.0", 25, true },
	{ "0.0.0.0", 99, false },
};

START_TEST(us)
{
	struct addr	a;

	ck_assert_int_eq(addr_parse(str_from(ours[_i].addr), &a), 0);
	ck_assert_int_eq(hop_site_us(&site, &a, ours[_i].port), ours[_i].us);
}
END_TEST

START_TEST(bad_patterns)
{
	struct settings	*st;
	struct hop_site	 s;
	struct diag	 why;

	ck_assert_int_eq(settings_parse(STR("hostname a.test\n"
	    "remote.rate \xe2\x80\xa8.test 1\n"), "conf", &st, &why), 0);
	ck_assert_int_eq(hop_site_init(&s, st, NULL, 0, &why), -1);
	ck_assert_msg(strncmp(why.text, "conf:2:1: ", 10) == 0, "%s", why.text);
	settings_free(&st);
}
END_TEST

static void
fill(struct hop_cache *c, const char *name, size_t naddrs)
{
	struct hop_entry	*e = hop_cache_add(c, true, name);
	struct facts		 f;
	struct addr		 a = { .valid = true };
	size_t			 i;

	ck_assert_ptr_nonnull(e);
	facts_init(&f, true, name);
	ck_assert_int_eq(facts_add_host(&f, name, 1, 0), 0);
	for (i = 0; i < naddrs; i++)
		ck_assert_int_eq(facts_add_addr(&f.hosts[0], &a), 0);
	hop_cache_fill(c, e, &f, 1000);
}

START_TEST(cache)
{
	static struct hop_cache	c;
	struct hop_entry	*e;

	hop_cache_init(&c, 1, 3, 1 << 20);
	fill(&c, "a", 1);
	fill(&c, "b", 1);
	fill(&c, "c", 1);
	ck_assert_ptr_nonnull(hop_cache_find(&c, true, "a"));
	ck_assert_ptr_null(hop_cache_find(&c, false, "a"));
	fill(&c, "d", 1);	/* b was used least */
	ck_assert_uint_eq(c.n, 3);
	ck_assert_ptr_null(hop_cache_find(&c, true, "b"));
	ck_assert_ptr_nonnull(hop_cache_find(&c, true, "a"));
	e = hop_cache_find(&c, true, "d");
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(e->until, 1000 + 3600 * 1000);
	hop_cache_clear(&c);
	ck_assert_uint_eq(c.n, 0);
	ck_assert_uint_eq(c.bytes, 0);
	/* bytes count, too; the newest one stays in any case */
	c.max_bytes = 1;
	fill(&c, "e", 16);
	fill(&c, "f", 16);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_ptr_nonnull(hop_cache_find(&c, true, "f"));
	hop_cache_free(&c);
	ck_assert_uint_eq(c.bytes, 0);
}
END_TEST

START_TEST(facts_bounds)
{
	struct facts	f;
	struct addr	a = { .valid = true };
	char		name[16];
	size_t		i;

	facts_init(&f, true, "x");
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "h%zu", i);
		ck_assert_int_eq(facts_add_host(&f, name,
		    (uint16_t)(100 - i), 0), 0);
	}
	ck_assert_uint_eq(f.nhosts, FACTS_HOSTS);
	ck_assert_uint_eq(f.left_out, 100 - FACTS_HOSTS);
	ck_assert_str_eq(f.hosts[0].name, "h99");
	ck_assert_uint_eq(f.hosts[FACTS_HOSTS - 1].pref, FACTS_HOSTS);
	/* the better of two places of one name */
	ck_assert_int_eq(facts_add_host(&f, "h90", 0, 0), 0);
	ck_assert_str_eq(f.hosts[0].name, "h90");
	ck_assert_uint_eq(f.nhosts, FACTS_HOSTS);
	ck_assert_int_eq(facts_add_host(&f, "h90", 5, 0), 0);
	ck_assert_uint_eq(f.nhosts, FACTS_HOSTS);
	for (i = 0; i < 40; i++)
		ck_assert_int_eq(facts_add_addr(&f.hosts[0], &a), 0);
	ck_assert_uint_eq(f.hosts[0].naddrs, FACTS_ADDRS);
	ck_assert_uint_eq(f.hosts[0].left_out, 40 - FACTS_ADDRS);
	facts_free(&f);
}
END_TEST

static void
put(const char *path)
{
	int	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
}

START_TEST(watch)
{
	char			 dir[] = "/tmp/test_hop.XXXXXX", one[64], two[64];
	char			 real[64], other[64];
	const char		*paths[] = { one, two };
	struct hop_watch	*w;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(one, sizeof(one), "%s/one", dir);
	snprintf(two, sizeof(two), "%s/two", dir);
	snprintf(real, sizeof(real), "%s/sub", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	ck_assert_int_eq(mkdir(real, 0700), 0);
	snprintf(real, sizeof(real), "%s/sub/real", dir);
	put(one);
	put(real);
	ck_assert_int_eq(symlink("sub/real", two), 0);
	ck_assert_int_eq(hop_watch_new(&w, paths, 2), 0);
	ck_assert_ptr_null(hop_watch_changed(w));
	put(other);				/* not asked for */
	ck_assert_ptr_null(hop_watch_changed(w));
	put(one);				/* written */
	ck_assert_ptr_eq(hop_watch_changed(w), one);
	ck_assert_ptr_null(hop_watch_changed(w));
	ck_assert_int_eq(rename(other, one), 0);	/* replaced */
	ck_assert_ptr_eq(hop_watch_changed(w), one);
	put(real);				/* where the link leads */
	ck_assert_ptr_eq(hop_watch_changed(w), two);
	put(other);
	ck_assert_int_eq(rename(other, real), 0);
	ck_assert_ptr_eq(hop_watch_changed(w), two);
	hop_watch_free(&w);
	unlink(one);
	unlink(two);
	unlink(real);
	strrchr(real, '/')[0] = '\0';
	rmdir(real);
	rmdir(dir);
}
END_TEST

/* What a link leads to is made later, its directory first. */
START_TEST(watch_missing)
{
	char			 dir[] = "/tmp/test_hop.XXXXXX", link[64], at[64];
	const char		*paths[] = { link };
	struct hop_watch	*w;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(link, sizeof(link), "%s/link", dir);
	ck_assert_int_eq(symlink("run/sub/real", link), 0);
	ck_assert_int_eq(hop_watch_new(&w, paths, 1), 0);
	snprintf(at, sizeof(at), "%s/other", dir);
	put(at);
	ck_assert_ptr_null(hop_watch_changed(w));
	unlink(at);
	snprintf(at, sizeof(at), "%s/run", dir);
	ck_assert_int_eq(mkdir(at, 0700), 0);
	ck_assert_ptr_eq(hop_watch_changed(w), link);
	hop_watch_free(&w);
	strlcat(at, "/sub", sizeof(at));
	ck_assert_int_eq(mkdir(at, 0700), 0);
	ck_assert_int_eq(hop_watch_new(&w, paths, 1), 0);
	strlcat(at, "/real", sizeof(at));
	put(at);
	ck_assert_ptr_eq(hop_watch_changed(w), link);
	hop_watch_free(&w);
	unlink(at);
	unlink(link);
	*strrchr(at, '/') = '\0';
	rmdir(at);
	*strrchr(at, '/') = '\0';
	rmdir(at);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(own)
{
	static const char *const	here[] = { "127.0.0.1", "127.1.2.3",
		"0.0.0.0", "::", "::1", "::ffff:127.0.0.2" };
	struct addr			a;
	size_t				i;

	for (i = 0; i < nitems(here); i++) {
		ck_assert_int_eq(addr_parse(str_from(here[i]), &a), 0);
		ck_assert(hop_site_own(&site, &a));
	}
	ck_assert_int_eq(addr_parse(STR("192.0.2.99"), &a), 0);
	ck_assert(!hop_site_own(&site, &a));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("hop_parts");
	TCase	*t = tcase_create("pure"), *u = tcase_create("site");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, ascii, 0, nitems(names));
	tcase_add_loop_test(t, wire, 0, nitems(wires));
	tcase_add_test(t, literals);
	tcase_add_test(t, hosts);
	tcase_add_test(t, resolv);
	tcase_add_test(t, bad_patterns);
	tcase_add_test(t, cache);
	tcase_add_test(t, facts_bounds);
	tcase_add_test(t, watch);
	tcase_add_test(t, watch_missing);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup, teardown);
	tcase_add_test(u, own);
	tcase_add_loop_test(u, pattern, 0, nitems(patterns));
	tcase_add_loop_test(u, us, 0, nitems(ours));
	suite_add_tcase(s, u);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
