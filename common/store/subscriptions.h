/*
 * common/store/subscriptions.h - the text of a file of subscriptions, read and written; pure. Three forms are read:
 * Dovecot's version 2 ("V\t2\n\n", then a folder a line with tabs between the parts of its name, each of them escaped), the
 * older one (a folder a line, dots between the parts), and Courier's courierimapsubscribed (the same with "INBOX." in front).
 * INBOX is the inbox, "" here.
 */
#ifndef STORE_SUBSCRIPTIONS_H
#define STORE_SUBSCRIPTIONS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/cur.h"
#include "common/store/maildir.h"

enum subscriptions_form { SUBSCRIPTIONS_OLD, SUBSCRIPTIONS_2, SUBSCRIPTIONS_COURIER };

/* Of a text that is not Courier's; goes past the header. */
enum subscriptions_form subscriptions_form(struct cur *);
/* The next line and, in name, the folder that it means; is_folder false: it means none that could be here. False: that was all. */
bool	subscriptions_next(struct cur *, enum subscriptions_form, struct str *line, char name[MAILDIR_FOLDER_MAX + 1],
	    bool *is_folder);
/* Of a file that is to be written: OLD or 2. */
void	subscriptions_put_head(struct buf *, enum subscriptions_form);
void	subscriptions_put(struct buf *, enum subscriptions_form, const char *name);
/* The whole text with the folder added or taken away; false: it is so already, and out is empty. */
bool	subscriptions_change(struct str text, bool courier, const char *name, bool on, struct buf *out);

#endif
