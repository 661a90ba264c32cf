/* SPDX-License-Identifier: ISC
 *
 * TLS over a connected socket, by GnuTLS: version 1.2 at least, the chain and the host name
 * verified in the handshake, so that no byte of ours goes to a server that is not the one meant.
 * Nothing here waits: what would block says for which events of poll(2). The socket stays the
 * caller's. */
#ifndef MAILFILTER_TLS_H
#define MAILFILTER_TLS_H

#include <sys/types.h>

#include "common/err.h"

struct tls;

/* The certificates that are trusted: those in ca_file alone; NULL: those of the system. Unusable
 * ones are ERR_ACCOUNT. Some hundred, and never written to: who forks shares them. */
struct tls_trust;
int tls_trust_load(const char *ca_file, struct tls_trust **trust_r, struct err *err);
void tls_trust_free(struct tls_trust *trust);

/* For host (a name or an IP address) on fd. The trust must outlive it. */
int tls_new(int fd, const char *host, const struct tls_trust *trust, struct tls **tls_r,
	struct err *err);

/* Goes on with the handshake. 1: done, 0: wait for *events_r. ERR_ACCOUNT: the certificate does
 * not verify, with the reason; ERR_SESSION: anything else. */
int tls_handshake(struct tls *tls, short *events_r, struct err *err);

/* As recv(2) and send(2), but 0 means: wait for *events_r. The end of the connection is an error
 * as well. A send that had to wait is repeated with the same bytes. */
ssize_t tls_receive(
	struct tls *tls, void *data, size_t size, short *events_r, struct err *err);
ssize_t tls_send(
	struct tls *tls, const void *data, size_t size, short *events_r, struct err *err);

/* Says goodbye if that needs no waiting. */
void tls_free(struct tls *tls);

#endif
