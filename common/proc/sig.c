/*
 * common/proc/sig.c - signals become bits and a readable descriptor. Linked
 * into every daemon; the flags are the only mutable globals of the suite
 * besides the log sink.
 */
#include "common/proc/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const struct {
	int		signo;
	unsigned	event;
} table[] = {
	{ SIGTERM,	SIG_EV_TERM },
	{ SIGINT,	SIG_EV_TERM },
	{ SIGHUP,	SIG_EV_HUP },
	{ SIGCHLD,	SIG_EV_CHLD },
	{ SIGUSR1,	SIG_EV_USR1 },
};

static volatile sig_atomic_t	came[nitems(table)];
static volatile int		stopping;
static int			wake[2] = { -1, -1 };

static void
handler(int signo)
{
	int	saved = errno;
	size_t	i;

	for (i = 0; i < nitems(table); i++)
		if (table[i].signo == signo) {
			came[i] = 1;
			if (table[i].event == SIG_EV_TERM)
				stopping = 1;
		}
	/* A full pipe is readable already. */
	if (wake[1] != -1 && write(wake[1], "", 1) == -1)
		errno = saved;
	errno = saved;
}

static int
set_handlers(unsigned mask)
{
	struct sigaction	sa;
	sigset_t		open;
	size_t			i;

	sigemptyset(&open);
	for (i = 0; i < nitems(table); i++) {
		sa = (struct sigaction){ .sa_flags = SA_RESTART | SA_NOCLDSTOP };
		sa.sa_handler = mask & table[i].event ? handler : SIG_DFL;
		sigemptyset(&sa.sa_mask);
		if (sigaction(table[i].signo, &sa, NULL) == -1)
			return -1;
		sigaddset(&open, table[i].signo);
	}
	sa = (struct sigaction){ .sa_handler = SIG_IGN };
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGPIPE, &sa, NULL) == -1)
		return -1;
	return sigprocmask(SIG_UNBLOCK, &open, NULL);
}

static int
new_pipe(void)
{
	int	old[2] = { wake[0], wake[1] }, fresh[2];

	if (pipe2(fresh, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	wake[0] = fresh[0];
	wake[1] = fresh[1];
	if (old[0] != -1) {
		close(old[0]);
		close(old[1]);
	}
	return 0;
}

int
sig_init(unsigned mask)
{
	if (new_pipe() == -1 || set_handlers(mask) == -1)
		return -1;
	return wake[0];
}

unsigned
sig_take(void)
{
	unsigned	events = 0;
	char		drain[64];
	size_t		i;
	ssize_t		n;

	/* First the pipe, then the flags: a signal in between wakes us once too often, never once too little. */
	do
		n = read(wake[0], drain, sizeof(drain));
	while (n == (ssize_t)sizeof(drain) || (n == -1 && errno == EINTR));
	for (i = 0; i < nitems(table); i++)
		if (came[i]) {
			came[i] = 0;
			events |= table[i].event;
		}
	return events;
}

int
sig_wake_fd(void)
{
	return wake[0];
}

const volatile int *
sig_stop_flag(void)
{
	return &stopping;
}

int
sig_after_fork(unsigned mask)
{
	size_t	i;

	if (new_pipe() == -1)
		return -1;
	/* A TERM that came since the fork was meant for us: it stays. */
	for (i = 0; i < nitems(table); i++)
		if (table[i].event != SIG_EV_TERM)
			came[i] = 0;
	if (stopping && write(wake[1], "", 1) == -1)
		return -1;
	if (set_handlers(mask) == -1)
		return -1;
	return wake[0];
}

bool
sig_is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL ||
	    sig == SIGABRT || sig == SIGFPE || sig == SIGSYS;
}
