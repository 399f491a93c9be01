/*
 * route/value.h - what stands in aliases.cdb and virtual.cdb. Keys are in
 * lower case and without quotes: "info"; "ann@example.net", "@example.net". A
 * value is a record: each place holds for the targets behind it.
 */
#ifndef ROUTE_VALUE_H
#define ROUTE_VALUE_H

#define ALIASES_TABLE	"aliases.cdb"
#define VIRTUAL_TABLE	"virtual.cdb"

#define VALUE_PLACE	'L'	/* "file:line" of the entry, or in an included file */
#define VALUE_ADDRESS	'A'	/* local@domain, local, or @domain for "the same at" */
#define VALUE_USER	'U'	/* "\name": this user and no alias */
#define VALUE_PIPE	'P'
#define VALUE_FILE	'F'

#endif
