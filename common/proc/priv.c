/*
 * common/proc/priv.c - gives up root for good. Runs as root (or as whoever
 * started a rootless suite) and trusts only the user database.
 */
#include "common/proc/priv.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

bool
priv_is_root(void)
{
	return geteuid() == 0;
}

/* Does every way back to root fail? */
static int
check_gone(uid_t uid, gid_t gid, struct diag *why)
{
	uid_t	ruid, euid, suid;
	gid_t	rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) == -1 ||
	    getresgid(&rgid, &egid, &sgid) == -1)
		return diag_errno(why, "getresuid");
	if (ruid != uid || euid != uid || suid != uid)
		return diag_set(why, "user is %u/%u/%u after the change to %u",
		    ruid, euid, suid, uid);
	if (rgid != gid || egid != gid || sgid != gid)
		return diag_set(why, "group is %u/%u/%u after the change to %u",
		    rgid, egid, sgid, gid);
	if (setuid(0) != -1 || seteuid(0) != -1 ||
	    setresuid((uid_t)-1, 0, (uid_t)-1) != -1)
		return diag_set(why, "user %u can still become root", uid);
	if (gid != 0 && (setgid(0) != -1 || setegid(0) != -1))
		return diag_set(why, "user %u can still get group 0", uid);
	return 0;
}

/* The supplementary groups are set already. */
static int
drop(uid_t uid, gid_t gid, struct diag *why)
{
	if (setresgid(gid, gid, gid) == -1)
		return diag_errno(why, "setresgid %u", gid);
	if (setresuid(uid, uid, uid) == -1)
		return diag_errno(why, "setresuid %u", uid);
	return check_gone(uid, gid, why);
}

static int
find_user(const char *user, uid_t *uid, gid_t *gid, struct diag *why)
{
	struct passwd	*pw;

	errno = 0;
	if ((pw = getpwnam(user)) == NULL) {
		if (errno == 0)
			return diag_set(why, "user %s does not exist", user);
		return diag_errno(why, "look up user %s", user);
	}
	if (pw->pw_uid == 0)
		return diag_set(why, "user %s is root", user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

static int
enter_dir(const char *dir, bool root, struct diag *why)
{
	if (chdir(dir) == -1)
		return diag_errno(why, "chdir %s", dir);
	if (!root)
		return 0;
	if (chroot(".") == -1)
		return diag_errno(why, "chroot %s", dir);
	if (chdir("/") == -1)
		return diag_errno(why, "chdir / in %s", dir);
	return 0;
}

int
priv_enter(const char *user, const char *dir, struct diag *why)
{
	bool	root = priv_is_root();
	uid_t	uid = 0;
	gid_t	gid = 0;

	/* The databases are out of reach once we are in the chroot. */
	if (root && user != NULL) {
		if (find_user(user, &uid, &gid, why) == -1)
			return -1;
		if (initgroups(user, gid) == -1)
			return diag_errno(why, "initgroups %s", user);
	}
	if (dir != NULL && enter_dir(dir, root, why) == -1)
		return -1;
	if (root && user != NULL)
		return drop(uid, gid, why);
	return 0;
}

int
priv_become(const char *user, uid_t uid, gid_t gid, struct diag *why)
{
	if (!priv_is_root()) {
		if (uid == geteuid() && uid == getuid())
			return 0;
		errno = EPERM;
		return diag_errno(why, "become user %u", uid);
	}
	if (uid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1) {
		errno = EINVAL;
		return diag_errno(why, "become user %u, group %u", uid, gid);
	}
	if (user != NULL && initgroups(user, gid) == -1)
		return diag_errno(why, "initgroups %s", user);
	if (user == NULL && setgroups(0, NULL) == -1)
		return diag_errno(why, "setgroups");
	return drop(uid, gid, why);
}

int
priv_harden(bool no_new_privs)
{
	struct rlimit	none = { 0, 0 };

	(void)umask(077);
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return -1;
	/* Also keeps processes of the same user from tracing us and from our /proc files. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return 0;
}

#ifdef PH_SANITIZE
/*
 * The leak checker traces its own process, which no hardened one allows; it
 * asks this function at exit whether to begin.
 */
int	__lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1 ||
	    prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}
#endif
