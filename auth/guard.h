/*
 * auth/guard.h - against guessing: networks that are shut out, clients and users that fail too often. What is held here
 * is shared by all services.
 */
#ifndef AUTH_GUARD_H
#define AUTH_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct job;

/* May this client try at all, on this service? NULL, or the kind of failure; *why is for the log. */
const char *guard_client(const struct job *, const char **why);
/* With the user's name, known or not. NULL, or the kind of failure. */
const char *guard_user(const struct job *, const char **why);
/* How long it waits before the secret is checked, because this client fails, or all the world with this name; ms. */
int64_t	guard_hold(const struct job *);
/* Are as many secrets of this client being checked as it may still fail with? Then it has to come again. */
bool	guard_is_full(const struct job *);
/* The secret was wrong: how long the answer is held back, from when the question came; ms. */
int64_t	guard_failed(const struct job *, int64_t now);
void	guard_succeeded(const struct job *);

#endif
