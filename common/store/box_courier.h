/* common/store/box_courier.h - the text of courierpop3dsizelist, by which Courier's POP3 server remembers names for UIDL; pure. */
#ifndef STORE_BOX_COURIER_H
#define STORE_BOX_COURIER_H

#include <stdbool.h>

#include "common/base/str.h"

#define COURIER_NAME_SIZE	64

/* Takes the first line, of the version that is known. */
bool	courier_head(struct str *text);
/* Takes the next line that says something: a message's base name, and what it is called; "": as its file. False: there is none. */
bool	courier_next(struct str *text, struct str *base, char name[COURIER_NAME_SIZE]);

#endif
