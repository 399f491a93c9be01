/* common/proc/settings_value.c - from the words of a statement to a value in its place. */
#include "common/proc/settings_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

/* A place in *s; the table's offsets are of the type that the key's type says. */
static void *
place(struct settings *s, const struct setting_key *k)
{
	return (char *)s + k->offset;
}

/* The words are ours, const only for those who read them. */
static void
item_free(struct setting_item *item)
{
	free((void *)(uintptr_t)item->text);
	free((void *)(uintptr_t)item->more);
	free((void *)(uintptr_t)item->last);
}

int
setting_list_add(struct setting_list *list, const char *text, const char *more,
    const char *file, unsigned line)
{
	struct setting_item	*items, item = { .file = file, .line = line };

	if ((item.text = strdup(text)) == NULL)
		return -1;
	if (more != NULL && (item.more = strdup(more)) == NULL)
		goto fail;
	items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (items == NULL)
		goto fail;
	items[list->n++] = item;
	list->items = items;
	return 0;
fail:
	item_free(&item);
	return -1;
}

/* Of the item that was added last. */
static int
setting_list_last(struct setting_list *list, const char *text)
{
	char	*copy;

	if ((copy = strdup(text)) == NULL)
		return -1;
	list->items[list->n - 1].last = copy;
	return 0;
}

void
setting_list_free(struct setting_list *list)
{
	size_t	i;

	for (i = 0; i < list->n; i++)
		item_free(&list->items[i]);
	free(list->items);
	list->items = NULL;
	list->n = 0;
}

static int
number_parse(enum setting_type type, const char *text, long long *out)
{
	unsigned long long	n;

	if (type == SETTING_TIME)
		return conf_time(text, out);
	if (type == SETTING_SIZE) {
		if (conf_size(text, &n) == -1)
			return -1;
	} else if (str_number(str_from(text), LLONG_MAX, &n) == -1)
		return -1;
	if (n > LLONG_MAX) {
		errno = ERANGE;
		return -1;
	}
	*out = (long long)n;
	return 0;
}

/* 0, or -1 with what was expected. */
static int
number_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	static const char *const kinds[] = {
		[SETTING_COUNT] = "a number",
		[SETTING_SIZE] = "a size such as 500K or 50M",
		[SETTING_TIME] = "a time such as 30s, 5m, 4h or 5d"
	};
	const struct conf_word	*w = &st->words[0];
	long long		 n = 0, min = 0, max = 0;
	int			 r;

	r = number_parse(k->type, w->text, &n);
	if (r == -1 && errno != ERANGE)
		return diag_at(why, st->file, st->line, w->col,
		    "\"%s\" is not what %s takes, expected %s from %s to %s",
		    w->text, k->name, kinds[k->type], k->min, k->max);
	if (number_parse(k->type, k->min, &min) == -1 ||
	    number_parse(k->type, k->max, &max) == -1)
		return diag_at(why, st->file, st->line, w->col,
		    "%s has no usable bounds", k->name);
	if (r == -1 || n < min || n > max)
		return diag_at(why, st->file, st->line, w->col,
		    "%s is out of range for %s, expected %s from %s to %s",
		    w->text, k->name, kinds[k->type], k->min, k->max);
	memcpy(place(s, k), &n, sizeof(n));
	return 0;
}

static int
bool_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	const struct conf_word	*w = &st->words[0];
	bool			 yes = strcmp(w->text, "yes") == 0;

	if (!yes && strcmp(w->text, "no") != 0)
		return diag_at(why, st->file, st->line, w->col,
		    "\"%s\" is no answer to %s, expected yes or no", w->text,
		    k->name);
	memcpy(place(s, k), &yes, sizeof(yes));
	return 0;
}

static int
word_ok(const struct setting_rule *rule, const struct setting_key *k,
    const struct conf_stmt *st, size_t n, struct diag *why)
{
	const struct conf_word	*w = &st->words[n];

	if (rule->ok(w->text))
		return 0;
	return diag_at(why, st->file, st->line, w->col,
	    "\"%s\" is not what %s takes, expected %s", w->text, k->name,
	    rule->expected);
}

