/* SPDX-License-Identifier: ISC */
#include "mailfilter/tls.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "common/defer.h"

struct tls_trust {
	gnutls_certificate_credentials_t credentials;
};

struct tls {
	gnutls_session_t session;
	bool established;
	char host[256];
};

/* Everything NORMAL allows except the versions RFC 8996 retired. */
static const char priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static void tls_defer(struct tls **tls)
{
	tls_free(*tls);
}

static bool is_address(const char *host)
{
	uint8_t address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 ||
	       inet_pton(AF_INET6, host, address) == 1;
}

static int read_trust(struct tls_trust *trust, const char *ca_file, struct err *err)
{
	int count;

	if (!ca_file) {
		count = gnutls_certificate_set_x509_system_trust(trust->credentials);
		if (count <= 0)
			return err_set(err, ERR_ACCOUNT,
				"the system trusts no certificate authority: install "
				"ca-certificates or set tls-ca");
		return 0;
	}
	count = gnutls_certificate_set_x509_trust_file(
		trust->credentials, ca_file, GNUTLS_X509_FMT_PEM);
	if (count < 0)
		return err_set(err, ERR_ACCOUNT, "tls-ca %s: %s", ca_file,
			gnutls_strerror(count));
	if (count == 0)
		return err_set(
			err, ERR_ACCOUNT, "tls-ca %s: no PEM certificate in it", ca_file);
	return 0;
}

void tls_trust_free(struct tls_trust *trust)
{
	if (!trust)
		return;
	if (trust->credentials)
		gnutls_certificate_free_credentials(trust->credentials);
	free(trust);
}

static void trust_defer(struct tls_trust **trust)
{
	tls_trust_free(*trust);
}

int tls_trust_load(const char *ca_file, struct tls_trust **trust_r, struct err *err)
{
	DEFER(trust_defer) struct tls_trust *trust = calloc(1, sizeof(*trust));

	if (!trust || gnutls_certificate_allocate_credentials(&trust->credentials) < 0)
		return err_memory(err);
	if (read_trust(trust, ca_file, err) < 0)
		return -1;
	*trust_r = take_ptr(&trust);
	return 0;
}

static int setup(struct tls *tls, int fd, const struct tls_trust *trust, struct err *err)
{
	int result;

	result = gnutls_priority_set_direct(tls->session, priority, NULL);
	if (result >= 0)
		result = gnutls_credentials_set(
			tls->session, GNUTLS_CRD_CERTIFICATE, trust->credentials);
	/* RFC 6066 allows no address as server name. */
	if (result >= 0 && !is_address(tls->host))
		result = gnutls_server_name_set(
			tls->session, GNUTLS_NAME_DNS, tls->host, strlen(tls->host));
	if (result < 0)
		return err_set(err, ERR_ACCOUNT, "TLS for %s: %s", tls->host,
			gnutls_strerror(result));
	gnutls_session_set_verify_cert(tls->session, tls->host, 0);
	gnutls_transport_set_int(tls->session, fd);
	/* Our deadlines are the stream's. */
	gnutls_handshake_set_timeout(tls->session, 0);
	return 0;
}

int tls_new(int fd, const char *host, const struct tls_trust *trust, struct tls **tls_r,
	struct err *err)
{
	DEFER(tls_defer) struct tls *tls = NULL;

