/*
 * route/value.h - what stands in the compiled tables. Keys are in lower case and
 * without quotes: "info" in aliases; "ann@example.net", "@example.net" in virtual
 * and senders, "*" in senders. A value is a record: each place holds for the
 * targets behind it.
 */
#ifndef ROUTE_VALUE_H
#define ROUTE_VALUE_H

#define ALIASES_TABLE	"aliases.cdb"
#define VIRTUAL_TABLE	"virtual.cdb"
#define SENDERS_TABLE	"senders.cdb"

enum table_kind { TABLE_ALIASES, TABLE_VIRTUAL, TABLE_SENDERS, TABLE_KINDS };

#define VALUE_PLACE	'L'	/* "file:line" of the entry, or in an included file */
#define VALUE_ADDRESS	'A'	/* local@domain, local, or @domain for "the same at" */
#define VALUE_USER	'U'	/* "\name": this user and no alias; senders: user, or "*" for all of them */
#define VALUE_PIPE	'P'
#define VALUE_FILE	'F'

#endif
