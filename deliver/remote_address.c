/* deliver/remote_address.c - A-labels by libidn2. */
#include "deliver/remote_address.h"

#include <idn2.h>
#include <string.h>

#include "common/fmt/path.h"
#include "deliver/remote_job.h"

static struct str
domain_of(struct str addr)
{
	const char	*at = memrchr(addr.p, '@', addr.n);

	if (at == NULL)
		return (struct str){ addr.p, 0 };
	return (struct str){ at + 1, (size_t)(addr.p + addr.n - at) - 1 };
}

bool
address_wire(struct buf *b, struct str addr, bool utf8)
{
	struct str	 domain = domain_of(addr), local = addr;
	char		 name[DOMAIN_MAX * 2], *ascii = NULL;
	bool		 ok;

	if (utf8 || is_ascii(addr))
		return buf_addstr(b, addr) == 0;
	local.n -= domain.n;
	if (!is_ascii(local) || str_copy(name, sizeof(name), domain) == -1 ||
	    idn2_to_ascii_8z(name, &ascii, IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	ok = buf_addstr(b, local) == 0 && buf_adds(b, ascii) == 0;
	idn2_free(ascii);
	return ok;
}

bool
address_same_domain(struct str a, struct str b)
{
	return str_eq_nocase(domain_of(a), domain_of(b));
}
