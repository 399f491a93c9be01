/*
 * route/own.c - the addresses of this host, from rtnetlink(7): getifaddrs(3)
 * would need a new socket each time, which no sandbox here allows. Only the
 * kernel answers.
 */
#include "route/own.h"

#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define PIECE		32768	/* the kernel's pieces are not larger */
#define PIECES		256	/* of one answer */

/*
 * Of a tunnel IFA_ADDRESS is the other end, where there is IFA_LOCAL. Nothing is
 * written, but the macros for it know no const.
 */
static struct rtattr *
find_address(struct nlmsghdr *h)
{
	char		*p = (char *)IFA_RTA(NLMSG_DATA(h));
	size_t		 left = IFA_PAYLOAD(h), step;
	struct rtattr	*a, *found = NULL;

	while (left >= sizeof(*a)) {
		a = (void *)p;
		if (a->rta_len < sizeof(*a) || a->rta_len > left)
			break;
		if (a->rta_type == IFA_LOCAL ||
		    (a->rta_type == IFA_ADDRESS && found == NULL))
			found = a;
		step = RTA_ALIGN((size_t)a->rta_len);
		if (step > left)
			break;
		p += step;
		left -= step;
	}
	return found;
}

/* The address of one interface. */
static bool
take_address(struct nlmsghdr *h, struct addr *out)
{
	const struct ifaddrmsg	*ifa = NLMSG_DATA(h);
	struct rtattr		*found = find_address(h);
	struct sockaddr_in	 v4 = { .sin_family = AF_INET };
	struct sockaddr_in6	 v6 = { .sin6_family = AF_INET6 };

	if (found == NULL)
		return false;
	if (ifa->ifa_family == AF_INET &&
	    RTA_PAYLOAD(found) == sizeof(v4.sin_addr)) {
		memcpy(&v4.sin_addr, RTA_DATA(found), sizeof(v4.sin_addr));
		addr_from_sockaddr((struct sockaddr *)&v4, out);
	} else if (ifa->ifa_family == AF_INET6 &&
	    RTA_PAYLOAD(found) == sizeof(v6.sin6_addr)) {
		memcpy(&v6.sin6_addr, RTA_DATA(found), sizeof(v6.sin6_addr));
		addr_from_sockaddr((struct sockaddr *)&v6, out);
	} else
		return false;
	return out->valid;
}

/* 1: the answer is whole, 0: more has to come, -1: it is of no use. */
static int
take_piece(struct own *fresh, void *piece, size_t n, uint32_t serial)
{
	struct nlmsghdr	*h = piece;

	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_seq != serial)
			continue;	/* of a question that was given up */
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR ||
		    (h->nlmsg_flags & NLM_F_DUMP_INTR))
			return -1;	/* they change just now */
		if (h->nlmsg_type == RTM_NEWADDR && fresh->n < OWN_MAX &&
		    h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifaddrmsg)) &&
		    take_address(h, &fresh->addrs[fresh->n]))
			fresh->n++;
	}
	return 0;
}

static int
ask(int fd, struct own *fresh, uint32_t serial)
{
	struct {
		struct nlmsghdr		head;
		struct ifaddrmsg	what;
	} question = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(question.what)),
			.nlmsg_type = RTM_GETADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = serial
		},
		.what = { .ifa_family = AF_UNSPEC }
	};
	/* aligned for the headers in it */
	uint32_t	piece[PIECE / sizeof(uint32_t)];
	ssize_t		n;
	int		i, r = 0;

	fresh->n = 0;
	if (write(fd, &question, question.head.nlmsg_len) == -1)
		return -1;
	/* the descriptor does not block: the kernel has the next piece ready */
	for (i = 0; r == 0 && i < PIECES; i++) {
		if ((n = read(fd, piece, sizeof(piece))) <= 0)
			return -1;
		r = take_piece(fresh, piece, (size_t)n, serial);
	}
	return r == 1 ? 0 : -1;
}

static bool
same(const struct own *a, const struct own *b)
{
	size_t	i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (memcmp(a->addrs[i].ip, b->addrs[i].ip,
		    sizeof(a->addrs[i].ip)) != 0)
			return false;
	return a->n == b->n;
}

bool
own_refresh(struct own *own, int64_t now)
{
	struct own	fresh;

	if (own->fd == -1 || (own->asked != 0 && now - own->asked < OWN_MS))
		return false;
	own->asked = now;
	if (ask(own->fd, &fresh, (uint32_t)now) == -1 || same(&fresh, own))
		return false;
	memcpy(own->addrs, fresh.addrs, fresh.n * sizeof(fresh.addrs[0]));
	own->n = fresh.n;
	return true;
}

void
own_open(struct own *own, int64_t now)
{
	own->n = 0;
	own->asked = 0;
	own->fd = socket(AF_NETLINK,
	    SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	(void)own_refresh(own, now);
}

void
own_close(struct own *own)
{
	fdio_close(&own->fd);
}
