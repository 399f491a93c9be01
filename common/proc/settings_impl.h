/*
 * common/proc/settings_impl.h - what the parts of settings share; nobody else
 * includes this.
 */
#ifndef PROC_SETTINGS_IMPL_H
#define PROC_SETTINGS_IMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/proc/settings.h"

enum setting_type {
	SETTING_TEXT,		/* char *, one word */
	SETTING_COUNT,		/* long long */
	SETTING_SIZE,		/* long long, bytes: 50M */
	SETTING_TIME,		/* long long, milliseconds: 5m */
	SETTING_BOOL,		/* bool: yes, no */
	SETTING_LIST,		/* one item per word */
	SETTING_PAIRS,		/* two words, one item per statement */
	SETTING_USERS,		/* "system" or "file PATH" */
	SETTING_EXPECT		/* left side, "->", right side */
};

/* What one word may look like. */
struct setting_rule {
	bool		(*ok)(const char *);
	const char	*expected;	/* "a domain" */
};

struct setting_key {
	const char	*name;			/* "smtp.message-size" */
	enum setting_type type;
	size_t		 offset;		/* in struct settings */
	const char	*def;			/* as it would be written; NULL: none */
	const char	*min, *max;		/* COUNT, SIZE, TIME */
	const struct setting_rule *first, *second;	/* TEXT, LIST, PAIRS */
	unsigned	 programs;		/* besides the master */
	bool		 none;			/* LIST: "none" is the empty list */
};

extern const struct setting_key setting_keys[];
extern const size_t setting_nkeys;

const struct setting_key *setting_find(const char *);
/* The known key most like this one, or NULL. */
const struct setting_key *setting_near(const char *);
const char *setting_type_name(enum setting_type);

extern const struct setting_rule rule_domain, rule_user, rule_path, rule_network,
    rule_listen, rule_log, rule_level, rule_durability, rule_mailbox,
    rule_separator, rule_line, rule_cleartext, rule_mechanism, rule_server, rule_host, rule_pattern, rule_target,
    rule_tls, rule_ip, rule_count, rule_family, rule_path_or_none, rule_domain_or_none;

/* Where mistakes go: the first to why, all of them to all; either may be NULL. */
struct setting_report {
	struct diag	*why;
	struct buf	*all;
	int		 count;
};
/* Records a finished sentence. */
void	setting_mistake(struct setting_report *, const struct diag *);

/* The value of one statement, put in its place; mistakes are reported. */
void	setting_apply(struct settings *, const struct setting_key *,
	    const struct conf_stmt *, struct setting_report *);
/* The default, in its place. -1 ENOMEM. */
int	setting_default(struct settings *, const struct setting_key *) must_check;
/* Is the wording of an expect line right? -1: *why is set. */
int	setting_expect_ok(const struct conf_stmt *, struct diag *) must_check;
/* What no single key can see. */
void	setting_cross_check(const struct settings *, struct setting_report *);
int	setting_list_add(struct setting_list *, const char *, const char *,
	    const char *, unsigned) must_check;
void	setting_list_free(struct setting_list *);

#endif
