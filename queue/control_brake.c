/* queue/control_brake.c - what postq orders about accounts: which are held, and that one is not any more. */
#include "queue/brake.h"
#include "queue/control.h"

#define ANSWER_FULL	45000u

static void
say(void *arg, const char *line)
{
	struct order	*o = arg;

	if (o->out->n < ANSWER_FULL)
		order_say(o, true, line);
}

bool
order_brake(struct order *o)
{
	brake_say(o->q, say, o);
	return true;
}

static bool
off(struct order *o, bool right)
{
	if (o->user.n == 0)
		return order_say(o, false, "whose brake?");
	/* who asks does not mind: it is off */
	return order_say(o, true, brake_off(o->q, o->user, right) ?
	    "the brake is off" : "the brake was not on");
}

bool
order_brake_release(struct order *o)
{
	return off(o, true);
}

bool
order_brake_drop(struct order *o)
{
	return off(o, false);
}
