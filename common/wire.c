/* SPDX-License-Identifier: ISC */
#include "common/wire.h"

#include <stdio.h>
#include <string.h>

#include "common/pack.h"

enum {
	MAGIC = 0x4d46, /* "MF" */
};

void wire_message_done(struct wire_message *message)
{
	verdict_done(&message->verdict);
	allow_done(&message->request.allow);
	memset(message, 0, sizeof(*message));
}

static bool has_data(enum wire_type type)
{
	return type == WIRE_REQUEST || type == WIRE_CHUNK;
}

/* HELLO, PING and STATE are about no request; a refusal may be of a frame without an id. */
static bool id_fits(enum wire_type type, uint64_t id)
{
	if (type == WIRE_REFUSE)
		return true;
	return (id == 0) ==
	       (type == WIRE_HELLO || type == WIRE_PING || type == WIRE_STATE);
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool data_fits(const struct wire_message *message)
{
	if (message->data.len > WIRE_CHUNK_MAX)
		return false;
	if (message->type == WIRE_REQUEST)
		return message->data.len <= message->request.size;
	return message->data.len > 0 && message->offset <= UINT64_MAX - message->data.len;
}

static void pack_finding(struct pack *pack, const struct finding *finding)
{
	pack_text(pack, finding->part, sizeof(finding->part));
	pack_text(pack, finding->name, sizeof(finding->name));
	pack_text(pack, finding->type, sizeof(finding->type));
	pack_u64(pack, finding->size);
	pack_text(pack, finding->signature, sizeof(finding->signature));
	pack_bytes(pack, finding->hash.bytes, HASH_SIZE);
}

static void pack_edits(struct pack *pack, const struct edits *edits)
{
	size_t bytes = 0;

	if (edits->count > EDITS_MAX) {
		pack_refuse(pack, "too many edits");
		return;
	}
	pack_u32(pack, (uint32_t)edits->count);
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->list[i];

		bytes += edit->text.len;
		if (edit->text.len > EDIT_TEXT_MAX || bytes > EDITS_BYTES_MAX) {
			pack_refuse(pack, "the edits are too long");
			return;
		}
		pack_u64(pack, edit->offset);
		pack_u64(pack, edit->length);
		pack_u16(pack, (uint16_t)edit->text.len);
		pack_bytes(pack, edit->text.data, edit->text.len);
	}
}

static void pack_verdict(struct pack *pack, const struct verdict *verdict)
{
	pack_u8(pack, (uint8_t)verdict->kind);
	pack_u8(pack, (uint8_t)verdict->reason);
	pack_u64(pack, verdict->generation);
	pack_u32(pack, verdict->milliseconds);
	pack_bytes(pack, verdict->message.bytes, HASH_SIZE);
	pack_bytes(pack, verdict->cleaned.bytes, HASH_SIZE);
	pack_text(pack, verdict->detail, sizeof(verdict->detail));
	if (verdict->finding_count > FINDINGS_MAX) {
		pack_refuse(pack, "too many findings");
		return;
	}
	pack_u32(pack, (uint32_t)verdict->finding_count);
	for (size_t i = 0; i < verdict->finding_count; i++)
		pack_finding(pack, &verdict->findings[i]);
	pack_edits(pack, &verdict->edits);
}

int wire_encode_verdict(const struct verdict *verdict, struct buf *out, struct err *err)
{
	struct pack pack;

	pack_init(&pack, out, err);
	pack_verdict(&pack, verdict);
	return pack_result(&pack);
}

int wire_encode(const struct wire_message *message, struct buf *head, struct err *err)
{
	struct pack pack;

	pack_init(&pack, head, err);
	if (!id_fits(message->type, message->id))
		pack_refuse(&pack, "the id does not fit the type");
	if (has_data(message->type) && !data_fits(message))
		pack_refuse(&pack, "the data do not fit the message");
	pack_u16(&pack, MAGIC);
	pack_u8(&pack, WIRE_VERSION);
	pack_u8(&pack, (uint8_t)message->type);
	pack_u64(&pack, message->id);
	switch (message->type) {
	case WIRE_HELLO:
		pack_text(&pack, message->name, sizeof(message->name));
		break;
	case WIRE_PING:
	case WIRE_CANCEL:
		break;
	case WIRE_STATE:
		wire_state_pack(&pack, &message->state);
		break;
	case WIRE_REQUEST:
		pack_u64(&pack, message->request.size);
		pack_text(&pack, message->request.quarantine_id,
			sizeof(message->request.quarantine_id));
		allow_pack(&pack, &message->request.allow);
		break;
	case WIRE_CHUNK:
	case WIRE_CREDIT:
		pack_u64(&pack, message->offset);
		break;
	case WIRE_VERDICT:
		pack_verdict(&pack, &message->verdict);
		break;
	case WIRE_REFUSE:
		pack_u8(&pack, (uint8_t)message->refusal);
		pack_text(&pack, message->text, sizeof(message->text));
		break;
	}
	return pack_result(&pack);
}

