/* deliver/who.h - what the parent tells a worker of its user: a record in a sealed memfd named "who". */
#ifndef DELIVER_WHO_H
#define DELIVER_WHO_H

#define WHO_USER	'U'
#define WHO_HOME	'H'
#define WHO_MAILBOX	'M'	/* "maildir:/path" or "mbox:/path" */
#define WHO_QUOTA	'Q'	/* bytes, 0 none */
#define WHO_KIND	'K'	/* as LOCAL_KIND */

#define WHO_MAX		8192u

#endif
