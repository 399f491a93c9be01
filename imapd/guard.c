/*
 * imapd/guard.c - a jump out of a SIGBUS. The kernel raises it for the very access that failed, and only in code of ours that reads what
 * is mapped: no library function is left half-way that is used afterwards. A handler that only said BYE would not know what is still
 * in the connection's buffer, or that it is compressed.
 */
#include "imapd/guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static sigjmp_buf	back;

/* What a process sent is none of a mapping. */
static void
handler(int signo, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code > 0 && info->si_code != SI_KERNEL)
		siglongjmp(back, 1);
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
}

static int
catch_it(bool on)
{
	struct sigaction	sa = { .sa_flags = 0 };

	if (on) {
		sa.sa_sigaction = handler;
		sa.sa_flags = SA_SIGINFO;
	} else
		sa.sa_handler = SIG_DFL;
	sigemptyset(&sa.sa_mask);
	return sigaction(SIGBUS, &sa, NULL);
}

bool
guard_run(void (*run)(struct session *), struct session *s)
{
	volatile bool	whole = false;

	if (sigsetjmp(back, 1) == 0) {
		if (catch_it(true) == -1)
			return false;
		run(s);
		whole = true;
	}
	return catch_it(false) == 0 && whole;
}
