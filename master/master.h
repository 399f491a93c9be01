/*
 * master/master.h - the state of posthouse(8) while it runs; one struct, made
 * in main. Runs as root, reads nothing that came from the network but the
 * fields that auth passed on (session.c), which it checks.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/proc/child.h"
#include "common/proc/settings.h"
#include "master/plan.h"

#define MASTER_SOCKETS	14	/* listening places of a service: with the conf and a file they fit in one packet */
#define MASTER_FILES	2	/* for a program, see files.c */
#define PATH_SIZE	4096
#define CERTIFICATE_FILES 3	/* certificate with chain, key, OCSP response */
#define MASTER_CLIENTS	8	/* control connections at a time */
#define MASTER_TRIES	3	/* starts of a program before the first readiness fails */
#define MASTER_READY_MS	300000	/* a queue of a million messages has to be read */
#define MASTER_STEADY_MS 60000	/* ran so long: its next death is a first one again */
#define MASTER_GRACE_MS	2000	/* over stop-timeout, for those who use all of it themselves */
#define MASTER_ASK_MS	1000	/* how long status waits for answers */

enum program_state { STATE_OFF, STATE_STARTING, STATE_RUNNING, STATE_BACKOFF, STATE_STOPPING };

struct listener {
	char	name[CHILD_NAME_MAX];	/* in PH_FDS */
	char	place[128];		/* "127.0.0.1:25" as in the configuration, or a path */
	int	fd;
};

struct program {
	const struct program_plan *plan;
	enum program_state	 state;
	pid_t			 pid;		/* 0: none */
	int			 link;		/* -1: none */
	int64_t			 started;
	int64_t			 due;		/* BACKOFF: start then; STOPPING: kill then */
	unsigned		 delay;		/* seconds of the last back-off */
	unsigned		 deaths;	/* since it last ran for a minute */
	unsigned		 restarts;
	int64_t			 asked, answered; /* status requests; 0: never */
	unsigned		 owed;		/* answers to them that are still to come */
	char			 counters[256];
	struct listener		 listeners[MASTER_SOCKETS];
	size_t			 nlisteners;
};

struct client {			/* someone at run/control */
	int		 fd;		/* -1: free */
	bool		 wants_status;
	int64_t		 since;
};

struct session {
	pid_t		 pid;
	const char	*service;	/* "imap" */
	char		*user;
};

/* A login that waits for room: see session_held.c. */
#define MASTER_HELD	8
#define MASTER_HELD_MS	300

struct held {
	struct program	*auth;
	pid_t		 pid;		/* of auth then */
	struct buf	 rec;
	int		 fd;
	int64_t		 due;		/* then it is refused */
	unsigned	 reaped;	/* of the master's, then */
};

struct stray {			/* workers that outlived their program */
	pid_t		 pgid;
};

/* A new configuration on its way in: see reload.c. */
enum reload_step { RELOAD_NONE, RELOAD_PROVE, RELOAD_CHECK, RELOAD_COMPILE, RELOAD_KEYS, RELOAD_TOLD };

struct reload {
	enum reload_step  step;
	struct settings	 *settings;	/* the new ones */
	pid_t		  pid;		/* of route, or of keys check */
	int64_t		  due;		/* KEYS, TOLD: how long they are waited for */
	int		  said;		/* read end of its stderr, -1 */
	bool		  again;	/* asked for once more meanwhile */
	struct buf	  text;
	struct listener	  listeners[ID_COUNT][MASTER_SOCKETS];
	size_t		  nlisteners[ID_COUNT];
	int		  client;	/* index of who waits for the answer, -1: a signal */
};

/* Files that are looked at while we run: see watch.c. */
#define WATCH_FILES	2048
enum watch_action { WATCH_CERTIFICATES, WATCH_LISTENERS, WATCH_USERS, WATCH_COUNT };

struct stamp {
	dev_t		 dev;
	ino_t		 ino;
	off_t		 size;
	struct timespec	 written, changed;
};