static int
no_memory(const struct conf_stmt *st, struct diag *why)
{
	return diag_at(why, st->file, st->line, st->col, "%s",
	    strerror(ENOMEM));
}

static int
text_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	char	**to = place(s, k), *copy;

	if (word_ok(k->first, k, st, 0, why) == -1)
		return -1;
	if ((copy = strdup(st->words[0].text)) == NULL)
		return no_memory(st, why);
	free(*to);
	*to = copy;
	return 0;
}

static int
list_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	struct setting_list	*list = place(s, k);
	size_t			 i;

	if (k->none && st->nwords == 1 && strcmp(st->words[0].text, "none") == 0)
		return 0;
	for (i = 0; i < st->nwords; i++) {
		if (word_ok(k->first, k, st, i, why) == -1)
			return -1;
		if (setting_list_add(list, st->words[i].text, NULL, st->file,
		    st->line) == -1)
			return no_memory(st, why);
	}
	return 0;
}

static int
pair_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	if (word_ok(k->first, k, st, 0, why) == -1 ||
	    word_ok(k->second, k, st, 1, why) == -1)
		return -1;
	if (setting_list_add(place(s, k), st->words[0].text,
	    st->words[1].text, st->file, st->line) == -1)
		return no_memory(st, why);
	return 0;
}

/* 0, or -1 with what was expected. */
static int
users_words(const struct setting_key *k, const struct conf_stmt *st,
    struct diag *why)
{
	const struct conf_word	*w = st->words;
	bool			 file = strcmp(w->text, "file") == 0;

	if (strcmp(w->text, "system") == 0) {
		if (st->nwords == 1)
			return 0;
	} else if (!file && strcmp(w->text, "sqlite") != 0)
		return diag_at(why, st->file, st->line, w->col,
		    "users cannot be \"%s\", expected system, file PATH or "
		    "sqlite PATH", w->text);
	else if (st->nwords == 1)
		return diag_at(why, st->file, st->line, w->col,
		    "users %s has no path, expected users %s PATH", w->text,
		    w->text);
	else if (word_ok(k->first, k, st, 1, why) == -1)
		return -1;
	else if (st->nwords == 2)
		return 0;
	else if (file && strcmp(w[2].text, "scheme") == 0 && st->nwords == 4)
		return word_ok(k->second, k, st, 3, why);
	return diag_at(why, st->file, st->line, w[file && st->nwords > 2 ? 2 :
	    1].col, "users %s is not that, expected system, file PATH, "
	    "file PATH scheme NAME or sqlite PATH", w->text);
}

static int
users_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	struct setting_list	*list = place(s, k);
	const struct conf_word	*w = st->words;
	size_t			 i;

	if (users_words(k, st, why) == -1)
		return -1;
	for (i = 0; i < list->n; i++)
		if (strcmp(list->items[i].text, w->text) == 0 &&
		    (st->nwords == 1 ||
		    strcmp(list->items[i].more, w[1].text) == 0))
			return diag_at(why, st->file, st->line, w->col,
			    "these users are there already, expected them "
			    "once (see line %u)", list->items[i].line);
	if (setting_list_add(list, w->text, st->nwords > 1 ? w[1].text : NULL,
	    st->file, st->line) == -1 ||
	    (st->nwords == 4 && setting_list_last(list, w[3].text) == -1))
		return no_memory(st, why);
	return 0;
}

/* Words from..to joined by blanks. */
static void
join(struct buf *out, const struct conf_stmt *st, size_t from, size_t to)
{
	buf_reset(out);
	for (; from < to; from++) {
		buf_adds(out, st->words[from].text);
		if (from + 1 < to)
			buf_addc(out, ' ');
	}
}

