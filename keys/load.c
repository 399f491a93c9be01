/*
 * keys/load.c - collects the files of the pairs, which may come in several
 * packets, and reads them. Runs as ph-keys in its sandbox.
 */
#include "keys/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"

#define ROOM	16384u		/* for any key; a certificate with a long chain may need more */

void
load_wipe(struct load *l)
{
	size_t	i;

	for (i = 0; i < l->n; i++)
		pair_files_wipe(&l->files[i]);
	free(l->files);
	*l = (struct load){ NULL, 0 };
}

void
pairs_free(struct pairs *p)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		pair_free(&p->list[i]);
	free(p->list);
	*p = (struct pairs){ NULL, 0 };
}

static int
room_for(struct load *l, size_t number)
{
	struct pair_files	*more;

	while (l->n <= number) {
		more = reallocarray(l->files, l->n + 1, sizeof(*more));
		if (more == NULL)
			return -1;
		l->files = more;
		pair_files_init(&more[l->n++]);
	}
	return 0;
}

/* "key 3": which buffer of which number, or NULL. */
static struct buf *
place_of(struct load *l, const char *name)
{
	unsigned long long	number;
	size_t			kind = strcspn(name, " ");
	struct str		word = { name, kind };
	struct pair_files	*f;

	if (name[kind] == '\0' || str_number(str_from(name + kind + 1),
	    KEYS_CERTIFICATES_MAX - 1, &number) == -1 ||
	    room_for(l, (size_t)number) == -1)
		return NULL;
	f = &l->files[number];
	if (str_eq(word, STR("certificate")))
		return &f->certificate;
	if (str_eq(word, STR("key")))
		return &f->key;
	return str_eq(word, STR("ocsp")) ? &f->ocsp : NULL;
}

int
load_files(struct load *l, const struct child_fd *fds, size_t n,
    struct diag *why)
{
	struct buf	*b;
	size_t		 i;

	for (i = 0; i < n; i++) {
		if ((b = place_of(l, fds[i].name)) == NULL)
			return diag_set(why, "descriptor \"%s\" of the master",
			    fds[i].name);
		buf_wipe(b);
		/* one that grows leaves copies of a key behind */
		if (buf_reserve(b, ROOM) == -1 ||
		    fdio_slurp(fds[i].fd, b) == -1) {
			diag_errno(why, "%s", fds[i].name);
			buf_wipe(b);
			return -1;
		}
	}
	return 0;
}

/* The files' names as the administrator knows them. */
static void
names_of(const struct settings *s, size_t i, char *certificate, char *key,
    size_t size)
{
	const struct setting_list	*list = &s->tls.certificates;

	if (i < list->n) {
		(void)strlcpy(certificate, list->items[i].text, size);
		(void)strlcpy(key, list->items[i].more, size);
		return;
	}
	snprintf(certificate, size, "%s/self-signed.crt", s->tls.directory);
	snprintf(key, size, "%s/self-signed.key", s->tls.directory);
}

int
load_pairs(struct load *l, const struct settings *s, struct pairs *out,
    size_t *wrong, void (*say)(bool, const char *))
{
	char		certificate[4096], key[4096];
	struct diag	warning, why;
	size_t		i;

	*wrong = 0;
	*out = (struct pairs){ NULL, 0 };
	out->list = calloc(l->n == 0 ? 1 : l->n, sizeof(*out->list));
	if (out->list == NULL)
		return -1;
	for (i = 0; i < l->n; i++) {
		names_of(s, i, certificate, key, sizeof(key));
		if (pair_load(&out->list[out->n++], &l->files[i], certificate,
		    key, &warning, &why) == -1) {
			say(false, why.text);
			++*wrong;
		} else if (warning.text[0] != '\0')
			say(true, warning.text);
	}
	load_wipe(l);
	return 0;
}
