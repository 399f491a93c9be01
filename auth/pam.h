/*
 * auth/pam.h - what auth asks of auth-pam(8): U name, P password, S service, C client; answered by V verdict: "ok"
 * with D uid, G gid, H home; "unknown", "wrong", "denied", "temp"; T why, for the log. One question a connection.
 */
#ifndef AUTH_PAM_H
#define AUTH_PAM_H

#include <sys/types.h>

#include "common/base/attr.h"
#include "common/proc/proto_auth.h"
#include "common/proc/settings.h"
#include "common/store/users.h"

#define PAM_SOCKET	"pam"		/* in the tables' directory, auth's root */
#define PAM_NAME	"posthouse"	/* /etc/pam.d/posthouse */
#define PAM_MS		30000		/* for a login; a module that takes longer is killed */
#define PAM_REQUEST_MS	5000		/* for the question to come */

#define PAM_USER_TAG	AUTH_USER
#define PAM_PASS_TAG	AUTH_PASS
#define PAM_SERVICE_TAG	AUTH_SERVICE
#define PAM_CLIENT_TAG	AUTH_CLIENT
#define PAM_VERDICT_TAG	AUTH_VERB
#define PAM_WHY_TAG	AUTH_TEXT

struct pam_question {
	char	user[USER_NAME_MAX + 1], pass[AUTH_PASS_MAX + 1];
	char	service[16], client[80];
};

enum pam_verdict { VERDICT_OK, VERDICT_UNKNOWN, VERDICT_WRONG, VERDICT_DENIED, VERDICT_TEMP };

/* pam_check.c: runs in a child of its own, as root. why is for the log. */
enum pam_verdict pam_check(const struct settings *, const struct pam_question *, struct user *, const char **why);
/* pam_module.c: is PAM built in and configured? What it says to a name and password. */
bool	pam_module_is_there(void);
enum pam_verdict pam_module_check(const struct pam_question *, const char **why);
/* pam_shadow.c: /etc/shadow alone. now: seconds since 1970. */
enum pam_verdict pam_shadow_check(const struct pam_question *, int64_t now, const char **why);

#endif
