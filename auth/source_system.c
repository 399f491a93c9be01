/* auth/source_system.c - auth's side of its conversation with auth-pam. Runs as ph-auth. */
#include "auth/source_system.h"

#include <errno.h>
#include <string.h>

#include "auth/pam.h"
#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"

int
system_ask(const char *name, const char *password, const char *service,
    const char *client)
{
	struct buf	rec;
	int		fd;

	if ((fd = msg_connect_now(PAM_SOCKET)) == -1)
		return -1;
	buf_init(&rec, MSG_MAX);
	record_puts(&rec, PAM_USER_TAG, name);
	record_puts(&rec, PAM_PASS_TAG, password);
	record_puts(&rec, PAM_SERVICE_TAG, service);
	record_puts(&rec, PAM_CLIENT_TAG, client);
	if (!buf_ok(&rec) || msg_send(fd, &rec, NULL) == -1)
		fdio_close(&fd);
	buf_wipe(&rec);
	return fd;
}

static const struct {
	const char		*word;
	enum system_verdict	 verdict;
} verdicts[] = {
	{ "ok", SYSTEM_OK }, { "unknown", SYSTEM_UNKNOWN },
	{ "wrong", SYSTEM_WRONG }, { "denied", SYSTEM_DENIED },
};

/* The user as the system has it; root is nobody's. */
static bool
take_user(struct str rec, struct user *u)
{
	uint64_t	uid, gid;

	*u = (struct user){ .system = true };
	if (!record_gets(rec, PAM_USER_TAG, u->name, sizeof(u->name)) ||
	    !record_gets(rec, AUTH_HOME, u->home, sizeof(u->home)) ||
	    !record_getu(rec, AUTH_UID, UINT32_MAX - 1, &uid) ||
	    !record_getu(rec, AUTH_GID, UINT32_MAX - 1, &gid) || uid == 0)
		return false;
	u->uid = (uid_t)uid;
	u->gid = (gid_t)gid;
	return true;
}

enum system_verdict
system_answer(int fd, struct buf *rec, struct user *u, char why[SYSTEM_WHY_MAX])
{
	struct str	verdict;
	size_t		i;
	int		r;

	why[0] = '\0';
	if ((r = msg_recv(fd, rec, NULL)) == -1 && errno == EAGAIN)
		return SYSTEM_WAIT;
	if (r != 1 || !record_ok(buf_view(rec)) ||
	    !record_get(buf_view(rec), PAM_VERDICT_TAG, &verdict)) {
		strlcpy(why, "auth-pam gave no answer", SYSTEM_WHY_MAX);
		return SYSTEM_TEMP;
	}
	if (!record_gets(buf_view(rec), PAM_WHY_TAG, why, SYSTEM_WHY_MAX))
		why[0] = '\0';
	for (i = 0; i < nitems(verdicts); i++)
		if (str_eq(verdict, str_from(verdicts[i].word)))
			break;
	if (i == nitems(verdicts))
		return SYSTEM_TEMP;
	if (verdicts[i].verdict == SYSTEM_OK &&
	    !take_user(buf_view(rec), u)) {
		strlcpy(why, "auth-pam's answer is malformed", SYSTEM_WHY_MAX);
		return SYSTEM_TEMP;
	}
	return verdicts[i].verdict;
}
