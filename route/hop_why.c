/* route/hop_why.c - how a next hop was found, line by line. */
#include <string.h>

#include "common/fmt/record.h"
#include "route/hop_choose.h"

#define SHOWN	4u	/* addresses of a host */

/* Whole lines; what does not fit any more is left out. */
static void
say(struct hop_choice *c, struct buf *line)
{
	size_t	before = c->why.n;

	if (buf_ok(line))
		record_put(&c->why, HOP_WHY, buf_view(line));
	if (!buf_ok(&c->why)) {
		c->why.n = before;
		c->why.bad = false;
	}
	buf_reset(line);
}

void
hop_why_plan(const struct hop_plan *p, struct hop_choice *c)
{
	struct buf	line;

	buf_init(&line, 2048);
	if (p->item != NULL) {
		buf_addf(&line, "%s:%u: transport %s %s", p->item->file,
		    p->item->line, p->item->text, p->item->more);
		say(c, &line);
	}
	buf_free(&line);
}

static void
add_look(struct buf *line, enum dns_type type, const struct fact_look *l,
    size_t n)
{
	buf_addf(line, "%s ", dns_type_name(type));
	if (l->result == DNS_FOUND)
		buf_addf(line, "%zu", n);
	else
		buf_adds(line, dns_result_name(l->result));
	if (l->result < DNS_SERVFAIL)
		buf_addf(line, " (%u s%s)", l->ttl, l->secure ? ", DNSSEC" : "");
	else if (*l->why != '\0')
		buf_addf(line, " (%s)", l->why);
}

static void
add_addrs(struct buf *line, const struct fact_host *h)
{
	char	text[ADDR_TEXT_SIZE];
	size_t	i;

	for (i = 0; i < h->naddrs && i < SHOWN; i++)
		buf_addf(line, "%s %s", i == 0 ? ":" : "",
		    addr_text(&h->addrs[i], false, text));
	if (h->naddrs + h->left_out > SHOWN)
		buf_addf(line, " and %zu more",
		    h->naddrs + h->left_out - i);
}

static void
say_host(const struct facts *f, const struct fact_host *h, struct hop_choice *c,
    struct buf *line)
{
	if (f->is_mx && !f->implicit)
		buf_addf(line, "%u ", h->pref);
	buf_adds(line, h->name);
	if (h->local > 0)
		buf_addf(line, ", /etc/hosts:%zu", h->local);
	if (h->aaaa.asked) {
		buf_adds(line, ", ");
		add_look(line, DNS_AAAA, &h->aaaa, facts_of_family(h, false));
	}
	if (h->a.asked) {
		buf_adds(line, ", ");
		add_look(line, DNS_A, &h->a, facts_of_family(h, true));
	}
	add_addrs(line, h);
	say(c, line);
}

void
hop_why_facts(const struct facts *f, struct hop_choice *c)
{
	struct buf	line;
	size_t		i;

	buf_init(&line, 2048);
	if (f->is_mx) {
		buf_addf(&line, "%s, ", f->name);
		add_look(&line, DNS_MX, &f->mx, f->null_mx ? 1 :
		    f->nhosts + f->left_out);
		say(c, &line);
	}
	for (i = 0; i < f->nhosts; i++)
		say_host(f, &f->hosts[i], c, &line);
	if (f->left_out > 0) {
		buf_addf(&line, "%zu further MX records were not looked at",
		    f->left_out);
		say(c, &line);
	}
	buf_free(&line);
}
