/*
 * keys/main.c - keys(8): holds the private keys and signs with them what a TLS
 * server has to sign. Run by master as ph-keys with an empty root directory
 * and no network. The main thread listens to the master; signers.c serves.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/proc/child.h"
#include "common/proc/link.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/proc/service.h"
#include "common/proc/settings.h"
#include "common/proc/sig.h"
#include "keys/load.h"
#include "keys/self.h"
#include "keys/signers.h"
#include "keys/vault.h"

#define USER		"ph-keys"
#define OLD_CHECK_MS	60000

struct keys {
	struct settings	*settings;
	struct vault	*vault;
	struct load	 load;
	struct buf	 rec;
	bool		 check;		/* say what is wrong with the files, and end */
	bool		 broken;	/* of what has come since the last reload something could not be read */
	bool		 serving, stopping;
	int		 status;
};

static void
say_log(bool warning, const char *text)
{
	if (warning)
		log_warn("certificate why=\"%s\"", text);
	else
		log_error("certificate why=\"%s\"", text);
}

static void
say_stderr(bool warning, const char *text)
{
	fprintf(stderr, "%s%s\n", warning ? "warning: " : "", text);
}

/* Locked memory is never written to a swap device. */
static void
lock_memory(void)
{
	struct rlimit	all = { RLIM_INFINITY, RLIM_INFINITY };

	if (priv_is_root() && setrlimit(RLIMIT_MEMLOCK, &all) == -1)
		log_debug("limits why=\"%s\"", strerror(errno));
	/* with a limit we could run into it later, and then there is no memory at all */
	if (getrlimit(RLIMIT_MEMLOCK, &all) == -1 ||
	    all.rlim_cur != RLIM_INFINITY)
		return;
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == -1)
		log_debug("locked memory why=\"%s\"", strerror(errno));
}

