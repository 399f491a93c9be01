/*
 * common/proc/settings_keys.c - the one table of all keys of
 * posthouse.conf(5). A new key is a row here, a member of struct settings and
 * a paragraph in the manual (tests/lint-keys compares the two).
 */
#include "common/proc/settings_impl.h"

#include <stddef.h>
#include <string.h>

#include "common/base/str.h"

#define AT(member)	offsetof(struct settings, member)

#define MASTER		0		/* knows all of them */
#define LOG		PROGRAM_LOG
#define ROUTE		PROGRAM_ROUTE
#define QUEUE		PROGRAM_QUEUE
#define SMTPD		PROGRAM_SMTPD
#define LOCAL		PROGRAM_LOCAL
#define AUTH		PROGRAM_AUTH
#define POP3D		PROGRAM_POP3D
#define IMAPD		PROGRAM_IMAPD
#define SESSION		PROGRAM_SESSION
#define TOOL		PROGRAM_TOOL
#define HOP		PROGRAM_HOP
#define REMOTE		PROGRAM_REMOTE
#define KEYS		PROGRAM_KEYS
#define INTROSPECT	PROGRAM_INTROSPECT
#define PAM		PROGRAM_PAM
/* Who announces mechanisms. */
#define FRONTS		(POP3D | IMAPD | SMTPD | SESSION)
#define ALL		(LOG | ROUTE | QUEUE | SMTPD | LOCAL | AUTH | POP3D | \
			    IMAPD | SESSION | TOOL | HOP | REMOTE | KEYS | \
			    INTROSPECT | PAM)

#define TEXT(key, member, def, rule, who) \
	{ key, SETTING_TEXT, AT(member), def, NULL, NULL, &rule, NULL, who, false }
