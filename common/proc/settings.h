/*
 * common/proc/settings.h - what posthouse.conf(5) says, as one const struct. One table in
 * settings.c names every key: type, place, default, bounds, which programs may know it.
 */
#ifndef PROC_SETTINGS_H
#define PROC_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/conf.h"
#include "common/base/diag.h"
#include "common/base/log.h"
#include "common/net/addr.h"

struct setting_item {		/* one of a list, with its place for `why` records */
	const char	*text;	/* first word */
	const char	*more;	/* second word or NULL; of an expect line what stands left and right of "->" */
	const char	*last;	/* of "users file PATH scheme NAME": NAME, else NULL */
	const char	*file;
	unsigned	 line;
};

struct setting_list {
	struct setting_item	*items;
	size_t			 n;
};

struct listen_settings {
	struct setting_list	listen;			/* "127.0.0.1:25" */
	long long		min_spare, max_connections, sessions_per_worker;
	long long		relays_per_worker;	/* 0: there are none */
	long long		client_connections, client_connection_rate;
	long long		idle_timeout;		/* ms between commands */
};

struct smtp_settings {
	struct listen_settings	in;
	char			*banner;
	long long		message_size, recipients, line_length, command_length, commands, errors;
	long long		client_message_rate, client_recipient_rate;	/* per minute; 0 none */
	long long		data_timeout, session_timeout;			/* ms */
	long long		hops;			/* Received fields before it is a loop */
	bool			vrfy, expn;
	bool			auth;		/* may users log in? */
};

struct submission_settings {
	struct listen_settings	in;		/* its limits are for both ports */
	struct setting_list	tls_listen;	/* TLS from the first byte */
	char			*cleartext;	/* "yes", "no", "loopback": passwords without TLS */
	bool			hide_client, show_user;	/* in the Received field */
	long long		user_messages, user_recipients;	/* per hour; 0 none */
	long long		user_day_messages, user_day_recipients;
};

/* RFC 3501, RFC 9051. */
struct imap_settings {
	struct listen_settings	in;		/* its limits are for both ports */
	struct setting_list	tls_listen;	/* TLS from the first byte */
	char			*cleartext;	/* "yes", "no", "loopback": passwords without TLS */
	long long		errors, user_connections;
	bool			unauthenticate;	/* RFC 8437 */
	char			*separator;	/* of the hierarchy: "." or "/" */
	char			*prefix;	/* of all names but INBOX: "", "INBOX." or "INBOX/" */
	char			*shared;	/* directory of shared Maildirs; "" none */
	bool			special_use;	/* by names: "Drafts", "Sent" ... */
	bool			strict_headers;	/* RFC 6855 4: no 8-bit headers from clients that know only ASCII */
	struct setting_list	id;		/* what ID answers: field, value, field, value ... */
	long long		append_limit;	/* octets of one message */
	long long		command_max;	/* octets of a command without its literals */
	long long		literal_max;	/* octets of the literals of a command that are no messages, together */
	long long		message_limit, save_limit;	/* messages for one command; 0 no limit */
	long long		idle_notify;	/* ms; 0 never */
	long long		notify_mailboxes;	/* that NOTIFY watches, for one session */
};

struct queue_settings {
	long long		retry_first, retry_max, lifetime, scan_interval;	/* ms */
	long long		delay_warning;		/* ms; 0: never */
	long long		bounce_size;		/* of a message that is returned whole */
	long long		local_workers, local_timeout;		/* ms */
	long long		destination_concurrency, running;
};

struct brake_settings {
	char			*mode;		/* "yes", "watch", "no" */
	long long		messages, recipients, new_recipients, bounces;	/* an hour; 0: no limit */
	long long		factor;
	struct setting_list	exempt;		/* users, and "uid=33" of local ones */
};

struct local_settings {
	char			*mailbox;	/* "maildir:~/Maildir", "mbox:/var/mail/%u"; overridden per user by the users file */
	long long		pipe_timeout, idle_timeout, lock_timeout, min_uid, quota, hops;
	char			*alias_user;	/* runs |commands and /files of alias files */
};

struct dns_settings {
	struct setting_list	servers;	/* "127.0.0.1:53"; none: those of /etc/resolv.conf */
	long long		timeout;	/* ms, for one question with all its retries */
	bool			dnssec;
	char			*trust_anchor;	/* file of the root's keys */
};

/* The first items of the lists are patterns: "example.org", ".example.org" (below it) or "*". */
struct remote_settings {
	struct setting_list	transports;	/* pattern, target */
	struct setting_list	tls;		/* pattern, "off", "opportunistic", "required", "verified" */
	struct setting_list	sources;	/* pattern, own address */
	struct setting_list	auth;		/* host, user */
	struct setting_list	connections, rates;	/* pattern, number */
	char			*passwords;	/* file of "HOST:USER:PASSWORD" lines; "" none */
	char			*tls_ca;	/* file of certificates */
	char			*hello, *family;	/* "": hostname; "both", "ipv4", "ipv6" */
	long long		port;
	long long		connect_timeout, greeting_timeout, command_timeout, data_timeout, block_timeout,
				end_timeout, idle_timeout;	/* ms */
	long long		session_messages, addresses, recipients, workers;
};

