/*
 * deliver/remote_job.h - what queue asks remote for: a message, its recipients, and where to go. Pure parsing of
 * the records of proto_remote.h and proto_hop.h.
 */
#ifndef DELIVER_REMOTE_JOB_H
#define DELIVER_REMOTE_JOB_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/str.h"
#include "common/net/addr.h"
#include "common/proc/proto_hop.h"
#include "common/proc/proto_remote.h"

#define JOB_ID_MAX	64
#define JOB_HOST_MAX	256

enum hop_tls { TLS_OFF, TLS_OPPORTUNISTIC, TLS_REQUIRED, TLS_PROVEN, TLS_IMPLICIT };

struct target {
	char		 host[JOB_HOST_MAX];	/* "" of an address literal */
	struct str	 path;			/* of a socket; else empty */
	struct addr	 addr;			/* with its port */
	unsigned	 pref;
};

struct hop {
	struct str	key;
	bool		lmtp;
	enum hop_tls	tls;
	struct addr	source4, source6;	/* valid: to connect from */
	struct target	targets[HOP_TARGETS];
	size_t		ntargets;
};

struct job_rcpt {
	unsigned	number;			/* in the envelope */
	struct str	addr, orcpt, notify;	/* the last two may be empty */
	bool		settled;		/* queue has its result */
	bool		later;			/* in another transaction */
};

/* All views look into the record that was parsed. */
struct job {
	char		id[JOB_ID_MAX];
	int		fd;			/* of the spool file, owned by the caller */
	off_t		at, len;		/* of the content in it */
	struct str	sender, body, ret, envid;
	bool		utf8;
	bool		no_bdat;		/* a server that offers it did not know it */
	struct hop	hop;
	struct job_rcpt	rcpts[REMOTE_RCPTS];
	size_t		nrcpts, nsettled;
};

bool	job_parse(struct str rec, struct job *);
/* Is there nothing above 127 in it? */
bool	is_ascii(struct str);

#endif
