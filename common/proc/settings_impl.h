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
	SETTING_USERS,		/* "system", "file PATH [scheme NAME]", "sqlite PATH" */
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

extern const struct setting_rule rule_domain;
extern const struct setting_rule rule_user;
extern const struct setting_rule rule_path;
extern const struct setting_rule rule_network;
extern const struct setting_rule rule_listen;
extern const struct setting_rule rule_log;
extern const struct setting_rule rule_level;
extern const struct setting_rule rule_durability;
extern const struct setting_rule rule_mailbox;
extern const struct setting_rule rule_separator;
extern const struct setting_rule rule_line;
extern const struct setting_rule rule_cleartext;
extern const struct setting_rule rule_expire;
extern const struct setting_rule rule_mechanism;
extern const struct setting_rule rule_service;
extern const struct setting_rule rule_master_separator;
extern const struct setting_rule rule_fingerprint;
extern const struct setting_rule rule_scheme;
extern const struct setting_rule rule_owner;
extern const struct setting_rule rule_home;
extern const struct setting_rule rule_server;
extern const struct setting_rule rule_host;
extern const struct setting_rule rule_pattern;
extern const struct setting_rule rule_target;
extern const struct setting_rule rule_tls;
extern const struct setting_rule rule_ip;
extern const struct setting_rule rule_count;
extern const struct setting_rule rule_family;
extern const struct setting_rule rule_senders;
extern const struct setting_rule rule_path_or_none;
extern const struct setting_rule rule_domain_or_none;
extern const struct setting_rule rule_tls_version;
extern const struct setting_rule rule_algorithm;
extern const struct setting_rule rule_token_word;
extern const struct setting_rule rule_https;
extern const struct setting_rule rule_introspection;
extern const struct setting_rule rule_brake;
extern const struct setting_rule rule_imap_separator;
extern const struct setting_rule rule_imap_prefix;

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
/* Of that, what concerns tokens. */
void	setting_token_check(const struct settings *, struct setting_report *);
/* Of that, what concerns IMAP. */
void	setting_imap_check(const struct settings *, struct setting_report *);
int	setting_list_add(struct setting_list *, const char *, const char *,
	    const char *, unsigned) must_check;
void	setting_list_free(struct setting_list *);

#endif