/* -1 only if memory is short; anything else wrong stands in unpack. */
static int unpack_findings(
	struct unpack *unpack, struct verdict *verdict, struct err *err)
{
	uint32_t count = unpack_u32(unpack);

	unpack_expect(unpack, count <= FINDINGS_MAX, "it has too many findings");
	for (uint32_t i = 0; i < count && !unpack->wrong; i++) {
		struct finding finding = { 0 };

		unpack_text(unpack, finding.part, sizeof(finding.part));
		unpack_text(unpack, finding.name, sizeof(finding.name));
		unpack_text(unpack, finding.type, sizeof(finding.type));
		finding.size = unpack_u64(unpack);
		unpack_text(unpack, finding.signature, sizeof(finding.signature));
		unpack_bytes(unpack, finding.hash.bytes, HASH_SIZE);
		if (!unpack->wrong && verdict_add_finding(verdict, &finding, err) < 0)
			return -1;
	}
	return 0;
}

static int unpack_edits(struct unpack *unpack, struct edits *edits, struct err *err)
{
	uint32_t count = unpack_u32(unpack);
	size_t bytes = 0;

	unpack_expect(unpack, count <= EDITS_MAX, "it has too many edits");
	for (uint32_t i = 0; i < count && !unpack->wrong; i++) {
		uint64_t offset = unpack_u64(unpack);
		uint64_t length = unpack_u64(unpack);
		size_t text_len = unpack_u16(unpack);
		struct span text;

		unpack_expect(unpack, text_len <= EDIT_TEXT_MAX, "an edit is too long");
		text = unpack_span(unpack, text_len);
		bytes += text.len;
		unpack_expect(unpack, bytes <= EDITS_BYTES_MAX, "the edits are too long");
		if (!unpack->wrong && edits_add(edits, offset, length, text, err) < 0)
			return -1;
	}
	return 0;
}

/* A newer scanner may know verdicts that we do not: then the message is held, never passed. */
static void keep_known(struct verdict *verdict, unsigned kind, unsigned reason)
{
	if (kind <= VERDICT_UNSCANNABLE && reason <= REASON_ERROR) {
		verdict->kind = (enum verdict_kind)kind;
		verdict->reason = (enum verdict_reason)reason;
		return;
	}
	verdict_done(verdict);
	(void)snprintf(verdict->detail, sizeof(verdict->detail),
		"the scanner gave a verdict that is not known here (%u, reason %u)", kind,
		reason);
}

static int unpack_verdict(struct unpack *unpack, struct verdict *verdict, struct err *err)
{
	unsigned kind = unpack_u8(unpack);
	unsigned reason = unpack_u8(unpack);

	verdict->generation = unpack_u64(unpack);
	verdict->milliseconds = unpack_u32(unpack);
	unpack_bytes(unpack, verdict->message.bytes, HASH_SIZE);
	unpack_bytes(unpack, verdict->cleaned.bytes, HASH_SIZE);
	unpack_text(unpack, verdict->detail, sizeof(verdict->detail));
	if (unpack_findings(unpack, verdict, err) < 0 ||
		unpack_edits(unpack, &verdict->edits, err) < 0)
		return -1;
	if (!unpack->wrong)
		keep_known(verdict, kind, reason);
	return 0;
}

static void unpack_refusal(struct unpack *unpack, struct wire_message *message)
{
	unsigned value = unpack_u8(unpack);

	unpack_expect(unpack, value >= WIRE_BUSY && value <= WIRE_UNKNOWN,
		"its refusal is unknown");
	if (!unpack->wrong)
		message->refusal = (enum wire_refusal)value;
	unpack_text(unpack, message->text, sizeof(message->text));
}