	if (strlen(host) >= sizeof(tls->host))
		return err_set(err, ERR_ACCOUNT, "the host name is too long");
	tls = calloc(1, sizeof(*tls));
	if (!tls)
		return err_memory(err);
	memcpy(tls->host, host, strlen(host) + 1);
	if (gnutls_init(&tls->session,
		    GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		return err_memory(err);
	if (setup(tls, fd, trust, err) < 0)
		return -1;
	*tls_r = take_ptr(&tls);
	return 0;
}

/* The first reason that a person can act on. */
static const char *status_text(unsigned status)
{
	static const struct {
		unsigned bit;
		const char *text;
	} reasons[] = {
		{ GNUTLS_CERT_REVOKED, "it is revoked" },
		{ GNUTLS_CERT_EXPIRED, "it has expired" },
		{ GNUTLS_CERT_NOT_ACTIVATED, "it is not valid yet" },
		{ GNUTLS_CERT_INSECURE_ALGORITHM, "its signature is too weak" },
		{ GNUTLS_CERT_SIGNER_NOT_FOUND, "unknown issuer" },
		{ GNUTLS_CERT_SIGNER_NOT_CA, "its issuer is no authority" },
		{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "its issuer may not issue it" },
		{ GNUTLS_CERT_PURPOSE_MISMATCH, "it is not for servers" },
		{ GNUTLS_CERT_SIGNATURE_FAILURE, "its signature is wrong" },
		{ GNUTLS_CERT_UNEXPECTED_OWNER, "it is for another host name" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (status & reasons[i].bit)
			return reasons[i].text;
	}
	return "it does not verify";
}

static int not_verified(struct tls *tls, struct err *err)
{
	unsigned status = gnutls_session_get_verify_cert_status(tls->session);
	const char *hint = "";

	/* What can be done, and by whom. */
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		hint = " (who runs the server must renew it, unless the clock here is wrong)";
	else if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		hint = " (tls-ca names other authorities)";
	else if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
		hint = " (name the host as its certificate does)";
	return err_set(err, ERR_ACCOUNT, "the certificate of %s is refused: %s%s",
		tls->host, status_text(status), hint);
}

static short wanted(const struct tls *tls)
{
	return gnutls_record_get_direction(tls->session) == 1 ? POLLOUT : POLLIN;
}

static bool must_wait(ssize_t result)
{
	return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED ||
	       result == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

static int failed(const struct tls *tls, ssize_t result, struct err *err)
{
	if (result == GNUTLS_E_FATAL_ALERT_RECEIVED)
		return err_set(err, ERR_SESSION, "TLS with %s: the server says: %s",
			tls->host, gnutls_alert_get_name(gnutls_alert_get(tls->session)));
	if (result == GNUTLS_E_UNEXPECTED_PACKET_LENGTH ||
		result == GNUTLS_E_UNEXPECTED_PACKET)
		return err_set(err, ERR_SESSION,
			"TLS with %s: the answer is not TLS (is the port right?)",
			tls->host);
	return err_set(err, ERR_SESSION, "TLS with %s: %s", tls->host,
		gnutls_strerror((int)result));
}

int tls_handshake(struct tls *tls, short *events_r, struct err *err)
{
	int result = gnutls_handshake(tls->session);

	if (result == GNUTLS_E_SUCCESS) {
		tls->established = true;
		return 1;
	}
	if (must_wait(result)) {
		*events_r = wanted(tls);
		return 0;
	}
	if (result == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR ||
		result == GNUTLS_E_CERTIFICATE_ERROR)
		return not_verified(tls, err);
	return failed(tls, result, err);
}

ssize_t tls_receive(
	struct tls *tls, void *data, size_t size, short *events_r, struct err *err)
{
	ssize_t result = gnutls_record_recv(tls->session, data, size);

	if (result > 0)
		return result;
	if (must_wait(result)) {
		*events_r = wanted(tls);
		return 0;
	}
	/* A request to negotiate again (TLS 1.2) is refused with the rest. */
	if (result == 0 || result == GNUTLS_E_PREMATURE_TERMINATION)
		return err_set(err, ERR_SESSION, "the server closed the connection");
	return failed(tls, result, err);
}

ssize_t tls_send(
	struct tls *tls, const void *data, size_t size, short *events_r, struct err *err)
{
	ssize_t result = gnutls_record_send(tls->session, data, size);

	if (result > 0)
		return result;
	if (result == 0 || must_wait(result)) {
		*events_r = POLLOUT;
		return 0;
	}
	return failed(tls, result, err);
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	if (tls->session) {
		if (tls->established)
			(void)gnutls_bye(tls->session, GNUTLS_SHUT_WR);
		gnutls_deinit(tls->session);
	}
	free(tls);
}
