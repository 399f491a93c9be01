/* tests/unit/test_addr.c - addresses and networks as configuration and clients have them. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/net/addr.h"

static const struct {
	const char	*in, *text, *tagged;	/* NULL: no address */
} addrs[] = {
	{ "192.0.2.1", "192.0.2.1", "192.0.2.1" },
	{ "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1" },
	{ "2001:DB8::1", "2001:db8::1", "IPv6:2001:db8::1" },
	{ "ipv6:::1", "::1", "IPv6:::1" },
	{ "::", "::", "IPv6:::" },
	{ "", NULL, NULL },
	{ "192.0.2", NULL, NULL },
	{ "192.0.2.256", NULL, NULL },
	{ "192.0.2.1 ", NULL, NULL },
	{ "1.2.3.4.5", NULL, NULL },
	{ "2001:db8:::1", NULL, NULL },
	{ "fe80::1%eth0", NULL, NULL },
	{ "localhost", NULL, NULL },
	{ "2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1",
	    NULL, NULL },
};

START_TEST(parse)
{
	char			text[ADDR_TEXT_SIZE];
	struct sockaddr_storage	ss;
	struct addr		a, b;
	socklen_t		n;

	if (addrs[_i].text == NULL) {
		ck_assert_int_eq(addr_parse(str_from(addrs[_i].in), &a), -1);
		return;
	}
	ck_assert_int_eq(addr_parse(str_from(addrs[_i].in), &a), 0);
	ck_assert(a.valid);
	ck_assert_str_eq(addr_text(&a, false, text), addrs[_i].text);
	ck_assert_str_eq(addr_text(&a, true, text), addrs[_i].tagged);
	a.port = 110;
	n = addr_to_sockaddr(&a, &ss);
	ck_assert_uint_eq(n, addr_is_v4(&a) ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6));
	addr_from_sockaddr((const struct sockaddr *)&ss, &b);
	ck_assert_int_eq(memcmp(a.ip, b.ip, sizeof(a.ip)), 0);
	ck_assert_uint_eq(b.port, 110);
	ck_assert(b.valid);
}
END_TEST

static const struct {
	const char	*in, *ip;	/* NULL: not this */
	uint16_t	 port;
} listens[] = {
	{ "127.0.0.1:25", "127.0.0.1", 25 },
	{ "[::1]:65535", "::1", 65535 },
	{ "*:110", "::", 110 },
	{ "127.0.0.1", NULL, 0 },
	{ "127.0.0.1:0", NULL, 0 },
	{ "127.0.0.1:65536", NULL, 0 },
	{ "127.0.0.1:", NULL, 0 },
	{ "127.0.0.1:x", NULL, 0 },
	{ "::1:25", NULL, 0 },
	{ "[::1]", NULL, 0 },
	{ "[::1:25", NULL, 0 },
	{ ":25", NULL, 0 },
	{ "mail.example.test:25", NULL, 0 },
};

START_TEST(listen_text)
{
	char		text[ADDR_TEXT_SIZE];
	struct addr	a;

	if (listens[_i].ip == NULL) {
		ck_assert_int_eq(addr_parse_listen(listens[_i].in, &a), -1);
		return;
	}
	ck_assert_int_eq(addr_parse_listen(listens[_i].in, &a), 0);
	ck_assert_str_eq(addr_text(&a, false, text), listens[_i].ip);
	ck_assert_uint_eq(a.port, listens[_i].port);
}
END_TEST

static const struct {
	const char	*network, *in, *out;	/* in NULL: no network; "": none */
} networks[] = {
	{ "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
	{ "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
	{ "192.0.2.7", "192.0.2.7", "192.0.2.6" },
	{ "192.0.2.7/32", "192.0.2.7", "192.0.2.6" },
	{ "0.0.0.0/0", "255.1.2.3", "2001:db8::1" },
	{ "127.0.0.0/8", "127.255.0.1", "128.0.0.1" },
	{ "2001:db8::/32", "2001:db8:ffff::", "2001:db9::" },
	{ "2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::" },
	{ "::1", "::1", "::2" },
	{ "::/0", "2001:db8::1", "192.0.2.1" },	/* not IPv4 as well */
	{ "::/64", "::1", "192.0.2.1" },
	{ "0.0.0.0/0", "192.0.2.1", "::1" },
	{ "192.0.2.0/33", NULL, NULL },
	{ "::/129", NULL, NULL },
	{ "192.0.2.0/", NULL, NULL },
	{ "192.0.2.0/-1", NULL, NULL },
	{ "/8", NULL, NULL },
	{ "", NULL, NULL },
};

START_TEST(network)
{
	struct network	n;
	struct addr	a;

	if (networks[_i].in == NULL) {
		ck_assert_int_eq(network_parse(str_from(networks[_i].network),
		    &n), -1);
		return;
	}
	ck_assert_int_eq(network_parse(str_from(networks[_i].network), &n), 0);
	ck_assert_int_eq(addr_parse(str_from(networks[_i].in), &a), 0);
	ck_assert(network_has(&n, &a));
	a.valid = false;	/* a UNIX peer is in no network */
	ck_assert(!network_has(&n, &a));
	if (networks[_i].out[0] == '\0')
		return;
	ck_assert_int_eq(addr_parse(str_from(networks[_i].out), &a), 0);
	ck_assert(!network_has(&n, &a));
}
END_TEST

static const struct {
	const char	*a, *b;
	bool		 same;
} units[] = {
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "2001:db8:0:1::1", "2001:db8:0:1:ffff::", true },
	{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
};

START_TEST(unit_of_account)
{
	struct addr	a, b;
	struct network	n;

	ck_assert_int_eq(addr_parse(str_from(units[_i].a), &a), 0);
	ck_assert_int_eq(addr_parse(str_from(units[_i].b), &b), 0);
	a.port = 1234;
	n = network_of_client(&a);
	ck_assert_uint_eq(n.addr.port, 0);
	ck_assert_int_eq(network_has(&n, &b), units[_i].same);
}
END_TEST

START_TEST(listening)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof(ss);
	struct addr		a, got;
	int			fd, again;

	ck_assert_int_eq(addr_parse(STR("127.0.0.1"), &a), 0);
	ck_assert_int_ne(fd = addr_listen(&a, 5), -1);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	addr_from_sockaddr((struct sockaddr *)&ss, &got);
	ck_assert_uint_ne(got.port, 0);
	ck_assert_int_eq(again = addr_listen(&got, 5), -1);
	close(fd);
	(void)again;
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("addr");
	TCase	*t = tcase_create("addr");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, parse, 0, nitems(addrs));
	tcase_add_loop_test(t, listen_text, 0, nitems(listens));
	tcase_add_loop_test(t, network, 0, nitems(networks));
	tcase_add_loop_test(t, unit_of_account, 0, nitems(units));
	tcase_add_test(t, listening);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
