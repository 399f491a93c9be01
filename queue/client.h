/* queue/client.h - what mailq, postq, sendmail and drop share. */
#ifndef QUEUE_CLIENT_H
#define QUEUE_CLIENT_H

#include "common/base/buf.h"
#include "common/proc/settings.h"

#define CLIENT_CONF	PH_SYSCONFDIR "/posthouse/posthouse.conf"
#define CLIENT_TIMEOUT	60000	/* ms */

/* The configuration, or the default one with path NULL; ends the program with EX_CONFIG if it cannot be read. */
struct settings	*client_settings(const char *path);
/* Connected to the queue's control, or -1 (errno). */
int	client_connect(const struct settings *) must_check;
/* What is closed of the first three descriptors is opened, useless, so that no file of ours is taken for one of them. */
void	client_open_std(void);
/* The exit status for an error of that. */
int	client_status(int error);
/* Says why there is no connection (errno), and ends the program. */
_Noreturn void	client_fail(const struct settings *);
/* Begins a question. */
void	client_ask(struct buf *, const char *verb, const char *id);

#endif
