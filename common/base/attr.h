/* common/base/attr.h - what the compiler is told about our functions. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define must_check		__attribute__((warn_unused_result))
#define printf_like(f, a)	__attribute__((format(printf, f, a)))

#ifndef nitems
#define nitems(a)		(sizeof(a) / sizeof((a)[0]))
#endif

#endif
