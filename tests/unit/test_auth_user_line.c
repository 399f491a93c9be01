/* tests/unit/test_auth_user_line.c - lines of passwd-files that the tool makes and changes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/user.h"

static const struct { const char *before, *after; } passwords[] = {
	{ "ann:old:1:2:g:/h:/s:quota=1G", "ann:NEW:1:2:g:/h:/s:quota=1G" },
	{ "ann:old", "ann:NEW::::::" },
	{ "ann::1:2::/h", "ann:NEW:1:2::/h::" },
	{ "ann:old:1:2::/h::mail=maildir:~/m app=a:imap:{SSHA}x:y\r",
	    "ann:NEW:1:2::/h::mail=maildir:~/m app=a:imap:{SSHA}x:y" },
	{ "ann::1:2::/h::nopassword", NULL },
};

START_TEST(password)
{
	struct buf	out;
	struct diag	why;
	int		r;

	buf_init(&out, 4096);
	r = user_line_password(str_from(passwords[_i].before), STR("NEW"),
	    &out, &why);
	ck_assert_int_eq(r, passwords[_i].after == NULL ? -1 : 0);
	if (r == 0)
		ck_assert_str_eq(buf_cstr(&out), passwords[_i].after);
	buf_free(&out);
}
END_TEST

static const struct {
	const char	*name, *fields[4];
	int		 n;
	const char	*line, *why;
} fresh[] = {
	{ "ann", { NULL }, 0, "ann:R::::::", NULL },
	{ "ann", { "uid=5", "gid=vmail", "home=/h", "quota=1G" }, 4,
	    "ann:R:5:vmail::/h::quota=1G", NULL },
	{ "ann", { "services=pop3", "gecos=Ann B" }, 2,
	    "ann:R:::Ann B:::services=pop3", NULL },
	{ "ann", { "master", "mail=maildir:~/x" }, 2,
	    "ann:R::::::master mail=maildir:~/x", NULL },
	{ "ann", { "home=h" }, 1, NULL, "bad home" },
	{ "ann", { "home=/h:x" }, 1, NULL, "colon" },
	{ "ann", { "quota=x" }, 1, NULL, "bad quota" },
	{ "ann", { "quote=1" }, 1, NULL, "expected uid=" },
	{ "ann", { "password=x" }, 1, NULL, "expected uid=" },
	{ "ann", { "services=pop3 master" }, 1, NULL, "expected uid=" },
	{ "ann", { "gecos=a\nroot:x" }, 1, NULL, "colon" },
	{ "ann", { "gecos=a\nroot" }, 1, NULL, "line end" },
	{ "-ann", { NULL }, 0, NULL, "bad user name" },
};

START_TEST(new_line)
{
	char		*fields[4];
	struct buf	 out;
	struct diag	 why = { "" };
	int		 i, r;

	for (i = 0; i < fresh[_i].n; i++)
		ck_assert_ptr_nonnull(fields[i] = strdup(fresh[_i].fields[i]));
	buf_init(&out, 4096);
	r = user_line_new(fresh[_i].name, STR("R"), fields, fresh[_i].n, &out,
	    &why);
	if (fresh[_i].line != NULL) {
		ck_assert_msg(r == 0, "%s", why.text);
		ck_assert_str_eq(buf_cstr(&out), fresh[_i].line);
	} else {
		ck_assert_int_eq(r, -1);
		ck_assert_msg(strstr(why.text, fresh[_i].why) != NULL, "%s",
		    why.text);
	}
	for (i = 0; i < fresh[_i].n; i++)
		free(fields[i]);
	buf_free(&out);
}
END_TEST

static const struct {
	const char	*before, *app, *services, *record, *after;
	bool		 found;
} apps[] = {
	{ "ann:p", "phone", "imap", "{R}", "ann:p::::::app=phone:imap:{R}",
	    false },
	{ "ann:p::::::quota=1G  master", "tv", "", "{R}",
	    "ann:p::::::quota=1G master app=tv::{R}", false },
	{ "ann:p::::::app=a::{X} app=tv::{Y}:z app=b::{Z}", "TV", "pop3",
	    "{R}", "ann:p::::::app=a::{X} app=b::{Z} app=TV:pop3:{R}", true },
	{ "ann:p::::::app=a::{X} app=tv::{Y}", "tv", "", "",
	    "ann:p::::::app=a::{X}", true },
	{ "ann:p::::::app=a::{X}", "tv", "", "", "ann:p::::::app=a::{X}",
	    false },
	{ "ann:p", "a:b", "", "{R}", NULL, false },
	{ "ann:p", "a b", "", "{R}", NULL, false },
	{ "ann:p", "a", "ftp", "{R}", NULL, false },
	{ "ann:p", "a", "imap master", "{R}", NULL, false },
};

START_TEST(app)
{
	struct buf	out;
	struct diag	why;
	bool		found;
	int		r;

	buf_init(&out, 4096);
	r = user_line_app(str_from(apps[_i].before), apps[_i].app,
	    apps[_i].services, str_from(apps[_i].record), &found, &out, &why);
	ck_assert_int_eq(r, apps[_i].after == NULL ? -1 : 0);
	if (r == 0) {
		ck_assert_str_eq(buf_cstr(&out), apps[_i].after);
		ck_assert_int_eq(found, apps[_i].found);
	}
	buf_free(&out);
}
END_TEST

START_TEST(records)
{
	struct buf	b;
	char		pass[40];

	buf_init(&b, 4096);
	ck_assert_int_eq(user_record(scheme_find(STR("plain")), 0, "a:b c",
	    &b), 0);
	ck_assert_str_eq(buf_cstr(&b), "{PLAIN.B64}YTpiIGM=");
	buf_reset(&b);
	ck_assert_int_eq(user_record(scheme_find(STR("plain")), 0, "abc", &b),
	    0);
	ck_assert_str_eq(buf_cstr(&b), "{PLAIN}abc");
	buf_free(&b);
	user_random(pass, sizeof(pass));
	ck_assert_uint_eq(strlen(pass), 23);
	ck_assert(pass[5] == '-' && pass[11] == '-' && pass[17] == '-');
	user_random(pass, 8);
	ck_assert_uint_eq(strlen(pass), 7);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_user_line");
	TCase	*t = tcase_create("auth_user_line");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, password, 0, nitems(passwords));
	tcase_add_loop_test(t, new_line, 0, nitems(fresh));
	tcase_add_loop_test(t, app, 0, nitems(apps));
	tcase_add_test(t, records);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
