/* master/sandbox_test.h - `posthouse sandbox-test`: the profiles as measured on this kernel. */
#ifndef MASTER_SANDBOX_TEST_H
#define MASTER_SANDBOX_TEST_H

/* Prints the matrix of profiles and attempts; 0, or EX_SOFTWARE if any attempt got through that should not. */
int	sandbox_test(void);

#endif
