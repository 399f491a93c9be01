/*
 * master/control.h - the protocol of run/control. V status | reload | stop
 * -> V ok or V bad with T text. After "stop" the connection ends with the master.
 */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#define CONTROL_VERB	'V'
#define CONTROL_TEXT	'T'

#endif