struct tls_settings {
	struct setting_list	certificates;	/* file, file of the key */
	char			*minimum, *ciphers;	/* "1.2"; "": ours */
	char			*client_ca, *directory;	/* "" none; where a certificate of our own is made */
};

/* OAUTHBEARER and XOAUTH2: which access tokens are good. */
struct token_settings {
	char			*keys;		/* file of the provider's public keys; "" none */
	struct setting_list	algorithms;
	struct setting_list	issuers, audiences;	/* one of them; none: any */
	struct setting_list	scopes;		/* all of them */
	char			*user_claim;
	char			*discovery;	/* told to clients whose token is refused; "" */
	long long		leeway;		/* ms, between the clocks */
	char			*introspection_url;	/* RFC 7662; "" none */
	char			*introspection_credentials, *introspection_ca;	/* files */
	long long		introspection_timeout, introspection_cache;	/* ms */
	long long		introspection_connections;
};

struct settings {
	char			*hostname, *postmaster, *separator;
	char			*spool, *run, *tables, *libexec, *durability;
	char			*log, *log_level;		/* "file:/path", "syslog", "stderr" */
	struct setting_list	 domains, virtual_domains, relay_domains, relay_from;
	struct setting_list	 users, aliases, virtuals, senders, catch_all, expect;
	char			*users_uid, *users_gid, *users_home;	/* where a file says nothing; "" none */
	char			*submission_senders;	/* "own", "table", "any" */
	long long		 stop_timeout;			/* ms */
	struct smtp_settings	 smtp;
	struct listen_settings	 lmtp, pop3;
	struct submission_settings submission;
	struct imap_settings	 imap;
	struct setting_list	 pop3s_listen;	/* TLS from the first byte */
	long long		 pop3_errors, pop3_minimum_delay;
	bool			 pop3_surrogates;	/* of headers, for clients that know ASCII only */
	char			*pop3_expire;	/* days, or "never": what is said of mail that stays here */
	char			*pop3_dovecot_names;	/* its pop3_uidl_format, or "none" */
	char			*pop3_cleartext;	/* "yes", "no", "loopback": passwords without TLS */
	struct setting_list	 auth_mechanisms;	/* of SASL, in the order in which they are announced */
	struct setting_list	 auth_allow, auth_deny;	/* network, service or "*" */
	struct setting_list	 auth_certificates;	/* SHA-256 in hexadecimal, user */
	long long		 auth_delay, auth_block_time;	/* ms */
	long long		 auth_failures, auth_client_failures;	/* 0: nobody is blocked */
	long long		 auth_scram_iterations;
	char			*auth_master_separator;	/* one character, or "" */
	long long		 pop3_user_connections;		/* sessions of one user at a time; 0 = no limit */
	long long		 auth_workers;		/* 0: as many as there are processors */
	struct queue_settings	 queue;
	struct brake_settings	 brake;
	struct local_settings	 local;
	struct dns_settings	 dns;
	struct remote_settings	 remote;
	struct tls_settings	 tls;
	struct token_settings	 token;
	struct conf_stmts	 stmts;				/* what they were read from */
};

/* Who may know a key. */
enum settings_program {
	PROGRAM_MASTER = 1 << 0, PROGRAM_LOG = 1 << 1, PROGRAM_ROUTE = 1 << 2, PROGRAM_QUEUE = 1 << 3,
	PROGRAM_SMTPD = 1 << 4, PROGRAM_LOCAL = 1 << 5, PROGRAM_AUTH = 1 << 6, PROGRAM_POP3D = 1 << 7,
	PROGRAM_SESSION = 1 << 8, PROGRAM_TOOL = 1 << 9, PROGRAM_HOP = 1 << 10, PROGRAM_REMOTE = 1 << 11,
	PROGRAM_KEYS = 1 << 12, PROGRAM_INTROSPECT = 1 << 13, PROGRAM_PAM = 1 << 14, PROGRAM_IMAPD = 1 << 15
};

/* Defaults, then the file; -1: *why is "file:line:column: ...". The caller frees with settings_free. */
int	settings_load(const char *path, struct settings **, struct diag *) must_check;
/* What can be understood of a file with mistakes, defaults for the rest; NULL if it cannot be read. For finding what runs. */
struct settings *settings_salvage(const char *path);
int	settings_load_fd(int, struct settings **, struct diag *) must_check;
int	settings_parse(struct str, const char *name, struct settings **, struct diag *) must_check;
void	settings_free(struct settings **);
/* All mistakes, one per line, into errors (for -n): number of them. */
int	settings_check(const char *path, struct buf *errors);
/* The part that a program may know, as text that settings_load_fd reads back to the same values, in a sealed memfd at offset 0. */
int	settings_export(const struct settings *, unsigned program) must_check;
/* Is "users system" among the sources; is there one that is compiled into tables? */
bool	settings_users_system(const struct settings *);
bool	settings_users_tables(const struct settings *);
/* The i-th file that users come from, for who watches them; NULL after the last. */
const char *settings_users_file(const struct settings *, size_t i);
/* For log_set_level. */
enum log_level settings_log_level(const struct settings *);
/* One line per key with type, default and bounds, for the lint that compares with the manual. */
int	settings_print_keys(struct buf *);

#endif