#define NUMBER(kind, key, member, def, min, max, who) \
	{ key, SETTING_##kind, AT(member), def, min, max, NULL, NULL, who, false }
#define COUNT(...)	NUMBER(COUNT, __VA_ARGS__)
#define SIZE(...)	NUMBER(SIZE, __VA_ARGS__)
#define TIME(...)	NUMBER(TIME, __VA_ARGS__)
#define BOOL(key, member, def, who) \
	{ key, SETTING_BOOL, AT(member), def, NULL, NULL, NULL, NULL, who, false }
#define LIST(key, member, def, rule, who) \
	{ key, SETTING_LIST, AT(member), def, NULL, NULL, &rule, NULL, who, false }
#define LIST_OR_NONE(key, member, def, rule, who) \
	{ key, SETTING_LIST, AT(member), def, NULL, NULL, &rule, NULL, who, true }
#define PAIRS(key, member, one, two, who) \
	{ key, SETTING_PAIRS, AT(member), NULL, NULL, NULL, &one, &two, who, false }

/* What every listening service has; the bounds are the same. */
#define LISTEN(name, member, addr, spare, most, idle, who, others) \
	LIST_OR_NONE(name ".listen", member.listen, addr, rule_listen, \
	    who | others), \
	COUNT(name ".min-spare", member.min_spare, spare, "1", "1000", who), \
	COUNT(name ".max-connections", member.max_connections, most, "1", \
	    "100000", who), \
	COUNT(name ".sessions-per-worker", member.sessions_per_worker, "100", \
	    "1", "1000000", who), \
	COUNT(name ".client-connections", member.client_connections, "50", \
	    "0", "100000", who), \
	COUNT(name ".client-connection-rate", member.client_connection_rate, \
	    "0", "0", "1000000", who), \
	TIME(name ".idle-timeout", member.idle_timeout, idle, "1s", "1d", who)

const struct setting_key setting_keys[] = {
	/* Without a default it is the system's host name, see settings.c. */
	TEXT("hostname", hostname, NULL, rule_domain, ALL),
	/* Without a default it is the host name, see settings.c. */
	LIST_OR_NONE("domain", domains, NULL, rule_domain,
	    ROUTE | QUEUE | SMTPD | LOCAL | AUTH | TOOL),
	LIST("virtual-domain", virtual_domains, NULL, rule_domain,
	    ROUTE | AUTH | TOOL),
	LIST("relay-domain", relay_domains, NULL, rule_domain, ROUTE | TOOL),
	LIST_OR_NONE("relay-from", relay_from, "127.0.0.0/8 ::1", rule_network,
	    ROUTE | TOOL),
	{ "users", SETTING_USERS, AT(users), "system", NULL, NULL, &rule_path,
	    &rule_scheme, ROUTE | LOCAL | AUTH | PAM | TOOL, false },
	TEXT("users.uid", users_uid, "", rule_owner, ROUTE | TOOL),
	TEXT("users.gid", users_gid, "", rule_owner, ROUTE | TOOL),
	TEXT("users.home", users_home, "", rule_home, ROUTE | TOOL),
	LIST("aliases", aliases, NULL, rule_path, ROUTE | TOOL),
	LIST("virtual", virtuals, NULL, rule_path, ROUTE | TOOL),
	LIST("senders", senders, NULL, rule_path, ROUTE | TOOL),
	TEXT("submission.senders", submission_senders, "own", rule_senders,
	    ROUTE | TOOL),
	PAIRS("catch-all", catch_all, rule_domain, rule_user, ROUTE | TOOL),
	TEXT("postmaster", postmaster, "root", rule_user, ROUTE | QUEUE | TOOL),
	TEXT("separator", separator, "+", rule_separator,
	    ROUTE | LOCAL | AUTH | TOOL),
	{ "expect", SETTING_EXPECT, AT(expect), NULL, NULL, NULL, NULL, NULL,
	    ROUTE | TOOL, false },

	TEXT("spool", spool, PH_SPOOLDIR, rule_path, QUEUE | SMTPD | TOOL),
	TEXT("run", run, PH_RUNDIR, rule_path,
	    QUEUE | POP3D | IMAPD | HOP | REMOTE | KEYS | INTROSPECT | TOOL),
	TEXT("tables", tables, PH_TABLEDIR, rule_path,
	    ROUTE | AUTH | LOCAL | TOOL),
	TEXT("libexec", libexec, PH_LIBEXECDIR, rule_path, LOCAL | TOOL),
	TEXT("durability", durability, "auto", rule_durability,
	    QUEUE | SMTPD | LOCAL | SESSION | TOOL),
	TEXT("log", log, "file:" PH_LOGFILE, rule_log, LOG | TOOL),
	TEXT("log-level", log_level, "info", rule_level, ALL),
	TIME("stop-timeout", stop_timeout, "10s", "1s", "1h", ALL),

	PAIRS("tls.certificate", tls.certificates, rule_path, rule_path, KEYS),
	TEXT("tls.directory", tls.directory, PH_TABLEDIR "/tls", rule_path,
	    KEYS),
	TEXT("tls.minimum", tls.minimum, "1.2", rule_tls_version,
	    SMTPD | POP3D | IMAPD),
	TEXT("tls.ciphers", tls.ciphers, "", rule_line,
	    SMTPD | POP3D | IMAPD),
	TEXT("tls.client-ca", tls.client_ca, "", rule_path_or_none,
	    SMTPD | POP3D | IMAPD),

	/* hop knows its own mail server by it */
	LISTEN("smtp", smtp.in, "*:25", "2", "1000", "5m", SMTPD, HOP),
	TEXT("smtp.banner", smtp.banner, "", rule_line, SMTPD),
	SIZE("smtp.message-size", smtp.message_size, "50M", "64K", "2G",
	    SMTPD | QUEUE | TOOL),
	/* RFC 5321 4.5.3.1.8: at least 100. */
	COUNT("smtp.recipients", smtp.recipients, "1000", "100", "100000",
	    SMTPD | QUEUE | TOOL),
	/* 4.5.3.1.6 says 1000; real mail does not know. */
	SIZE("smtp.line-length", smtp.line_length, "65000", "1000", "65000",
	    SMTPD | QUEUE | TOOL),
	SIZE("smtp.command-length", smtp.command_length, "2048", "512", "16K",
	    SMTPD),
	COUNT("smtp.commands", smtp.commands, "100000", "10", "1000000000",
	    SMTPD),
	COUNT("smtp.errors", smtp.errors, "20", "1", "100000", SMTPD),
	COUNT("smtp.client-message-rate", smtp.client_message_rate, "0", "0",
	    "1000000", SMTPD),
	COUNT("smtp.client-recipient-rate", smtp.client_recipient_rate, "0",
	    "0", "1000000", SMTPD),
	TIME("smtp.data-timeout", smtp.data_timeout, "10m", "1s", "1d", SMTPD),
	TIME("smtp.session-timeout", smtp.session_timeout, "1h", "1s", "7d",
	    SMTPD),
	/* RFC 5321 6.3: at least 100. */
	COUNT("smtp.hops", smtp.hops, "100", "10", "1000", SMTPD | QUEUE | TOOL),
	BOOL("smtp.vrfy", smtp.vrfy, "yes", SMTPD),
	BOOL("smtp.expn", smtp.expn, "no", SMTPD),
	BOOL("smtp.auth", smtp.auth, "no", SMTPD),

	LISTEN("lmtp", lmtp, NULL, "1", "100", "5m", SMTPD, 0),

	/* RFC 6409 3.1, RFC 8314 3.3 */
	LISTEN("submission", submission.in, NULL, "1", "500", "5m", SMTPD, 0),
	LIST_OR_NONE("submissions.listen", submission.tls_listen, NULL,
	    rule_listen, SMTPD),
	TEXT("submission.cleartext", submission.cleartext, "loopback",
	    rule_cleartext, SMTPD | AUTH),
	BOOL("submission.hide-client", submission.hide_client, "no", SMTPD),
	BOOL("submission.show-user", submission.show_user, "no", SMTPD),
	COUNT("submission.user-messages", submission.user_messages, "0", "0",
	    "1000000", SMTPD),
	COUNT("submission.user-recipients", submission.user_recipients, "0",
	    "0", "1000000", SMTPD),
	COUNT("submission.user-day-messages", submission.user_day_messages,
	    "0", "0", "1000000", SMTPD),
	COUNT("submission.user-day-recipients",
	    submission.user_day_recipients, "0", "0", "1000000", SMTPD),

	/* RFC 1939 3: an autologout timer is at least ten minutes. */
	LISTEN("pop3", pop3, NULL, "2", "500", "10m", POP3D | SESSION, 0),
	COUNT("pop3.relays-per-worker", pop3.relays_per_worker, "8", "1",
	    "1000", POP3D),
	LIST_OR_NONE("pop3s.listen", pop3s_listen, NULL, rule_listen, POP3D),
	COUNT("pop3.errors", pop3_errors, "10", "1", "1000", POP3D | SESSION),
	BOOL("pop3.surrogates", pop3_surrogates, "no", SESSION),
	TEXT("pop3.cleartext", pop3_cleartext, "loopback", rule_cleartext,
	    POP3D | SESSION | AUTH),
	TIME("pop3.minimum-delay", pop3_minimum_delay, "0", "0", "1d",
	    POP3D | SESSION),
	TEXT("pop3.dovecot-uidl", pop3_dovecot_names, "%08Xu%08Xv", rule_line,
	    SESSION),
	TEXT("pop3.expire", pop3_expire, "never", rule_expire, POP3D | SESSION),
	COUNT("pop3.user-connections", pop3_user_connections, "20", "0",
	    "100000", MASTER),

	/* RFC 3501 5.4: an autologout timer is at least thirty minutes. */
	LISTEN("imap", imap.in, NULL, "2", "2000", "30m", IMAPD | SESSION, 0),
	COUNT("imap.relays-per-worker", imap.in.relays_per_worker, "8", "1",
	    "1000", IMAPD),
	LIST_OR_NONE("imaps.listen", imap.tls_listen, NULL, rule_listen,
	    IMAPD),
	TEXT("imap.cleartext", imap.cleartext, "loopback", rule_cleartext,
	    IMAPD | AUTH),
	COUNT("imap.errors", imap.errors, "20", "1", "1000", IMAPD | SESSION),
	COUNT("imap.user-connections", imap.user_connections, "50", "0",
	    "100000", MASTER),
	BOOL("imap.unauthenticate", imap.unauthenticate, "yes", IMAPD),
	TEXT("imap.separator", imap.separator, ".", rule_imap_separator,
	    SESSION),
	TEXT("imap.prefix", imap.prefix, "", rule_imap_prefix, SESSION),
	TEXT("imap.shared", imap.shared, "", rule_path_or_none, SESSION),
	BOOL("imap.special-use", imap.special_use, "yes", SESSION),
	BOOL("imap.strict-headers", imap.strict_headers, "no", SESSION),
	LIST_OR_NONE("imap.id", imap.id, "name Posthouse", rule_line,
	    IMAPD | SESSION),
	SIZE("imap.append-limit", imap.append_limit, "50M", "64K", "2G",
	    SESSION),
	/* RFC 7162 4: at least 8192. */
	SIZE("imap.command-max", imap.command_max, "64K", "8K", "16M",
	    SESSION),
	SIZE("imap.literal-max", imap.literal_max, "1M", "4K", "64M", SESSION),
	/* RFC 9738; both not below 1000, see settings_imap.c */
	COUNT("imap.message-limit", imap.message_limit, "0", "0",
	    "100000", SESSION),
	COUNT("imap.save-limit", imap.save_limit, "100000", "1000", "100000",
	    SESSION),
	TIME("imap.idle-notify", imap.idle_notify, "2m", "0", "29m", SESSION),
	COUNT("imap.notify-mailboxes", imap.notify_mailboxes, "1000", "1",
	    "10000", SESSION),

	LIST_OR_NONE("auth.mechanisms", auth_mechanisms, "PLAIN LOGIN "
	    "SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS",
	    rule_mechanism, AUTH | FRONTS),
	/* the fronts know by these what they can offer, and prove the same */
	TEXT("auth.token-keys", token.keys, "", rule_path_or_none,
	    AUTH | FRONTS),
	LIST("auth.token-algorithms", token.algorithms, "RS256 ES256",
	    rule_algorithm, AUTH),
	LIST("auth.token-issuer", token.issuers, NULL, rule_token_word,
	    AUTH | INTROSPECT | FRONTS),
	LIST("auth.token-audience", token.audiences, NULL, rule_token_word,
	    AUTH | INTROSPECT | FRONTS),
	LIST("auth.token-scope", token.scopes, NULL, rule_token_word,
	    AUTH | INTROSPECT | FRONTS),
	TEXT("auth.token-user-claim", token.user_claim, "email",
	    rule_token_word, AUTH | INTROSPECT),
	TIME("auth.token-leeway", token.leeway, "30s", "0", "10m",
	    AUTH | INTROSPECT),
	TEXT("auth.token-discovery", token.discovery, "", rule_https, AUTH),
	TEXT("auth.introspection-url", token.introspection_url, "",
	    rule_introspection, AUTH | INTROSPECT | FRONTS),
	TEXT("auth.introspection-credentials",
	    token.introspection_credentials, "", rule_path_or_none, INTROSPECT),
	TEXT("auth.introspection-ca", token.introspection_ca,
	    "/etc/ssl/certs/ca-certificates.crt", rule_path, INTROSPECT),
	TIME("auth.introspection-timeout", token.introspection_timeout, "10s",
	    "1s", "1m", AUTH | INTROSPECT),
	TIME("auth.introspection-cache", token.introspection_cache, "1m", "0",
	    "1h", INTROSPECT),
	COUNT("auth.introspection-connections",
	    token.introspection_connections, "8", "1", "100", INTROSPECT),
	TIME("auth.delay", auth_delay, "2s", "0", "30s", AUTH),
	COUNT("auth.failures", auth_failures, "10", "0", "1000", AUTH),
	COUNT("auth.client-failures", auth_client_failures, "50", "0",
	    "1000000", AUTH),
	TIME("auth.block-time", auth_block_time, "10m", "1s", "1d", AUTH),
	PAIRS("auth.allow", auth_allow, rule_network, rule_service, AUTH),
	PAIRS("auth.deny", auth_deny, rule_network, rule_service, AUTH),
	PAIRS("auth.certificate", auth_certificates, rule_fingerprint,
	    rule_user, AUTH),
	TEXT("auth.master-separator", auth_master_separator, "",
	    rule_master_separator, AUTH),
	/* RFC 7677 4 */
	COUNT("auth.scram-iterations", auth_scram_iterations, "4096", "4096",
	    "100000", AUTH | TOOL),
	COUNT("auth.workers", auth_workers, "0", "0", "64", AUTH),

	TIME("queue.retry-first", queue.retry_first, "5m", "1s", "1d",
	    QUEUE | TOOL),
	TIME("queue.retry-max", queue.retry_max, "4h", "1s", "7d", QUEUE | TOOL),
	TIME("queue.lifetime", queue.lifetime, "5d", "1s", "365d", QUEUE | TOOL),
	TIME("queue.delay-warning", queue.delay_warning, "4h", "0", "365d",
	    QUEUE),
	SIZE("queue.bounce-size", queue.bounce_size, "50K", "0", "16M", QUEUE),
	TIME("queue.scan-interval", queue.scan_interval, "1m", "1s", "1d",
	    QUEUE),
	COUNT("queue.local-workers", queue.local_workers, "20", "1", "1000",
	    QUEUE | LOCAL),
	TIME("queue.local-timeout", queue.local_timeout, "5m", "1s", "1d",
	    QUEUE),
	COUNT("queue.destination-concurrency", queue.destination_concurrency,
	    "20", "1", "1000", QUEUE),
	COUNT("queue.running", queue.running, "1000", "1", "100000", QUEUE),

	TEXT("brake.mode", brake.mode, "yes", rule_brake, QUEUE | TOOL),
	COUNT("brake.messages", brake.messages, "100", "0", "1000000", QUEUE),
	COUNT("brake.recipients", brake.recipients, "500", "0", "10000000",
	    QUEUE),
	COUNT("brake.new-recipients", brake.new_recipients, "250", "0",
	    "10000000", QUEUE),
	COUNT("brake.bounces", brake.bounces, "50", "0", "1000000", QUEUE),
	COUNT("brake.factor", brake.factor, "5", "1", "1000", QUEUE),
	LIST_OR_NONE("brake.exempt", brake.exempt, "uid=0", rule_user, QUEUE),

	TEXT("local.mailbox", local.mailbox, "maildir:~/Maildir", rule_mailbox,
	    LOCAL | AUTH | TOOL),
	TIME("local.pipe-timeout", local.pipe_timeout, "10m", "1s", "1d",
	    QUEUE | LOCAL | TOOL),
	TIME("local.idle-timeout", local.idle_timeout, "10s", "1s", "1h", LOCAL),
	TIME("local.lock-timeout", local.lock_timeout, "30s", "1s", "1h",
	    QUEUE | LOCAL | SESSION | TOOL),
	COUNT("local.min-uid", local.min_uid, "1000", "1", "4294967294",
	    ROUTE | LOCAL | AUTH | PAM | TOOL),
	SIZE("local.quota", local.quota, "0", "0", "1048576G",
	    LOCAL | SESSION | TOOL),
	COUNT("local.hops", local.hops, "100", "10", "1000", LOCAL | TOOL),
	TEXT("local.alias-user", local.alias_user, "nobody", rule_user,
	    ROUTE | LOCAL | TOOL),

	LIST_OR_NONE("dns.server", dns.servers, NULL, rule_server, HOP | TOOL),
	TIME("dns.timeout", dns.timeout, "30s", "1s", "5m", HOP | TOOL),
	BOOL("dns.dnssec", dns.dnssec, "no", HOP | TOOL),
	TEXT("dns.trust-anchor", dns.trust_anchor, "/usr/share/dns/root.key",
	    rule_path, HOP | TOOL),

	PAIRS("transport", remote.transports, rule_pattern, rule_target,
	    HOP | REMOTE | ROUTE | TOOL),
	PAIRS("remote.tls", remote.tls, rule_pattern, rule_tls, HOP | TOOL),
	PAIRS("remote.source", remote.sources, rule_pattern, rule_ip,
	    HOP | TOOL),
	PAIRS("remote.auth", remote.auth, rule_host, rule_user, REMOTE),
	PAIRS("remote.connections", remote.connections, rule_pattern,
	    rule_count, HOP | TOOL),
	PAIRS("remote.rate", remote.rates, rule_pattern, rule_count, HOP | TOOL),
	TEXT("remote.passwords", remote.passwords, "", rule_path_or_none,
	    REMOTE),
	TEXT("remote.tls-ca", remote.tls_ca,
	    "/etc/ssl/certs/ca-certificates.crt", rule_path, REMOTE),
	TEXT("remote.hello", remote.hello, "", rule_domain_or_none, REMOTE),
	TEXT("remote.family", remote.family, "both", rule_family, HOP | TOOL),
	COUNT("remote.port", remote.port, "25", "1", "65535", HOP | TOOL),
	TIME("remote.connect-timeout", remote.connect_timeout, "30s", "1s",
	    "1h", QUEUE | REMOTE),
	/* RFC 5321 4.5.3.2 */
	TIME("remote.greeting-timeout", remote.greeting_timeout, "5m", "1s",
	    "1h", QUEUE | REMOTE),
	TIME("remote.command-timeout", remote.command_timeout, "5m", "1s", "1h",
	    QUEUE | REMOTE),
	TIME("remote.data-timeout", remote.data_timeout, "2m", "1s", "1h",
	    QUEUE | REMOTE),
	TIME("remote.block-timeout", remote.block_timeout, "3m", "1s", "1h",
	    QUEUE | REMOTE),
	TIME("remote.end-timeout", remote.end_timeout, "10m", "1s", "1d",
	    QUEUE | REMOTE),
	TIME("remote.idle-timeout", remote.idle_timeout, "2s", "0", "5m",
	    QUEUE | REMOTE),
	COUNT("remote.session-messages", remote.session_messages, "100", "1",
	    "100000", QUEUE | REMOTE),
	COUNT("remote.addresses", remote.addresses, "5", "1", "100", QUEUE | REMOTE),
	COUNT("remote.recipients", remote.recipients, "100", "1", "100",
	    QUEUE | REMOTE),
	COUNT("remote.workers", remote.workers, "200", "1", "10000",
	    QUEUE | REMOTE)
};

const size_t setting_nkeys = nitems(setting_keys);

const struct setting_key *
setting_find(const char *name)
{
	size_t	i;

	for (i = 0; i < setting_nkeys; i++)
		if (strcmp(setting_keys[i].name, name) == 0)
			return &setting_keys[i];
	return NULL;
}

const char *
setting_type_name(enum setting_type t)
{
	static const char *const names[] = {
		[SETTING_TEXT] = "text",
		[SETTING_COUNT] = "count",
		[SETTING_SIZE] = "size",
		[SETTING_TIME] = "time",
		[SETTING_BOOL] = "yes-no",
		[SETTING_LIST] = "list",
		[SETTING_PAIRS] = "pairs",
		[SETTING_USERS] = "users",
		[SETTING_EXPECT] = "expect"
	};

	return names[t];
}

/* Number of letters to insert, remove or change (Levenshtein 1966). */
static size_t
distance(const char *a, const char *b)
{
	size_t	row[CONF_KEY_MAX + 1], i, j, left, diagonal;
	size_t	la = strnlen(a, CONF_KEY_MAX), lb = strnlen(b, CONF_KEY_MAX);

	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = left = i;
		for (j = 1; j <= lb; j++) {
			size_t	best = diagonal + (a[i - 1] != b[j - 1]);

			if (left + 1 < best)
				best = left + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			diagonal = row[j];
			row[j] = left = best;
		}
	}
	return row[lb];
}

static const char *
last_part(const char *name)
{
	const char	*dot = strrchr(name, '.');

	return dot == NULL ? name : dot + 1;
}

const struct setting_key *
setting_near(const char *name)
{
	const struct setting_key *best = NULL;
	size_t	i, d, least = strlen(name) / 4 + 2;

	for (i = 0; i < setting_nkeys; i++) {
		d = distance(name, setting_keys[i].name);
		if (d < least) {
			least = d;
			best = &setting_keys[i];
		}
	}
	if (best != NULL)
		return best;
	/* The right key in the wrong block? */
	for (i = 0; i < setting_nkeys; i++)
		if (strcmp(last_part(name), last_part(setting_keys[i].name)) == 0)
			return &setting_keys[i];
	return NULL;
}
