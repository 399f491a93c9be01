/* route/hop_hosts.c - /etc/hosts and /etc/resolv.conf. Written by root. */
#include "route/hop_hosts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DNS_PORT	53

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool
next_word(struct str *line, struct str *word)
{
	while (line->n > 0 && is_blank(*line->p)) {
		line->p++;
		line->n--;
	}
	word->p = line->p;
	word->n = 0;
	while (line->n > 0 && !is_blank(*line->p)) {
		line->p++;
		line->n--;
		word->n++;
	}
	return word->n > 0;
}

static struct str
without(struct str line, const char *marks)
{
	size_t	i;

	for (i = 0; i < line.n; i++)
		if (line.p[i] != '\0' && strchr(marks, line.p[i]) != NULL)
			line.n = i;
	return line;
}

static int
add(struct hosts *h, struct str name, const struct addr *addr, size_t line)
{
	struct host_entry	*more;
	char			 text[HOP_NAME_MAX + 1];
	size_t			 cap;

	if (name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	if (hop_name_ascii(name, text) == -1 || h->n >= HOSTS_ENTRIES)
		return 0;
	if (h->n == h->cap) {
		cap = h->cap == 0 ? 16 : h->cap * 2;
		more = reallocarray(h->entries, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		h->entries = more;
		h->cap = cap;
	}
	h->entries[h->n] = (struct host_entry){ strdup(text), *addr, line };
	return h->entries[h->n].name == NULL ? -1 : (h->n++, 0);
}

static int
by_name(const void *a, const void *b)
{
	const struct host_entry	*x = a, *y = b;
	int			 r = strcmp(x->name, y->name);

	if (r != 0)
		return r;
	return x->line < y->line ? -1 : x->line > y->line;
}

int
hosts_parse(struct str text, struct hosts *out)
{
	struct hosts	h = { NULL, 0, 0 };
	struct str	line, word;
	struct addr	addr;
	size_t		n = 0;

	while (str_take_line(&text, &line)) {
		n++;
		line = without(line, "#");
		/* "fe80::1%eth0" is no address for mail */
		if (!next_word(&line, &word) || addr_parse(word, &addr) == -1)
			continue;
		while (next_word(&line, &word))
			if (add(&h, word, &addr, n) == -1) {
				hosts_free(&h);
				return -1;
			}
	}
	if (h.n > 0)
		qsort(h.entries, h.n, sizeof(*h.entries), by_name);
	*out = h;
	return 0;
}

void
hosts_free(struct hosts *h)
{
	size_t	i;

	for (i = 0; i < h->n; i++)
		free(h->entries[i].name);
	free(h->entries);
	*h = (struct hosts){ NULL, 0, 0 };
}

size_t
hosts_find(const struct hosts *h, const char *name,
    const struct host_entry **first)
{
	size_t	low = 0, high = h->n, mid, n = 0;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcmp(h->entries[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*first = h->entries == NULL ? NULL : h->entries + low;
	while (low + n < h->n && strcmp(h->entries[low + n].name, name) == 0)
		n++;
	return n;
}

size_t
resolv_parse(struct str text, struct addr out[RESOLV_SERVERS])
{
	struct str	line, word;
	size_t		n = 0;

	while (n < RESOLV_SERVERS && str_take_line(&text, &line)) {
		line = without(line, "#;");
		if (!next_word(&line, &word) ||
		    !str_eq(word, STR("nameserver")) ||
		    !next_word(&line, &word) || addr_parse(word, &out[n]) == -1)
			continue;
		out[n++].port = DNS_PORT;
	}
	return n;
}