/* -1 only if memory is short. */
static int unpack_body(
	struct unpack *unpack, struct wire_message *message, struct err *err)
{
	switch (message->type) {
	case WIRE_HELLO:
		unpack_text(unpack, message->name, sizeof(message->name));
		break;
	case WIRE_PING:
	case WIRE_CANCEL:
		break;
	case WIRE_STATE:
		wire_state_unpack(unpack, &message->state);
		break;
	case WIRE_REQUEST:
		message->request.size = unpack_u64(unpack);
		unpack_text(unpack, message->request.quarantine_id,
			sizeof(message->request.quarantine_id));
		unpack_expect(unpack, printable(message->request.quarantine_id),
			"its quarantine id is not printable");
		return allow_unpack(unpack, &message->request.allow, err);
	case WIRE_CHUNK:
	case WIRE_CREDIT:
		message->offset = unpack_u64(unpack);
		break;
	case WIRE_VERDICT:
		return unpack_verdict(unpack, &message->verdict, err);
	case WIRE_REFUSE:
		unpack_refusal(unpack, message);
		break;
	}
	return 0;
}

/* The first twelve bytes, the same in every version. */
static void unpack_start(
	struct unpack *unpack, unsigned *version_r, unsigned *type_r, uint64_t *id_r)
{
	unpack_expect(
		unpack, unpack_u16(unpack) == MAGIC, "it is no frame of this protocol");
	*version_r = unpack_u8(unpack);
	*type_r = unpack_u8(unpack);
	*id_r = unpack_u64(unpack);
}

static int decode(struct unpack *unpack, const struct span *frames, size_t frame_count,
	struct wire_message *message, struct err *err)
{
	unsigned version, type;

	unpack_expect(unpack, frames[0].len <= WIRE_HEAD_MAX, "its head is too long");
	unpack_start(unpack, &version, &type, &message->id);
	unpack_expect(unpack, version == WIRE_VERSION, "its version is not known here");
	unpack_expect(
		unpack, type >= WIRE_HELLO && type <= WIRE_REFUSE, "its type is unknown");
	if (unpack->wrong)
		return 0;
	message->type = (enum wire_type)type;
	unpack_expect(unpack, frame_count == (has_data(message->type) ? 2 : 1),
		"it has the wrong number of frames");
	unpack_expect(unpack, id_fits(message->type, message->id), "its id does not fit");
	if (!unpack->wrong && unpack_body(unpack, message, err) < 0)
		return -1;
	unpack_expect(unpack, unpack->rest.len == 0, "bytes follow its end");
	if (!unpack->wrong && has_data(message->type)) {
		message->data = frames[1];
		unpack_expect(unpack, data_fits(message), "its data do not fit");
	}
	return 0;
}

int wire_decode(const struct span *frames, size_t frame_count,
	struct wire_message *message_r, struct err *err)
{
	struct unpack unpack = { 0 };
	int rc;

	memset(message_r, 0, sizeof(*message_r));
	if (frame_count < 1 || frame_count > 2)
		return err_set(err, ERR_MESSAGE,
			"malformed message: it has the wrong number of frames");
	unpack.rest = frames[0];
	rc = decode(&unpack, frames, frame_count, message_r, err);
	if (rc == 0 && unpack.wrong)
		rc = err_set(err, ERR_MESSAGE, "malformed message: %s", unpack.wrong);
	if (rc < 0)
		wire_message_done(message_r);
	return rc;
}

uint64_t wire_peek_id(const struct span *frames, size_t frame_count)
{
	struct unpack unpack = { .rest = frame_count > 0 ? frames[0]
							 : (struct span){ 0 } };
	unsigned version, type;
	uint64_t id;

	unpack_start(&unpack, &version, &type, &id);
	return unpack.wrong ? 0 : id;
}

int wire_decode_verdict(struct span bytes, struct verdict *verdict_r, struct err *err)
{
	struct unpack unpack = { .rest = bytes };
	int rc;

	memset(verdict_r, 0, sizeof(*verdict_r));
	rc = unpack_verdict(&unpack, verdict_r, err);
	unpack_expect(&unpack, unpack.rest.len == 0, "bytes follow its end");
	if (rc == 0 && unpack.wrong)
		rc = err_set(err, ERR_MESSAGE, "malformed verdict: %s", unpack.wrong);
	if (rc < 0)
		verdict_done(verdict_r);
	return rc;
}
