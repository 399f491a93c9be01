/* imapd/fetch_list.c - attributes of new messages, that are told without a FETCH. The lists were the client's, and are parsed once for all messages. */
#include "imapd/fetch.h"

#include <errno.h>
#include <stdlib.h>

#include "imapd/fetch_impl.h"

#define LIST_MEMORY	(16u << 20)

struct fetch_list {
	struct fetch	f;
	struct arena	memory;
};

/* "(UID FLAGS)" and "(FLAGS ENVELOPE)": "(UID FLAGS FLAGS ENVELOPE)" */
static int
join(struct arena *a, const struct str *lists, size_t n, struct str *out)
{
	struct buf	b;
	size_t		i;
	int		r = -1;

	buf_init(&b, LIST_MEMORY / 2);
	for (i = 0; i < n; i++) {
		buf_addc(&b, i == 0 ? '(' : ' ');
		buf_add(&b, lists[i].p + 1, lists[i].n - 2);
	}
	buf_addc(&b, ')');
	if (buf_ok(&b))
		r = arena_dup(a, buf_view(&b), out);
	buf_free(&b);
	return r;
}

static int
parse(struct fetch_list *l, const struct str *lists, size_t n)
{
	struct fetch	*f = &l->f;
	struct str	 all;
	struct cur	 in;
	const char	*why;

	if (join(&l->memory, lists, n, &all) == -1)
		return -1;
	in = cur_from(all);
	if (!fetch_parse_list(&in, &l->memory, &f->r, &why)) {
		errno = EINVAL;
		return -1;
	}
	f->texts = arena_get(&l->memory, f->r.nsections * sizeof(*f->texts));
	return f->texts == NULL ? -1 : 0;
}

int
fetch_list_begin(struct fetch_list **out, struct session *s,
    const struct str *lists, size_t n)
{
	struct fetch_list	*l = calloc(1, sizeof(*l));

	*out = l;
	if (l == NULL)
		return -1;
	l->f.s = s;
	arena_init(&l->memory, LIST_MEMORY);
	fetch_begin(&l->f);
	if (parse(l, lists, n) == 0)
		return 0;
	fetch_list_end(out);
	return -1;
}

int
fetch_list_say(struct fetch_list *l, size_t at)
{
	struct fetch	*f = &l->f;

	f->error = 0;
	fetch_message(f, at, 0, f->r.uid);
	if (f->s->end == NULL && f->out.n > 0)
		say_buf(f->s, &f->out);
	buf_reset(&f->out);
	errno = f->error;
	return f->error == 0 ? 0 : -1;
}

void
fetch_list_end(struct fetch_list **l)
{
	int	saved = errno;

	if (*l != NULL) {
		fetch_end(&(*l)->f);
		arena_free(&(*l)->memory);
		free(*l);
	}
	*l = NULL;
	errno = saved;
}
