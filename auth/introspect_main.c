/*
 * auth/introspect_main.c - introspect(8): asks a provider whether a token is
 * good (RFC 7662). Run by master as ph-token, if auth.introspection-url is
 * set. Talks to that address and to auth, sees tokens and the client's
 * secret, and no mailbox or password of a user.
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/bounded_json.h"
#include "auth/introspect_http.h"
#include "auth/introspect_job.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/base64.h"
#include "common/fmt/cur.h"
#include "common/fmt/form.h"
#include "common/proc/child.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/proc/service.h"

#define USER		"ph-token"
#define SECRET_MAX	4096u
#define CA_MAX		(4u << 20)
#define WATCH_SECONDS	5

/* What libc reads to find the provider's address. */
static const struct sandbox_path	places[] = {
	{ "/etc/resolv.conf", SANDBOX_READ }, { "/etc/hosts", SANDBOX_READ },
	{ "/etc/nsswitch.conf", SANDBOX_READ },
	{ "/etc/host.conf", SANDBOX_READ }, { "/etc/gai.conf", SANDBOX_READ }
};

struct daemon {
	struct settings		*settings;
	struct service		*service;
	struct http		*http;
	struct introspect	*jobs;
	struct event		*watch;
	struct stat		 seen[nitems(places)];
	char			 path[1100];
};

/* RFC 6749 2.3.1: both halves are encoded as in a form before they are put together. */
static int
basic(struct cur c, struct buf *out)
{
	struct str	id;
	struct buf	pair;
	int		r = -1;

	buf_init(&pair, 4 * SECRET_MAX);
	if (buf_reserve(&pair, FORM_LEN(cur_left(&c)) + 1) == 0 &&
	    cur_until(&c, ':', &id) && id.n > 0) {
		form_encode(&pair, id);
		buf_addc(&pair, ':');
		form_encode(&pair, cur_rest(&c));
		if (buf_ok(&pair) && buf_adds(out, "Authorization: Basic ") == 0)
			r = base64_encode(out, buf_view(&pair));
	}
	buf_wipe(&pair);
	return r;
}

