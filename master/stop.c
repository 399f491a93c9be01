/*
 * master/stop.c - the end, in order: first those who talk to the network,
 * so that nothing new comes in; last the log, so that it hears of everything.
 */
#include "master/master.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/proc/ready.h"

/*
 * A listener that died leaves workers behind that finish their sessions. We
 * are their reaper (PR_SET_CHILD_SUBREAPER), so the number of their process
 * group cannot become another's before we have seen the last of them.
 */
void
stop_keep_group(struct master *m, pid_t pgid)
{
	struct stray	*more;

	if (kill(-pgid, 0) == -1 && errno == ESRCH)
		return;
	more = reallocarray(m->groups, m->ngroups + 1, sizeof(*more));
	if (more == NULL) {
		kill(-pgid, SIGTERM);
		return;
	}
	m->groups = more;
	m->groups[m->ngroups++].pgid = pgid;
}

void
stop_check_groups(struct master *m)
{
	size_t	i = 0;

	while (i < m->ngroups) {
		if (kill(-m->groups[i].pgid, 0) == -1 && errno == ESRCH)
			m->groups[i] = m->groups[--m->ngroups];
		else
			i++;
	}
}

static void
signal_strays(const struct master *m, int sig)
{
	size_t	i;

	for (i = 0; i < m->ngroups; i++)
		kill(-m->groups[i].pgid, sig);
	session_signal(m, sig);
}

static void
begin_step(struct master *m, int64_t now)
{
	size_t	i;

	m->killed = false;
	m->stop_due = now + m->settings->stop_timeout + MASTER_GRACE_MS;
	signal_strays(m, SIGTERM);
	for (i = 0; i < ID_COUNT; i++)
		if (m->programs[i].plan->stop_step == m->stop_step)
			program_stop(m, &m->programs[i], now);
}

void
stop_begin(struct master *m, int status, int64_t now)
{
	if (m->stopping)
		return;
	log_info("stopping sessions=%zu", m->nsessions);
	if (ready_notify("STOPPING=1\nSTATUS=stopping") == -1)
		log_debug("notify failed");
	m->stopping = true;
	m->status = status;
	m->stop_step = 0;
	begin_step(m, now);
}

/* Programs have their own time limit in program_time. */
static bool
step_done(struct master *m, int64_t now)
{
	size_t	i;

	for (i = 0; i < ID_COUNT; i++)
		if (m->programs[i].plan->stop_step == m->stop_step &&
		    m->programs[i].pid != 0)
			return false;
	if (m->ngroups == 0 && m->nsessions == 0)
		return true;
	if (now < m->stop_due)
		return false;
	if (m->killed)
		return true;
	log_warn("kill sessions=%zu groups=%zu why=\"did not stop in time\"",
	    m->nsessions, m->ngroups);
	signal_strays(m, SIGKILL);
	m->killed = true;
	m->stop_due = now + MASTER_GRACE_MS;
	return false;
}

bool
stop_advance(struct master *m, int64_t now)
{
	if (!m->stopping)
		return false;
	while (step_done(m, now)) {
		if (++m->stop_step == PLAN_STOP_STEPS)
			return true;
		if (m->stop_step == PLAN_STOP_STEPS - 1)
			log_info("stopped status=%d", m->status);
		begin_step(m, now);
	}
	return false;
}
