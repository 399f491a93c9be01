/*
 * auth/pam_check.c - is this a user of the system, and may it log in? Runs as
 * root in a child for one login; the name and the password came from the
 * network, through auth.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/pam.h"
#include "common/proc/priv.h"

enum pam_verdict
pam_check(const struct settings *st, const struct pam_question *q,
    struct user *u, const char **why)
{
	struct pam_question	 nobody = *q;
	enum pam_verdict	 v;
	char			*room;
	bool			 may;
	int			 r;

	*why = "";
	if (!priv_is_root()) {
		*why = "passwords of the system are for root to see";
		return VERDICT_TEMP;
	}
	if ((room = malloc(USERS_ROOM)) == NULL)
		return VERDICT_TEMP;
	r = users_system(q->user, room, USERS_ROOM, u);
	free(room);
	if (r == -1) {
		*why = "the database of users cannot be asked";
		return VERDICT_TEMP;
	}
	/*
	 * Nobody finds out root's password here: it is not tried, but time is
	 * spent on somebody who does not exist.
	 */
	may = r == 1 && u->uid != 0 && u->gid != 0 &&
	    (long long)u->uid >= st->local.min_uid;
	if (r == 1 && !may)
		strlcpy(nobody.user, "posthouse-nobody", sizeof(nobody.user));
	v = pam_module_is_there() ? pam_module_check(&nobody, why) :
	    pam_shadow_check(&nobody, (int64_t)time(NULL), why);
	explicit_bzero(&nobody, sizeof(nobody));
	if (may)
		return v;
	*why = r == 0 ? "unknown user" : "its number is below local.min-uid";
	return VERDICT_UNKNOWN;
}
