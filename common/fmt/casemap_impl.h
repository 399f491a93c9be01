/* common/fmt/casemap_impl.h - what the files of casemap.h share. */
#ifndef FMT_CASEMAP_IMPL_H
#define FMT_CASEMAP_IMPL_H

#include "common/fmt/casemap.h"

#define CASEMAP_GROWTH	11	/* at most so many bytes of one: U+FDFA */

char	casemap_upper(char);

#endif
