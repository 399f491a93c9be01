/* pop3d/capa.h - what front and session answer alike: what is offered, and in which language. */
#ifndef POP3D_CAPA_H
#define POP3D_CAPA_H

#include "pop3d/talk.h"

/* What a connection of which this is known is offered; without STLS. */
void	capa_offer(struct talk_offer *, const struct settings *, const struct mechanism_facts *);
/* CAPA (RFC 2449, 5). */
void	capa_say(struct talk *);
/* LANG (RFC 6856, 3): a language range, "*", or nothing for the list. */
void	capa_lang(struct talk *, struct str range);

#endif
