/*
 * auth/pam_module.c - what PAM says, under the service name "posthouse". Runs
 * as root in a child for one login: modules are code of others, that may hang.
 */
#include "auth/pam.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef PH_PAM
#include <security/pam_appl.h>

#define PAM_FILE	"/etc/pam.d/" PAM_NAME

struct talk {
	const char	*pass;
	bool		 given;		/* it has asked for it already */
};

bool
pam_module_is_there(void)
{
	return access(PAM_FILE, R_OK) == 0;
}

/* One hidden prompt is answered; what else it wants to know, a mail program cannot tell. */
static int
converse(int n, const struct pam_message **msg, struct pam_response **out,
    void *arg)
{
	struct talk		*t = arg;
	struct pam_response	*r;
	int			 i;

	*out = NULL;
	if (n < 1 || n > PAM_MAX_NUM_MSG ||
	    (r = calloc((size_t)n, sizeof(*r))) == NULL)
		return PAM_CONV_ERR;
	for (i = 0; i < n; i++) {
		if (msg[i]->msg_style == PAM_TEXT_INFO ||
		    msg[i]->msg_style == PAM_ERROR_MSG)
			continue;
		if (msg[i]->msg_style != PAM_PROMPT_ECHO_OFF || t->given ||
		    (r[i].resp = strdup(t->pass)) == NULL)
			goto fail;
		t->given = true;
	}
	*out = r;
	return PAM_SUCCESS;
fail:
	for (i = 0; i < n; i++)
		if (r[i].resp != NULL) {
			explicit_bzero(r[i].resp, strlen(r[i].resp));
			free(r[i].resp);
		}
	free(r);
	return PAM_CONV_ERR;
}

/* auth holds answers back, and does not make others wait for it. */
static void
no_delay(int status, unsigned usec, void *arg)
{
	(void)status;
	(void)usec;
	(void)arg;
}

static enum pam_verdict
not_authenticated(int status, const char **why)
{
	switch (status) {
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_PERM_DENIED:
		*why = "wrong password";
		return VERDICT_WRONG;
	case PAM_CONV_ERR:
		*why = "PAM asks for more than a password";
		return VERDICT_WRONG;
	}
	*why = "PAM: authentication is not possible";
	return VERDICT_TEMP;
}

static enum pam_verdict
not_acceptable(int status, const char **why)
{
	switch (status) {
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_AUTHTOK_EXPIRED:
		*why = "the password has expired";
		return VERDICT_DENIED;
	case PAM_ACCT_EXPIRED:
		*why = "the account has expired";
		return VERDICT_DENIED;
	case PAM_PERM_DENIED:
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
		*why = "PAM: the account may not log in";
		return VERDICT_DENIED;
	}
	*why = "PAM: the account cannot be looked at";
	return VERDICT_TEMP;
}

/* A module may find that it is somebody else: then it is not who was asked for. */
static bool
is_same(pam_handle_t *h, const char *user)
{
	const void	*name = NULL;

	return pam_get_item(h, PAM_USER, &name) == PAM_SUCCESS &&
	    name != NULL && strcmp(name, user) == 0;
}

static int
prepare(pam_handle_t *h, const struct pam_question *q)
{
	/* the item is a pointer to a function, whatever its type says */
	union {
		void	(*fn)(int, unsigned, void *);
		void	*p;
	} delay = { no_delay };

	if (pam_set_item(h, PAM_RHOST, q->client) != PAM_SUCCESS ||
	    pam_set_item(h, PAM_TTY, q->service) != PAM_SUCCESS)
		return -1;
	return pam_set_item(h, PAM_FAIL_DELAY, delay.p) == PAM_SUCCESS ? 0 :
	    -1;
}

enum pam_verdict
pam_module_check(const struct pam_question *q, const char **why)
{
	struct talk		 talk = { q->pass, false };
	const struct pam_conv	 conv = { converse, &talk };
	pam_handle_t		*h = NULL;
	enum pam_verdict	 v = VERDICT_OK;
	int			 status;

	if ((status = pam_start(PAM_NAME, q->user, &conv, &h)) !=
	    PAM_SUCCESS || prepare(h, q) == -1) {
		*why = "PAM does not start";
		v = VERDICT_TEMP;
	} else if ((status = pam_authenticate(h, PAM_SILENT |
	    PAM_DISALLOW_NULL_AUTHTOK)) != PAM_SUCCESS)
		v = not_authenticated(status, why);
	else if ((status = pam_acct_mgmt(h, PAM_SILENT |
	    PAM_DISALLOW_NULL_AUTHTOK)) != PAM_SUCCESS)
		v = not_acceptable(status, why);
	else if (!is_same(h, q->user)) {
		*why = "PAM: it is another user";
		v = VERDICT_DENIED;
	}
	if (h != NULL)
		(void)pam_end(h, status | PAM_DATA_SILENT);
	return v;
}
#else
bool
pam_module_is_there(void)
{
	return false;
}

enum pam_verdict
pam_module_check(const struct pam_question *q, const char **why)
{
	(void)q;
	*why = "PAM is not built in";
	return VERDICT_TEMP;
}
#endif
