/* imapd/fetch.h - answers of FETCH that no FETCH has asked for. */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapd/session.h"

/* "* 5 FETCH (...)" of one message; atts: "(UID FLAGS)", which has been parsed before. \Seen stays as it is. -1: errno. */
int	fetch_attributes(struct session *, struct str atts, size_t at) must_check;

#endif
