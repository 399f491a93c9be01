/* deliver/remote_verdict.c - how something ended, for queue. */
#include <stdarg.h>
#include <stdio.h>

#include "deliver/remote.h"

void
verdict_set(struct verdict *v, const char *status, const char *fmt, ...)
{
	va_list	ap;

	snprintf(v->status, sizeof(v->status), "%s", status);
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	v->said = false;
}

void
verdict_reply(struct verdict *v, const struct reply *r)
{
	if (r->code < 400)
		snprintf(v->status, sizeof(v->status), "4.5.0");
	else
		reply_status(r, v->status);
	snprintf(v->text, sizeof(v->text), "%s", r->text);
	v->said = true;
}
