/*
 * auth/introspect_http.c - libcurl; the only file that includes it. Runs as
 * ph-token; distrusts the provider's host as far as its certificate goes.
 */
#include "auth/introspect_http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/log.h"

#define FORM_MAX	(64u * 1024u)	/* a token with every byte spelled out */
#define AGENT		"posthouse/" PH_VERSION

struct http_question {
	TAILQ_ENTRY(http_question) link;
	struct http		*http;
	CURL			*easy;
	http_done		*done;
	void			*arg;
	struct buf		 form, body;
	char			 error[CURL_ERROR_SIZE];
};
TAILQ_HEAD(question_list, http_question);

struct http {
	struct event_base	*base;
	CURLM			*multi;
	struct event		*timer;
	struct curl_slist	*headers;
	struct question_list	 questions;
	char			*url;
	struct buf		 ca;
	long			 timeout;
};

/* What libcurl waits for on a descriptor; freed when it says so. */
struct watch {
	struct http	*http;
	struct event	*event;
};

static void
finish(struct http_question *q, CURLcode code)
{
	long		 status = 0;
	const char	*error = "";

	if (code == CURLE_OK)
		curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
	else
		error = q->error[0] != '\0' ? q->error :
		    curl_easy_strerror(code);
	q->done(q->arg, status, error, buf_view(&q->body));
	http_cancel(&q);
}

static void
collect(struct http *h)
{
	CURLMsg			*m;
	CURLcode		 code;
	struct http_question	*q;
	char			*p;
	int			 left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		code = m->data.result;	/* m is gone with its handle */
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
		q = (struct http_question *)(void *)p;
		finish(q, code);
	}
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch	*w = arg;
	struct http	*h = w->http;
	int		 mask = 0, running;

	if (what & EV_READ)
		mask |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		mask |= CURL_CSELECT_OUT;
	curl_multi_socket_action(h->multi, fd, mask, &running);
	collect(h);	/* w may be gone */
}

static void
timed(evutil_socket_t fd, short what, void *arg)
{
	struct http	*h = arg;
	int		 running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(h);
}

static void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->event != NULL)
		event_free(w->event);
	free(w);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int action, void *arg, void *data)
{
	struct http	*h = arg;
	struct watch	*w = data;
	short		 what = EV_PERSIST;

	(void)easy;
	if (action == CURL_POLL_REMOVE) {
		watch_free(w);
		curl_multi_assign(h->multi, fd, NULL);
		return 0;
	}
	if (w == NULL) {
		if ((w = calloc(1, sizeof(*w))) == NULL)
			return -1;
		w->http = h;
		curl_multi_assign(h->multi, fd, w);
	}
	if (w->event != NULL)
		event_free(w->event);
	if (action & CURL_POLL_IN)
		what |= EV_READ;
	if (action & CURL_POLL_OUT)
		what |= EV_WRITE;
	w->event = event_new(h->base, fd, what, readable, w);
	return w->event == NULL || event_add(w->event, NULL) == -1 ? -1 : 0;
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct http	*h = arg;
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	(void)multi;
	return ms == -1 ? event_del(h->timer) : event_add(h->timer, &tv);
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_question	*q = arg;

	return buf_add(&q->body, p, size * n) == -1 ? 0 : size * n;
}

int
http_begin(struct diag *why)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return diag_set(why, "HTTP client");
	return 0;
}

static int
add_headers(struct http *h, struct str authorization)
{
	static const char *const lines[] = {
		"Accept: application/json", "Expect:",
		"Content-Type: application/x-www-form-urlencoded"
	};
	struct curl_slist	*all;
	struct buf		 line;
	size_t			 i;
	int			 r = 0;

	for (i = 0; i < nitems(lines); i++) {
		if ((all = curl_slist_append(h->headers, lines[i])) == NULL)
			return -1;
		h->headers = all;
	}
	if (authorization.n == 0)
		return 0;
	buf_init(&line, authorization.n + 1);
	all = buf_addstr(&line, authorization) == 0 &&
	    buf_cstr(&line) != NULL ?
	    curl_slist_append(h->headers, buf_cstr(&line)) : NULL;
	if (all == NULL)
		r = -1;
	else
		h->headers = all;
	buf_wipe(&line);
	return r;
}

