/* auth/user_ask.c - passwords: asked for, made up, and turned into records. */
#include <err.h>
#include <errno.h>
#include <readpassphrase.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/user.h"
#include "common/fmt/base64.h"
#include "common/fmt/saslprep.h"

/* One byte at a time: what stands behind the line is for whoever reads on. */
static int
read_line(char pass[AUTH_PASS_MAX + 1])
{
	size_t	n = 0;
	ssize_t	r;
	char	c;

	while ((r = read(STDIN_FILENO, &c, 1)) != 0) {
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1) {
			warn("stdin");
			return -1;
		}
		if (c == '\n')
			break;
		if (n == AUTH_PASS_MAX || c == '\0') {
			warnx("the password is too long or has a NUL in it");
			return -1;
		}
		pass[n++] = c;
	}
	if (n > 0 && pass[n - 1] == '\r')
		n--;
	pass[n] = '\0';
	return 0;
}

static int
ask(const char *prompt, char *pass, size_t size)
{
	if (readpassphrase(prompt, pass, size, RPP_REQUIRE_TTY) == NULL) {
		warn("terminal (--stdin reads from stdin)");
		return -1;
	}
	if (strlen(pass) > AUTH_PASS_MAX) {
		warnx("the password is longer than %d bytes", AUTH_PASS_MAX);
		return -1;
	}
	return 0;
}

static int
ask_terminal(bool fresh, char pass[AUTH_PASS_MAX + 1])
{
	char	one[AUTH_PASS_MAX + 2], two[AUTH_PASS_MAX + 2];
	int	r = -1;

	if (ask(fresh ? "New password: " : "Password: ", one,
	    sizeof(one)) == 0 &&
	    (!fresh || ask("Again: ", two, sizeof(two)) == 0)) {
		if (fresh && strcmp(one, two) != 0)
			warnx("the two are not the same");
		else {
			strlcpy(pass, one, AUTH_PASS_MAX + 1);
			r = 0;
		}
	}
	explicit_bzero(one, sizeof(one));
	explicit_bzero(two, sizeof(two));
	return r;
}

int
user_ask(const struct user_opts *o, bool fresh, char pass[AUTH_PASS_MAX + 1])
{
	int	r;

	if (o->from_stdin || !isatty(STDIN_FILENO))
		r = read_line(pass);
	else
		r = ask_terminal(fresh, pass);
	if (r == 0 && pass[0] == '\0') {
		warnx("no password, expected one of 1 to %d bytes",
		    AUTH_PASS_MAX);
		r = -1;
	}
	if (r == -1)
		explicit_bzero(pass, AUTH_PASS_MAX + 1);
	return r;
}

void
user_random(char *out, size_t size)
{
	static const char	letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
	size_t			i;

	for (i = 0; i + 1 < size && i < 23; i++)
		out[i] = i % 6 == 5 ? '-' :
		    letters[arc4random_uniform(sizeof(letters) - 1)];
	out[i] = '\0';
}

/* A plain text may hold what ends a field or a word. */
static bool
fits_a_line(struct str record)
{
	size_t	i;

	for (i = 0; i < record.n; i++)
		if ((unsigned char)record.p[i] <= ' ' || record.p[i] == ':' ||
		    record.p[i] == 0x7f)
			return false;
	return true;
}

/* As clients of SCRAM have it; auth tries this form first. */
static const char *
prepared(const char *pass, char out[AUTH_PASS_MAX + 1])
{
	return saslprep(str_from(pass), out, AUTH_PASS_MAX + 1) == 0 ? out :
	    pass;
}

static int
make(const struct scheme *s, unsigned long cost, const char *pass,
    struct buf *out)
{
	int	r;

	if (buf_reserve(out, USER_PASSWORD_MAX + 64) == -1 ||
	    scheme_make(s, str_from(pass), cost, out) == -1) {
		if (errno == EINVAL && cost != 0)
			warnx("cost %lu is out of bounds for %s", cost,
			    scheme_name(s));
		else
			warn("%s", scheme_name(s));
		return -1;
	}
	if (!fits_a_line(buf_view(out))) {
		explicit_bzero(out->p, out->n);
		buf_reset(out);
		r = buf_addf(out, "{%s.B64}", scheme_name(s)) == -1 ||
		    base64_encode(out, str_from(pass)) == -1 ? -1 : 0;
		if (r == -1)
			warn("%s", scheme_name(s));
	} else
		r = 0;
	if (r == 0 && out->n > USER_PASSWORD_MAX) {
		warnx("the password is too long to be kept as %s",
		    scheme_name(s));
		r = -1;
	}
	return r;
}

int
user_record(const struct scheme *s, unsigned long cost, const char *pass,
    struct buf *out)
{
	char	form[AUTH_PASS_MAX + 1];
	int	r;

	if (s == NULL)
		s = scheme_find(STR("CRYPT"));
	r = make(s, cost, prepared(pass, form), out);
	explicit_bzero(form, sizeof(form));
	return r;
}