/* From here on there is nothing but what was handed over. */
static int
enter(const struct settings *s, bool check, struct diag *why)
{
	char	dir[4096] = "/";

	/* made by the master, and kept empty; there may be none yet when a configuration is checked */
	if (!check && (size_t)snprintf(dir, sizeof(dir), "%s/empty",
	    s->run) >= sizeof(dir))
		return diag_set(why, "run: name is too long");
	tzset();
	if (priv_enter(USER, dir, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	return sandbox_enter(SANDBOX_KEYS, NULL, 0, why);
}

/* ---- what the master says */

static void
files(struct keys *k, const struct link_event *ev)
{
	struct diag	why;

	if (load_files(&k->load, ev->fds, ev->nfds, &why) == 0)
		return;
	(k->check ? say_stderr : say_log)(false, why.text);
	k->broken = true;
}

static void
end(struct keys *k, int status)
{
	k->stopping = true;
	k->status = status;
}

/* A file that is wrong leaves what was read from it before; at the start there may be nothing. */
static void
take(struct keys *k, struct pairs *p, size_t wrong)
{
	if (vault_replace(k->vault, p->list, p->n, now_ms()) == -1) {
		log_error("reload why=\"%s\"", errno == EINVAL ?
		    "no certificate can be used" : strerror(errno));
		pairs_free(p);
		if (!k->serving)
			end(k, EX_CONFIG);
		return;
	}
	log_info("certificates number=%zu wrong=%zu", vault_count(k->vault),
	    wrong);
	p->n = 0;		/* they are the vault's */
	pairs_free(p);
}

static void
reload(void *arg, struct link_event *ev)
{
	struct keys	*k = arg;
	struct settings	*fresh = NULL;
	struct pairs	 pairs;
	struct diag	 why;
	size_t		 wrong;

	if (ev->verb == LINK_FILES) {
		files(k, ev);
		return;
	}
	if (settings_load_fd(ev->conf, &fresh, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		load_wipe(&k->load);
		return;
	}
	settings_free(&k->settings);
	k->settings = fresh;
	log_set_level(settings_log_level(fresh));
	if (load_pairs(&k->load, fresh, &pairs, &wrong,
	    k->check ? say_stderr : say_log) == -1) {
		log_error("reload why=\"%s\"", strerror(errno));
		end(k, EX_OSERR);
		return;
	}
	if (k->check) {
		end(k, wrong > 0 || k->broken ? EX_CONFIG : EX_OK);
		pairs_free(&pairs);
		return;
	}
	take(k, &pairs, wrong);
	k->broken = false;
	if (k->serving && !k->stopping && link_loaded(FD_LINK) == -1)
		log_error("link why=\"%s\"", strerror(errno));
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct keys	*k = arg;
	unsigned long long	 made, refused;

	vault_counts(k->vault, &made, &refused);
	snprintf(dst, size, "certificates=%zu signatures=%llu refused=%llu",
	    vault_count(k->vault), made, refused);
}

static void
stop(void *arg, bool orphan)
{
	end(arg, orphan ? EX_TEMPFAIL : EX_OK);
}

static void
step(struct keys *k, int sig)
{
	static const struct link_ops	ops = { status, reload, stop, NULL };
	struct pollfd	p[2] = { { FD_LINK, POLLIN, 0 }, { sig, POLLIN, 0 } };

	if (poll(p, nitems(p), OLD_CHECK_MS) == -1) {
		if (errno != EINTR && errno != EAGAIN)
			end(k, EX_OSERR);
		return;
	}
	if (p[1].revents != 0 && (sig_take() & SIG_EV_TERM) != 0)
		end(k, EX_OK);
	if (p[0].revents != 0)
		link_serve(FD_LINK, &k->rec, &ops, k);
	vault_time(k->vault, now_ms());
}

/* ---- the daemon */

static size_t
take_sockets(int *out, size_t max)
{
	struct child_fd	fds[CHILD_FDS];
	int		i, all = child_fds(fds);
	size_t		n = 0;

	for (i = 0; i < all && n < max; i++)
		if (strncmp(fds[i].name, "keys@", 5) == 0)
			out[n++] = fds[i].fd;
	return n;
}

/* The files come over the link, behind the configuration that we were started with. */
static int
setup(struct keys *k, int *sig, struct diag *why)
{
	if (vault_new(&k->vault) == -1)
		return diag_errno(why, "keys");
	if ((*sig = sig_init(SIG_EV_TERM)) == -1 ||
	    fdio_nonblock(FD_LINK, 1) == -1)
		return diag_errno(why, "signals and link");
	if (enter(k->settings, k->check, why) == -1)
		return -1;
	while (!k->stopping && vault_count(k->vault) == 0)
		step(k, *sig);
	return 0;
}

static int
serve(struct keys *k)
{
	int		sockets[SIGNERS_DOORS], sig;
	size_t		n = take_sockets(sockets, SIGNERS_DOORS);
	size_t		signers = signers_wanted();
	struct diag	why;

	lock_memory();
	(void)service_raise_files();
	if (setup(k, &sig, &why) == -1 || (!k->stopping &&
	    signers_start(signers, k->vault, sockets, n, &why) == -1)) {
		log_error("start why=\"%s\"", why.text);
		return EX_OSERR;
	}
	k->serving = !k->stopping;
	if (k->serving && link_ready(FD_LINK) == -1)
		return EX_TEMPFAIL;
	while (!k->stopping)
		step(k, sig);
	return k->status;
}

/* ---- the commands, of the master too */

/* keys check: the files come as they do to the daemon, and that is all. */
static int
check(struct keys *k)
{
	struct diag	why;
	int		sig;

	k->check = true;
	if (setup(k, &sig, &why) == -1)
		errx(EX_OSERR, "%s", why.text);
	return k->status;
}

/* keys self-signed HOSTNAME: into the files that the master has opened. */
static int
make(const struct settings *s, const char *hostname)
{
	struct child_fd	fds[CHILD_FDS];
	struct diag	why;
	int		n = child_fds(fds), certificate = -1, key = -1;

	if (n > 0) {
		certificate = child_fd_find(fds, (size_t)n, "certificate", 0);
		key = child_fd_find(fds, (size_t)n, "key", 0);
	}
	if (certificate == -1 || key == -1)
		errx(EX_USAGE, "no files from the master");
	if (enter(s, false, &why) == -1 ||
	    self_signed(hostname, certificate, key, &why) == -1)
		errx(EX_OSERR, "%s", why.text);
	return EX_OK;
}

static int
run(struct keys *k, int argc, char *argv[])
{
	if (argc == 1)
		return serve(k);
	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check(k);
	if (argc == 3 && strcmp(argv[1], "self-signed") == 0)
		return make(k->settings, argv[2]);
	fprintf(stderr, "keys is started by posthouse(8)\n");
	return EX_USAGE;
}

int
main(int argc, char *argv[])
{
	struct keys	k;
	struct diag	why;
	int		r;

	memset(&k, 0, sizeof(k));
	buf_init(&k.rec, MSG_MAX);
	if (fcntl(FD_CONF, F_GET_SEALS) <= 0) {
		fprintf(stderr, "keys is started by posthouse(8)\n");
		return EX_USAGE;
	}
	log_open(argc == 1 ? FD_LOG : -1, "keys");
	if (settings_load_fd(FD_CONF, &k.settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(k.settings));
	r = run(&k, argc, argv);
	load_wipe(&k.load);
	/* threads may still be about to use the rest, which goes with the process */
	if (!k.serving)
		vault_free(&k.vault);
	settings_free(&k.settings);
	buf_wipe(&k.rec);
	_exit(r);
}
