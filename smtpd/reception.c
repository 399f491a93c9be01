/*
 * smtpd/reception.c - content into the spool. Runs as ph-smtp in the chroot
 * spool/incoming; every byte comes from the network.
 */
#include "smtpd/reception.h"

#include <errno.h>
#include <string.h>

#include "common/base/fault.h"
#include "common/base/log.h"

#define COMPLETED_MAX	(4u * SUBMISSION_FIELD_MAX)	/* of one piece: a field that was held, and what is added */

void
rx_init(struct reception *rx, unsigned long long max, long long max_hops)
{
	*rx = (struct reception){ .max = max, .max_hops = max_hops,
	    .in_header = true, .bol = true, .empty = true };
	rx->draft.fd = -1;
}

void
rx_fault(struct reception *rx, unsigned code, const char *status,
    const char *text)
{
	if (rx->code != 0)
		return;
	rx->code = code;
	rx->status = status;
	rx->text = text;
}

/* For errno of the file system. */
static void
fault_errno(struct reception *rx)
{
	log_error("spool id=%s why=\"%s\"", rx->draft.id, strerror(errno));
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		rx_fault(rx, 452, "4.3.1", "insufficient system storage");
	else
		rx_fault(rx, 451, "4.3.0", "local error in processing");
}

int
rx_open(struct reception *rx, const struct spool_in *in, const char *id)
{
	if (draft_open(in, &rx->draft, id) == -1) {
		fault_errno(rx);
		return -1;
	}
	rx->open = true;
	return 0;
}

int
rx_begin(struct reception *rx, const struct spool_in *in, struct envelope *env,
    struct str trace)
{
	if (!rx->open && rx_open(rx, in, env->id) == -1)
		return -1;
	if (draft_head(in, &rx->draft, env) == -1) {
		rx->open = false;
		/* RFC 5321 4.5.3.1.10: what is left out is tried again. */
		if (errno == EMSGSIZE)
			rx_fault(rx, 452, "4.5.3", "too many recipients with "
			    "such long parameters");
		else
			fault_errno(rx);
		return -1;
	}
	if (draft_write(&rx->draft, trace.p, trace.n) == 0)
		return 0;
	fault_errno(rx);
	rx_abort(rx, in);
	return -1;
}

void
rx_complete(struct reception *rx, const struct submission_set *set)
{
	submission_init(&rx->submission, set);
	buf_init(&rx->completed, COMPLETED_MAX);
	rx->completes = true;
}

static int
write_completed(struct reception *rx)
{
	if (!buf_ok(&rx->completed)) {
		errno = ENOMEM;
		return -1;
	}
	return rx->completed.n == 0 ? 0 : draft_write(&rx->draft,
	    rx->completed.p, rx->completed.n);
}

static int
store(struct reception *rx, struct str s)
{
	if (!rx->completes || rx->submission.state == SUBMISSION_BODY)
		return draft_write(&rx->draft, s.p, s.n);
	buf_reset(&rx->completed);
	submission_add(&rx->submission, s, &rx->completed);
	return write_completed(rx);
}

static int
store_end(struct reception *rx)
{
	if (!rx->completes)
		return 0;
	buf_reset(&rx->completed);
	submission_end(&rx->submission, &rx->completed);
	return write_completed(rx);
}

static void
end_completing(struct reception *rx)
{
	if (!rx->completes)
		return;
	submission_free(&rx->submission);
	buf_free(&rx->completed);
	rx->completes = false;
}

/* One byte of the header section: counts trace fields (RFC 5321 6.3), finds the empty line. */
static void
header_byte(struct reception *rx, char c)
{
	static const char	name[] = "received:";
	char			low = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;

	if (c == '\n') {
		if (rx->empty)
			rx->in_header = false;
		rx->bol = rx->empty = true;
		rx->name_at = 0;
		return;
	}
	if (c != '\r')
		rx->empty = false;
	if (rx->bol && low == name[rx->name_at]) {
		if (name[++rx->name_at] == '\0') {
			rx->bol = false;
			if (++rx->hops >= rx->max_hops)
				rx_fault(rx, 554, "5.4.6",
				    "too many hops, this message is looping");
		}
	} else
		rx->bol = false;
}

/* Only the beginning of a line is of interest. */
void
rx_scan_header(struct reception *rx, struct str s)
{
	const char	*p = s.p, *end = s.p + s.n, *lf;

	while (p < end && rx->in_header) {
		if (!rx->bol && !rx->empty) {
			lf = memchr(p, '\n', (size_t)(end - p));
			if (lf == NULL)
				return;
			p = lf;
		}
		header_byte(rx, *p++);
	}
}

void
rx_scan_lines(struct reception *rx, struct str s)
{
	const char	*p = s.p, *end = s.p + s.n, *q;

	while (p < end) {
		if (rx->cr) {
			rx->cr = false;
			if (*p == '\n') {
				rx->line = 0;
				p++;
				continue;
			}
			rx->bare = true;
		}
		q = memchr(p, '\r', (size_t)(end - p));
		if (q == NULL)
			q = end;
		rx->line += (size_t)(q - p);
		if (rx->line > rx->longest)
			rx->longest = rx->line;
		if (memchr(p, '\n', (size_t)(q - p)) != NULL)
			rx->bare = true;
		rx->cr = q < end;
		p = q + (q < end);
	}
}

void
rx_add(struct reception *rx, struct str s)
{
	rx->size += s.n;
	if (rx->size > rx->max)
		rx_fault(rx, 552, "5.3.4", "message is larger than the limit");
	if (rx->code != 0)
		return;
	if (rx->in_header)
		rx_scan_header(rx, s);
	if (store(rx, s) == -1)
		fault_errno(rx);
}

int
rx_commit(struct reception *rx, const struct spool_in *in)
{
	if (rx->code == 0 && store_end(rx) == -1)
		fault_errno(rx);
	if (rx->code == 0) {
		rx->open = false;
		end_completing(rx);
		if (draft_commit(in, &rx->draft) == 0)
			return 0;
		fault_errno(rx);
	}
	rx_abort(rx, in);
	return -1;
}

void
rx_abort(struct reception *rx, const struct spool_in *in)
{
	if (rx->open)
		draft_abort(in, &rx->draft);
	rx->open = false;
	end_completing(rx);
}
