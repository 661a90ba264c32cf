/* SPDX-License-Identifier: ISC
 *
 * What a scanner says of one message. There is no fifth verdict: what cannot be read as one of
 * these is RETRY. Names, signatures and details come from outside: untrusted. */
#ifndef COMMON_VERDICT_H
#define COMMON_VERDICT_H

#include "common/edits.h"
#include "common/hash.h"

enum verdict_kind {
	VERDICT_RETRY, /* none, and not the mail's fault: hold it. 0, so that a zeroed verdict holds */
	VERDICT_CLEAN,
	VERDICT_INFECTED,    /* findings say what; edits take it out */
	VERDICT_UNSCANNABLE, /* reason says why */
};

enum verdict_reason {
	REASON_NONE,
	REASON_ENCRYPTED,
	REASON_UNSUPPORTED,
	REASON_LIMIT,
	REASON_TIMEOUT,
	REASON_CRASH,
	REASON_MALFORMED,
	REASON_ERROR,
};
enum {
	VERDICT_REASONS = REASON_ERROR + 1
};

enum {
	FINDING_PART_MAX = 64,
	FINDING_NAME_MAX = 256,
	FINDING_TYPE_MAX = 128,
	FINDING_SIGNATURE_MAX = 128,
	FINDINGS_MAX = 1024,
	VERDICT_DETAIL_MAX = 256,
};

struct finding {
	char part[FINDING_PART_MAX]; /* "1.2"; "" is the whole message */
	char name[FINDING_NAME_MAX]; /* of the attachment, may be empty */
	char type[FINDING_TYPE_MAX]; /* "application/zip" */
	uint64_t size;               /* bytes, encoded as in the message */
	char signature[FINDING_SIGNATURE_MAX];
	struct hash hash; /* SHA-256 of the part as it is when saved: decoded */
};

struct verdict {
	enum verdict_kind kind;
	enum verdict_reason
		reason; /* of UNSCANNABLE; with INFECTED: what else remains, or NONE */
	/* A sentence for people, may be empty; see verdict_allowed. */
	char detail[VERDICT_DETAIL_MAX];
	struct finding *findings;
	size_t finding_count;
	struct edits edits;     /* INFECTED: original to cleaned */
	struct hash message;    /* SHA-256 of the bytes that were scanned */
	struct hash cleaned;    /* INFECTED: SHA-256 of the message after the edits */
	uint64_t generation;    /* of the signatures */
	struct hash signatures; /* their digest where the client knows it; not sent */
	uint32_t milliseconds;  /* the scan took */
};

void verdict_done(struct verdict *verdict);

/* Append one finding, copied. Past FINDINGS_MAX: ERR_MESSAGE. */
int verdict_add_finding(
	struct verdict *verdict, const struct finding *finding, struct err *err);

/* How the detail begins where something was passed over because the client allows it. */
#define VERDICT_ALLOWED "allowed: "

/* What that was, or NULL: "Eicar-Test-Signature". */
const char *verdict_allowed(const struct verdict *verdict);

/* "clean", "infected", "unscannable", "retry"; "" for REASON_NONE, "encrypted", ... */
const char *verdict_name(enum verdict_kind kind);
const char *verdict_reason_name(enum verdict_reason reason);

#endif
