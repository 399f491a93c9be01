/*
 * tests/fuzz/fuzz_deliver.c - deliveries as queue sends them to a worker, and
 * the record of its user: views lie in the packet, numbers are in range.
 */
#include <stdint.h>

#include "deliver/worker_job.c"
#include "deliver/worker.c"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
within(struct str v, const struct buf *b)
{
	if (v.n > 0 && (v.p < b->p || v.p + v.n > b->p + b->n))
		abort();
}

static void
delivery(struct job *j)
{
	struct mail	*m = &j->mail;
	struct buf	 head;

	if (!job_parse(j))
		return;
	within(m->sender, &j->rec);
	within(m->rcpt, &j->rec);
	within(m->addr, &j->rec);
	within(j->final.user, &j->rec);
	within(j->final.ext, &j->rec);
	within(j->final.arg, &j->rec);
	if (m->content.at < 0 || m->content.len < 0 ||
	    strlen(j->id) >= sizeof(j->id) ||
	    (j->final.kind != FINAL_USER && j->final.arg.n == 0))
		abort();
	buf_init(&head, 1 << 20);
	head_make(&head, m->sender, m->rcpt, m->addr);
	if (!buf_ok(&head) || head_lines(&head) < 2)
		abort();
	buf_free(&head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job	j = { .fd = -1 };
	struct who	w = { .quota = 0 };

	if (size > MSG_MAX)
		return 0;
	buf_init(&j.rec, MSG_MAX);
	if (buf_add(&j.rec, data, size) == 0) {
		delivery(&j);
		if (who_parse(buf_view(&j.rec), &w) &&
		    (strlen(w.user) >= sizeof(w.user) ||
		    strlen(w.home) >= sizeof(w.home) || w.quota > INT64_MAX))
			abort();
	}
	buf_free(&j.rec);
	return 0;
}
