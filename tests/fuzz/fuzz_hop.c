/*
 * tests/fuzz/fuzz_hop.c - what hop reads: hosts, resolv.conf, names of mail
 * addresses and of DNS, literals, questions; and the choice among whatever
 * hosts there may be, which never leads back to us.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "route/hop_answer.h"
#include "route/hop_hosts.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char conf[] =
    "hostname mx.test\n"
    "smtp.listen *:25\n"
    "transport .t.test smtp:[192.0.2.9]:26\n"
    "transport none.test none\n"
    "transport to.test mx:a.test\n"
    "transport l.test lmtp:/run/x\n"
    "remote.tls a.test verified\n"
    "remote.source * 192.0.2.5\n";

static struct settings		*settings;
static struct hop_site		 site;
static struct hop_choice	 choice;
static const uint8_t		*chance_at, *chance_end;

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
begin(void)
{
	struct diag	why;
	struct addr	own;

	need(settings_parse(str_from(conf), "conf", &settings, &why) == 0);
	need(addr_parse(STR("10.0.0.1"), &own) == 0);
	need(hop_site_init(&site, settings, &own, 1, &why) == 0);
	hop_choice_init(&choice);
}

static void
files(struct str in)
{
	const struct host_entry	*e;
	struct addr		 servers[RESOLV_SERVERS];
	struct hosts		 h;
	size_t			 i, n;

	n = resolv_parse(in, servers);
	need(n <= RESOLV_SERVERS);
	for (i = 0; i < n; i++)
		need(servers[i].valid && servers[i].port == 53);
	need(hosts_parse(in, &h) == 0);
	for (i = 0; i < h.n; i++) {
		need(h.entries[i].addr.valid && h.entries[i].line > 0);
		n = hosts_find(&h, h.entries[i].name, &e);
		need(n > 0 && strcmp(e->name, h.entries[i].name) == 0 &&
		    e <= &h.entries[i] && &h.entries[i] < e + n);
	}
	hosts_free(&h);
}

static void
names(struct str in)
{
	char		once[HOP_NAME_MAX + 1], twice[HOP_NAME_MAX + 1];
	struct addr	a;

	if (hop_name_ascii(in, once) == 0) {
		need(*once != '\0' && strlen(once) <= HOP_NAME_MAX);
		need(hop_name_ascii(str_from(once), twice) == 0);
		need(strcmp(once, twice) == 0);
	}
	if (hop_name_wire(in, once) == 0 && *once != '\0') {
		need(hop_name_ascii(str_from(once), twice) == 0);
		need(strcmp(once, twice) == 0);
	}
	if (hop_name_literal(in, &a))
		need(a.valid && in.p[0] == '[');
}

static void
question(struct str in)
{
	struct hop_ask	ask;
	struct hop_plan	plan;

	if (hop_ask_parse(in, &ask))
		hop_plan_make(&site, ask.domain, &plan);
	hop_plan_make(&site, in, &plan);
}

static uint8_t
take(void)
{
	return chance_at < chance_end ? *chance_at++ : 0;
}

static uint32_t
chance(uint32_t n)
{
	return take() % n;
}

static void
random_look(struct fact_look *l)
{
	uint8_t	b = take();

	if (b & 8)
		*l = (struct fact_look){ .asked = true, .ttl = b * 100u,
		    .result = (enum dns_result)(b % 6) };
}

static void
random_facts(struct facts *f)
{
	char		name[] = "a.test";
	struct addr	a = { .valid = true };
	uint8_t		n = take() % 40, addrs;
	size_t		i;

	random_look(&f->mx);
	f->null_mx = take() == 1;
	if (!f->is_mx || take() & 1) {
		f->implicit = true;
		n = 1;
	}
	while (n-- > 0) {
		name[0] = (char)('a' + take() % 26);
		need(facts_add_host(f, f->implicit ? f->name : take() == 7 ?
		    "mx.test" : name, take(), take()) == 0);
	}
	for (i = 0; i < f->nhosts; i++) {
		random_look(&f->hosts[i].a);
		random_look(&f->hosts[i].aaaa);
		for (addrs = take() % 40; addrs > 0; addrs--) {
			memcpy(a.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\12\0\0", 15);
			a.ip[0] = take() & 1 ? 0 : 0x20;
			a.ip[12] = take();
			a.ip[15] = take();
			need(facts_add_addr(&f->hosts[i], &a) == 0);
		}
	}
}

static void
choose(void)
{
	static const char *const	domains[] = { "a.test", "to.test",
		"x.t.test", "none.test", "l.test", "[10.0.0.1]", "..",
		"[224.1.1.1]" };
	struct hop_ask			 ask = { 1, STR("a.test") };
	struct hop_plan			 plan;
	struct facts			 f;
	struct buf			 out;
	size_t				 i;

	hop_plan_make(&site, str_from(domains[take() % nitems(domains)]),
	    &plan);
	facts_init(&f, plan.kind == HOP_KIND_MX, plan.name);
	random_facts(&f);
	hop_choose(&site, &plan, &f, chance, &choice);
	need(choice.code == 250 || choice.code == 450 || choice.code == 550);
	need((choice.code == 250) == (choice.ntargets > 0));
	need(choice.status[0] == (choice.code == 250 ? '2' :
	    choice.code == 450 ? '4' : '5'));
	for (i = 0; i < choice.ntargets; i++)
		need(choice.targets[i].path != NULL || !hop_site_us(&site,
		    &choice.targets[i].addr, choice.targets[i].port));
	for (i = 1; i < choice.ntargets; i++)
		need(choice.targets[i - 1].pref <= choice.targets[i].pref);
	buf_init(&out, 65536);
	need(hop_answer_build(&out, &ask, &choice) && out.n <=
	    HOP_ANSWER_MAX);
	buf_free(&out);
	facts_free(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };

	if (settings == NULL)
		begin();
	files(in);
	names(in);
	question(in);
	chance_at = data;
	chance_end = data + size;
	choose();
	return 0;
}