/* The first line: "ID:SECRET" or "Bearer TOKEN" -> a line of the header. */
static int
authorization(struct str text, struct buf *out)
{
	struct cur	c = cur_from(text);
	size_t		i;

	for (i = 0; i < text.n && text.p[i] != '\n'; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return -1;
	c.end = text.p + i;
	if (!cur_word(&c, STR("Bearer ")))
		return basic(c, out);
	if (cur_done(&c) || buf_adds(out, "Authorization: Bearer ") == -1)
		return -1;
	return buf_addstr(out, cur_rest(&c));
}

static int
load_secret(const struct token_settings *st, int fd, struct buf *out,
    struct diag *why)
{
	const char	*path = st->introspection_credentials;
	struct buf	 text;
	int		 r = -1;

	if (path[0] == '\0')
		return 0;
	buf_init(&text, SECRET_MAX);
	if (buf_reserve(out, 6 * SECRET_MAX) == -1)
		diag_errno(why, "%s", path);
	else if (fdio_slurp_given(fd, path, true, &text, why) == 0 &&
	    (r = authorization(buf_view(&text), out)) == -1)
		diag_set(why, "%s: expected a line ID:SECRET or Bearer TOKEN",
		    path);
	buf_wipe(&text);
	return r;
}

/* Certificates are not needed for a provider on this host without TLS. */
static int
load_ca(const struct token_settings *st, int fd, struct buf *out,
    struct diag *why)
{
	if (strncmp(st->introspection_url, "http:", 5) == 0)
		return 0;
	return fdio_slurp_given(fd, st->introspection_ca, false, out, why);
}

/* Of the descriptors that the master gave. */
static int
make_http(const struct daemon *d, const struct settings *s,
    const struct child_fd *fds, size_t n, struct http **out, struct diag *why)
{
	const struct token_settings	*st = &s->token;
	struct http_config		 conf = { .url = st->introspection_url };
	struct buf			 secret, ca;
	int				 r = -1;

	*out = NULL;
	buf_init(&secret, 8 * SECRET_MAX);
	buf_init(&ca, CA_MAX);
	if (load_secret(st, child_fd_find(fds, n,
	    "auth.introspection-credentials", 0), &secret, why) == 0 &&
	    load_ca(st, child_fd_find(fds, n, "auth.introspection-ca", 0), &ca,
	    why) == 0) {
		conf.authorization = buf_view(&secret);
		conf.ca = buf_view(&ca);
		conf.timeout = (long)st->introspection_timeout;
		conf.connections = (long)st->introspection_connections;
		r = http_new(out, service_base(d->service), &conf, why);
	}
	buf_wipe(&secret);
	buf_free(&ca);
	return r;
}

static void
use(struct daemon *d, struct settings *s, struct http *http)
{
	introspect_use(d->jobs, http, &s->token);
	http_free(&d->http);
	if (d->settings != s)
		settings_free(&d->settings);
	d->http = http;
	d->settings = s;
	log_set_level(settings_log_level(s));
}

static void
reload(void *arg, struct link_event *ev)
{
	struct daemon	*d = arg;
	struct settings	*fresh = NULL;
	struct http	*http;
	struct diag	 why;

	if (settings_load_fd(ev->conf, &fresh, &why) == -1 ||
	    make_http(d, fresh, ev->fds, ev->nfds, &http, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		settings_free(&fresh);
		return;
	}
	use(d, fresh, http);
	log_info("reloaded");
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct daemon	*d = arg;

	introspect_status(d->jobs, dst, size);
}

static void
look(const char *path, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	(void)stat(path, st);	/* all zero: it is not there */
}

/* A file that took the place of another is out of the sandbox's reach. */
static void
watch(evutil_socket_t fd, short what, void *arg)
{
	struct daemon	*d = arg;
	struct stat	 st;
	size_t		 i;

	(void)fd;
	(void)what;
	for (i = 0; i < nitems(places); i++) {
		look(places[i].path, &st);
		if (st.st_dev == d->seen[i].st_dev &&
		    st.st_ino == d->seen[i].st_ino)
			continue;
		log_info("changed file=%s", places[i].path);
		service_stop(d->service, EX_OK);
		return;
	}
}

static int
events(struct daemon *d, struct diag *why)
{
	static const struct service_ops	ops = { status, NULL, NULL };
	static const struct timeval	often = { WATCH_SECONDS, 0 };
	struct child_fd			fds[CHILD_FDS];
	struct http			*http;
	int				 n;

	if (service_new(&d->service, &ops, d, why) == -1)
		return -1;
	service_on_files(d->service, reload);
	if ((n = child_fds(fds)) == -1)
		return diag_errno(why, "descriptors from the master");
	if (make_http(d, d->settings, fds, (size_t)n, &http, why) == -1)
		return -1;
	d->http = http;
	while (n-- > 0)
		fdio_close(&fds[n].fd);
	d->watch = event_new(service_base(d->service), -1, EV_PERSIST, watch,
	    d);
	if (d->watch == NULL || event_add(d->watch, &often) == -1)
		return diag_set(why, "event loop");
	if (introspect_new(&d->jobs, service_base(d->service), d->path,
	    why) == -1)
		return -1;
	introspect_use(d->jobs, d->http, &d->settings->token);
	return 0;
}

/* Modules of the name service are loaded now; later they could not be. */
static void
warm_up(void)
{
	struct addrinfo	hints = { .ai_socktype = SOCK_STREAM }, *list;

	if (getaddrinfo("localhost", "443", &hints, &list) == 0)
		freeaddrinfo(list);
}

static int
setup(struct daemon *d, struct diag *why)
{
	size_t	i;

	snprintf(d->path, sizeof(d->path), "%s/token/auth", d->settings->run);
	bounded_json_seed();
	if (http_begin(why) == -1 || events(d, why) == -1 ||
	    priv_enter(USER, NULL, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	warm_up();
	for (i = 0; i < nitems(places); i++)
		look(places[i].path, &d->seen[i]);
	return sandbox_enter(SANDBOX_HTTP, places, nitems(places), why);
}

static int
serve(struct daemon *d)
{
	struct diag	why = { "" };
	int		r = EX_OSERR;

	if (setup(d, &why) == -1)
		log_error("start why=\"%s\"", why.text);
	else
		r = service_run(d->service);
	introspect_free(&d->jobs);
	http_free(&d->http);
	if (d->watch != NULL)
		event_free(d->watch);
	service_free(&d->service);
	settings_free(&d->settings);
	return r;
}

int
main(int argc, char *argv[])
{
	struct daemon	d = { .settings = NULL };
	struct diag	why;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) <= 0) {
		fprintf(stderr, "introspect is started by posthouse(8)\n");
		return EX_USAGE;
	}
	log_open(FD_LOG, "introspect");
	if (settings_load_fd(FD_CONF, &d.settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(d.settings));
	return serve(&d);
}
