/* auth/pam_shadow.c - a password and its shadow(5), where there is no PAM. Runs as root in a child for one login. */
#include <errno.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>

#include "auth/pam.h"
#include "auth/verify.h"

#define DAY		86400
#define SHADOW_ROOM	16384

/* What is tried for those who are not there; no password fits it. */
#define DUMMY		"$y$j9T$0123456789abcdefghijkl$" \
			"0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

static enum pam_verdict
expiry(const struct spwd *sp, int64_t today, const char **why)
{
	if (sp->sp_expire > 0 && today >= sp->sp_expire) {
		*why = "the account has expired";
		return VERDICT_DENIED;
	}
	if (sp->sp_lstchg == 0 || (sp->sp_lstchg > 0 && sp->sp_max >= 0 &&
	    sp->sp_max < 99999 && today > sp->sp_lstchg + sp->sp_max)) {
		*why = "the password has expired";
		return VERDICT_DENIED;
	}
	return VERDICT_OK;
}

static enum pam_verdict
check(const struct spwd *sp, const struct pam_question *q, int64_t now,
    const char **why)
{
	struct crypt_data	*scratch;
	struct str		 record = STR(DUMMY);
	bool			 ok;

	if ((scratch = calloc(1, sizeof(*scratch))) == NULL)
		return VERDICT_TEMP;
	/* no braces: a shadow has nothing but hashes of crypt(5) */
	if (sp != NULL && sp->sp_pwdp[0] != '{')
		record = str_from(sp->sp_pwdp);
	ok = verify_password(record, str_from(q->pass), scratch);
	free(scratch);
	if (sp != NULL && ok)
		return expiry(sp, now / DAY, why);
	*why = "wrong password";
	return VERDICT_WRONG;
}

enum pam_verdict
pam_shadow_check(const struct pam_question *q, int64_t now, const char **why)
{
	struct spwd		 sp, *found = NULL;
	enum pam_verdict	 v;
	char			*room;
	int			 e;

	if ((room = malloc(SHADOW_ROOM)) == NULL)
		return VERDICT_TEMP;
	e = getspnam_r(q->user, &sp, room, SHADOW_ROOM, &found);
	if (found == NULL && e != 0 && e != ENOENT && e != ESRCH) {
		*why = "shadow cannot be read";
		v = VERDICT_TEMP;
	} else
		v = check(found, q, now, why);
	explicit_bzero(room, SHADOW_ROOM);
	free(room);
	return v;
}