int
http_new(struct http **out, struct event_base *base,
    const struct http_config *conf, struct diag *why)
{
	struct http	*h;

	*out = NULL;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return diag_errno(why, "HTTP client");
	TAILQ_INIT(&h->questions);
	h->base = base;
	h->timeout = conf->timeout;
	buf_init(&h->ca, conf->ca.n + 1);
	if ((h->url = strdup(conf->url)) == NULL ||
	    buf_addstr(&h->ca, conf->ca) == -1 ||
	    add_headers(h, conf->authorization) == -1 ||
	    (h->timer = evtimer_new(base, timed, h)) == NULL ||
	    (h->multi = curl_multi_init()) == NULL) {
		http_free(&h);
		return diag_set(why, "HTTP client: out of memory");
	}
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
	    conf->connections);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, conf->connections);
	*out = h;
	return 0;
}

/* Written over before it is freed: it has the client's secret. */
static void
headers_free(struct curl_slist *all)
{
	struct curl_slist	*l;

	for (l = all; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(all);
}

void
http_free(struct http **hp)
{
	struct http		*h = *hp;
	struct http_question	*q;

	if (h == NULL)
		return;
	while ((q = TAILQ_FIRST(&h->questions)) != NULL)
		http_cancel(&q);
	if (h->multi != NULL)
		curl_multi_cleanup(h->multi);
	if (h->timer != NULL)
		event_free(h->timer);
	headers_free(h->headers);
	free(h->url);
	buf_free(&h->ca);
	free(h);
	*hp = NULL;
}

static CURLcode
set_peer(const struct http *h, CURL *e)
{
	bool			plain = strncmp(h->url, "http:", 5) == 0;
	struct curl_blob	ca = { h->ca.p, h->ca.n, CURL_BLOB_NOCOPY };
	CURLcode		r;

	/* plain only where the settings let it, which is on this host */
	if ((r = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR,
	    plain ? "http" : "https")) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_URL, h->url)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_CAPATH, NULL)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_CAINFO, NULL)) != CURLE_OK)
		return r;
	return h->ca.n == 0 ? CURLE_OK :
	    curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
}

static CURLcode
set_limits(const struct http *h, CURL *e)
{
	CURLcode	r;

	if ((r = curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, h->timeout)) !=
	    CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_MAXFILESIZE,
	    (long)HTTP_BODY_MAX)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_PROXY, "")) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_NETRC,
	    (long)CURL_NETRC_IGNORED)) != CURLE_OK ||
	    (r = curl_easy_setopt(e, CURLOPT_USERAGENT, AGENT)) != CURLE_OK)
		return r;
	/* the least of it: no HTTP/2 with its own compression and state */
	return curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
}

static CURLcode
set_question(const struct http *h, struct http_question *q)
{
	CURLcode	r;

	if ((r = curl_easy_setopt(q->easy, CURLOPT_HTTPHEADER, h->headers)) !=
	    CURLE_OK ||
	    (r = curl_easy_setopt(q->easy, CURLOPT_POSTFIELDSIZE,
	    (long)q->form.n)) != CURLE_OK ||
	    (r = curl_easy_setopt(q->easy, CURLOPT_POSTFIELDS, q->form.p)) !=
	    CURLE_OK ||
	    (r = curl_easy_setopt(q->easy, CURLOPT_WRITEFUNCTION, on_body)) !=
	    CURLE_OK ||
	    (r = curl_easy_setopt(q->easy, CURLOPT_WRITEDATA, q)) != CURLE_OK ||
	    (r = curl_easy_setopt(q->easy, CURLOPT_PRIVATE, q)) != CURLE_OK)
		return r;
	return curl_easy_setopt(q->easy, CURLOPT_ERRORBUFFER, q->error);
}

struct http_question *
http_post(struct http *h, struct str form, http_done *done, void *arg)
{
	struct http_question	*q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->http = h;
	q->done = done;
	q->arg = arg;
	buf_init(&q->form, FORM_MAX);
	buf_init(&q->body, HTTP_BODY_MAX);
	TAILQ_INSERT_TAIL(&h->questions, q, link);
	if (buf_addstr(&q->form, form) == -1 ||
	    (q->easy = curl_easy_init()) == NULL ||
	    set_peer(h, q->easy) != CURLE_OK ||
	    set_limits(h, q->easy) != CURLE_OK ||
	    set_question(h, q) != CURLE_OK ||
	    curl_multi_add_handle(h->multi, q->easy) != CURLM_OK)
		http_cancel(&q);
	return q;
}

void
http_cancel(struct http_question **qp)
{
	struct http_question	*q = *qp;

	TAILQ_REMOVE(&q->http->questions, q, link);
	if (q->easy != NULL) {
		curl_multi_remove_handle(q->http->multi, q->easy);
		curl_easy_cleanup(q->easy);
	}
	buf_wipe(&q->form);
	buf_wipe(&q->body);
	free(q);
	*qp = NULL;
}