struct watched {
	char			*path;
	enum watch_action	 action;
	struct stamp		 seen;
};

struct watch {
	struct watched	*files;
	size_t		 n;
	int64_t		 due;
	bool		 wanted[WATCH_COUNT];	/* something changed, and the action is still to be done */
};

struct master {
	const char	*conf;		/* absolute path */
	bool		 foreground;
	struct settings	*settings;
	int		 log[2];	/* 0: read end, for log alone */
	int		 signals, control, pidfile, spool_lock;
	int64_t		 accept_due;	/* nobody is accepted before */
	int		 tell;		/* -F: -1; else whoever waits for our readiness */
	int64_t		 started, pinged;
	bool		 made_certificate;	/* at the start */
	bool		 ready;		/* all of them have been, once */
	struct program	 programs[ID_COUNT];
	struct client	 clients[MASTER_CLIENTS];
	struct session	*sessions;
	size_t		 nsessions;
	unsigned	 reaped;	/* sessions that have ended, ever */
	struct held	 held[MASTER_HELD];
	size_t		 nheld;
	int		 session_filter[2];	/* of their sandbox: [1] of those that may give their client back; 0: not made yet */
	struct stray	*groups;
	size_t		 ngroups;
	struct reload	 reload;
	struct {			/* route, while it makes them: tables.c */
		pid_t	pid;		/* 0: it does not */
		int	said;		/* what it says, for its end */
	}		 tables;
	struct watch	 watch;
	bool		 stopping, killed;
	unsigned	 stop_step;
	int64_t		 stop_due;
	int		 status;	/* of the process in the end */
};

/* setup.c: directories, locks, sockets, tables. -1: *why. */
int	setup_all(struct master *, struct diag *) must_check;
/* May the configuration be believed? Also asked at each reload. */
int	setup_check_conf(const char *path, struct diag *) must_check;
/* A directory of ours that nobody else can write to. */
int	setup_make_dir(const char *, struct diag *) must_check;
void	setup_remove(struct master *);		/* sockets and pid file, at the end */

/* sockets.c */
int	sockets_named(struct master *, struct diag *) must_check;
int	sockets_control(struct master *, struct diag *) must_check;
/* The listening sockets of a service: those of old that are still wanted (their descriptors are shared), and new ones. */
int	sockets_listen(const struct settings *, enum program_id, const struct listener *old,
	    size_t nold, struct listener *, size_t *, struct diag *) must_check;
/* Closes those of a that are not in b. */
void	sockets_drop(const struct listener *a, size_t na, const struct listener *b, size_t nb);

/* files.c: can all be opened that has to be? -1: *why. */
int	files_check(const struct settings *, struct diag *) must_check;
/* The files of a program, for files_close; one that cannot be opened is logged and left out: its reader decides. */
size_t	files_open(const struct settings *, enum program_id, struct child_fd[MASTER_FILES]);
void	files_close(struct child_fd *, size_t);

/* certificates.c: how many pairs, and the file of pair i that is its certificate (0), key (1) or OCSP response (2). */
size_t	certificates_count(const struct settings *);
int	certificates_path(const struct settings *, size_t i, size_t kind, char *, size_t) must_check;
/* All of them to keys, before a "reload". How many could not be opened; each is logged, and *why is about the first. */
size_t	certificates_give(const struct settings *, int link, struct diag *why);
/* If there are none to be given, and none was made before, one is made, of which the log is to be told. -1: *why. */
int	certificates_make(const struct settings *, bool *made, struct diag *) must_check;
void	certificates_say_made(const struct settings *);
/* keys proves that the files of tls.certificate can be read and fit; log or -1, its stderr. Its pid; -1: *why. */
pid_t	certificates_check(const struct settings *, int log, int err, struct diag *why) must_check;
/* The same, waited for. -1: *why, or keys has said it on stderr and *why is "". */
int	certificates_prove(const struct settings *, struct diag *why) must_check;

