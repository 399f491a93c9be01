/* route/sender.h - may this user send as this address? A part of the engine. */
#ifndef ROUTE_SENDER_H
#define ROUTE_SENDER_H

#include "route/walk.h"

/* Always leaves a decision: 250, 553 or 451. */
void	sender_decide(struct walk *, const struct engine_ask *);

#endif