static int
expect_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	struct buf	left, right;
	const char	*l, *r;
	size_t		i;
	int		ret = -1;

	if (setting_expect_ok(st, why) == -1)
		return -1;
	for (i = 0; strcmp(st->words[i].text, "->") != 0; i++)
		continue;
	buf_init(&left, CONF_WORD_MAX);
	buf_init(&right, CONF_WORD_MAX);
	join(&left, st, 0, i);
	join(&right, st, i + 1, st->nwords);
	l = buf_cstr(&left);
	r = buf_cstr(&right);
	if (l == NULL || r == NULL || setting_list_add(place(s, k), l, r,
	    st->file, st->line) == -1)
		no_memory(st, why);
	else
		ret = 0;
	buf_free(&left);
	buf_free(&right);
	return ret;
}

/* The number of words that a type takes; 0 for max: any. */
static const struct { size_t min, max; } arity[] = {
	[SETTING_TEXT] = { 1, 1 }, [SETTING_COUNT] = { 1, 1 },
	[SETTING_SIZE] = { 1, 1 }, [SETTING_TIME] = { 1, 1 },
	[SETTING_BOOL] = { 1, 1 }, [SETTING_LIST] = { 1, 0 },
	[SETTING_PAIRS] = { 2, 2 }, [SETTING_USERS] = { 1, 4 },
	[SETTING_EXPECT] = { 1, 0 }
};

static int
value_set(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct diag *why)
{
	size_t	min = arity[k->type].min, max = arity[k->type].max;

	if (st->nwords < min)
		return diag_at(why, st->file, st->line, st->col,
		    "%s has %s, expected %s", k->name,
		    st->nwords == 0 ? "no value" : "one value only",
		    st->nwords == 0 ? "one after the key" : "two");
	if (st->nwords > 1 && k->type != SETTING_EXPECT &&
	    strcmp(st->words[0].text, "=") == 0)
		return diag_at(why, st->file, st->line, st->words[0].col,
		    "\"=\" after %s, expected its value", k->name);
	if (max != 0 && st->nwords > max)
		return diag_at(why, st->file, st->line, st->words[max].col,
		    "\"%s\" is too much for %s, expected the end of the line",
		    st->words[max].text, k->name);
	switch (k->type) {
	case SETTING_TEXT:
		return text_set(s, k, st, why);
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_TIME:
		return number_set(s, k, st, why);
	case SETTING_BOOL:
		return bool_set(s, k, st, why);
	case SETTING_LIST:
		return list_set(s, k, st, why);
	case SETTING_PAIRS:
		return pair_set(s, k, st, why);
	case SETTING_USERS:
		return users_set(s, k, st, why);
	case SETTING_EXPECT:
		return expect_set(s, k, st, why);
	}
	return 0;
}

void
setting_apply(struct settings *s, const struct setting_key *k,
    const struct conf_stmt *st, struct setting_report *report)
{
	struct diag	why = { "" };

	if (value_set(s, k, st, &why) == -1)
		setting_mistake(report, &why);
}

static int
list_default(struct setting_list *list, const char *words)
{
	char	 word[256];
	size_t	 n;

	while (*words != '\0') {
		n = strcspn(words, " ");
		if (str_copy(word, sizeof(word), (struct str){ words, n }) == -1 ||
		    setting_list_add(list, word, NULL, "default", 0) == -1)
			return -1;
		words += n + (words[n] == ' ');
	}
	return 0;
}

int
setting_default(struct settings *s, const struct setting_key *k)
{
	char		**text = place(s, k);
	long long	  n;
	bool		  yes;

	if (k->def == NULL)
		return 0;
	switch (k->type) {
	case SETTING_TEXT:
		return (*text = strdup(k->def)) == NULL ? -1 : 0;
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_TIME:
		if (number_parse(k->type, k->def, &n) == -1)
			return -1;
		memcpy(place(s, k), &n, sizeof(n));
		return 0;
	case SETTING_BOOL:
		yes = strcmp(k->def, "yes") == 0;
		memcpy(place(s, k), &yes, sizeof(yes));
		return 0;
	case SETTING_LIST:
	case SETTING_PAIRS:
	case SETTING_USERS:
	case SETTING_EXPECT:
		return list_default(place(s, k), k->def);
	}
	return 0;
}