/* program.c: one program's life. */
void	program_start(struct master *, struct program *, int64_t now);
void	program_readable(struct master *, struct program *, int64_t now);
void	program_died(struct master *, struct program *, int status, int64_t now);
void	program_stop(struct master *, struct program *, int64_t now);
void	program_time(struct master *, struct program *, int64_t now);
void	program_ask(struct program *, int64_t now);	/* for its status */
/* The same, behind all that it has been told: when it owes no answer any more it has done that. */
void	program_ask_last(struct program *);
bool	program_wanted(const struct master *, const struct program *);
const char *program_state_name(enum program_state);
/* "exit status 70 (...)" or "signal 11 (...)". */
const char *exit_text(int status, char *, size_t);

/* loop.c */
int	loop_run(struct master *);		/* the status to exit with */

/* stop.c */
void	stop_begin(struct master *, int status, int64_t now);
bool	stop_advance(struct master *, int64_t now);	/* is all of it over? */
void	stop_keep_group(struct master *, pid_t);
void	stop_check_groups(struct master *);

/* session.c */
void	session_request(struct master *, struct program *, struct str rec, int fd);
/* The same, for a login that may be held until due. */
void	session_try(struct master *, struct program *, struct str rec, int fd, int64_t due);
bool	session_reap(struct master *, pid_t, int status);
void	session_signal(const struct master *, int);

/* session_held.c. False: it cannot wait. */
bool	session_hold(struct master *, struct program *, struct str rec, int fd, int64_t due);
void	session_time(struct master *, int64_t now);

/* tables.c: the users' files have changed. False: not now. */
bool	tables_compile(struct master *);
bool	tables_reap(struct master *, pid_t, int status);

/* reload.c */
/* route with a flag, its messages to err: pid or -1. */
pid_t	reload_spawn_route(const struct settings *, const char *flag, int log, int err) must_check;
/* Line by line into the log: "EVENT why=". */
void	reload_log_reasons(const char *event, struct str);
void	reload_begin(struct master *, int client, int64_t now);
void	reload_said(struct master *);		/* its pipe is readable */
bool	reload_reap(struct master *, pid_t, int status, int64_t now);
/* keys serves the certificates that it was given last: the listeners shall fetch them. */
void	reload_keys_loaded(struct master *, int64_t now);
void	reload_time(struct master *, int64_t now);
/* route's flag "-c" or "-t" over the settings, waited for; its stderr is ours. Wait status or -1. */
int	reload_route(const struct settings *, const char *flag, struct diag *) must_check;

/* watch.c */
void	watch_begin(struct watch *, const struct settings *, int64_t now);
void	watch_forget(struct watch *);
void	watch_time(struct master *, int64_t now);

/* tell.c: the present configuration to a program that runs. */
int	tell_settings(const struct master *, const struct program *) must_check;
/* To one that runs or is to run from now on, or not any more; who cannot be told is started anew. */
void	tell_switch(struct master *, struct program *, int64_t now);
/* The files alone are read anew: by keys and then by the listeners, or by these. False: not while a reload is under way. */
bool	tell_keys(struct master *);
bool	tell_listeners(struct master *);

/* control.c */
void	control_accept(struct master *);
void	control_readable(struct master *, struct client *, int64_t now);
void	control_answer(struct master *, int client, bool ok, struct str text);
void	control_time(struct master *, int64_t now);	/* status answers that are due */

/* daemon.c */
int	daemon_detach(struct master *, struct diag *) must_check; /* the parent does not return */
void	daemon_tell(struct master *, int status, const char *);	/* readiness, or why not */

/* command.c: posthouse status, reload, stop: exit status. */
int	command_send(const char *conf, const char *verb);
int	command_check(const char *conf);	/* -n */
/* Becomes user(8) with its arguments, which begin with its name; returns only if it cannot. */
int	command_user(const char *conf, char *const argv[]);

#endif
