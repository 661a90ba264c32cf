/* SPDX-License-Identifier: ISC */
#include "scanner/parts.h"

#include <string.h>

#include "common/buf.h"

static const char *const texts[PARTS_TEXTS] = { "CL_TYPE_TEXT_ASCII", "CL_TYPE_TEXT_UTF8",
	"CL_TYPE_HTML" };

/* With LF for each CR LF, and without line ends behind the last byte. */
static int hash_of_text(struct span text, struct hash *hash_r, struct err *err)
{
	auto_buf struct buf lines;
	size_t len;

	while (text.len > 0 &&
		(text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
		text.len--;
	buf_init(&lines, text.len);
	for (; text.len > 0; text = span_part(text, len, text.len)) {
		const uint8_t *lf = memchr(text.data, '\n', text.len);
		size_t cr;

		len = lf ? (size_t)(lf - text.data) + 1 : text.len;
		cr = lf && len > 1 && lf[-1] == '\r';
		if (buf_add(&lines, text.data, len - (lf ? 1 + cr : 0), err) < 0 ||
			(lf && buf_add(&lines, "\n", 1, err) < 0))
			return -1;
	}
	return hash_span(buf_span(&lines), hash_r, err);
}

static unsigned text_kind(const char *type)
{
	for (unsigned i = 0; i < PARTS_TEXTS; i++)
		if (strcmp(type, texts[i]) == 0)
			return 1U << i;
	return 0;
}

static int add(struct parts *parts, const struct engine_layer *layer,
	const struct hash *hash, struct err *err)
{
	unsigned kind = text_kind(layer->type);
	size_t size = layer->bytes.len % PARTS_SIZES;
	struct hash text;

	seen_add(&parts->exact, hash);
	parts->sizes[size / 64] |= (uint64_t)1 << size % 64;
	if (kind == 0)
		return 0;
	if (hash_of_text(layer->bytes, &text, err) < 0)
		return -1;
	for (unsigned i = 0; i < PARTS_TEXTS; i++)
		if (kind & 1U << i)
			seen_add(&parts->texts[i], &text);
	return 0;
}

void parts_start(struct parts *parts)
{
	parts->is_mail = parts->has_more = false;
	parts->text = 0;
}

/* A part that libclamav's mail parser took out is scanned as if it came alone (1.4, cli_magic_scan):
 * its type is found anew from its bytes, embedded files are looked for, nothing is cached. It ends
 * before all of it was looked at for the reasons a scan of its own would, or at what the others used
 * up: time, size and number of files, depth; then there is word of it, as of any error, and the mail
 * is not clean. The other way round signatures for what is in a mail match here alone. (Only a
 * mail whose own hash ClamAV's list of false positives has makes a difference: all in it is allowed
 * then.) Not so what is below a part; a stretch of the mail, which is no file and has the type that
 * it was taken for; and what was taken out of a disk image that the mail seems to be (DMG) or by
 * bytecode, which has no name. */
static bool is_part(
	const struct parts *parts, const struct engine_layer *layer, uint32_t depth)
{
	return parts->is_mail && depth == 0 && layer->level == 1 && layer->is_file &&
	       layer->name && layer->name[0];
}

int parts_meet(struct parts *parts, const struct engine_layer *layer, uint32_t depth,
	const struct hash *hash, struct err *err)
{
	if (depth == 0 && layer->level == 0) {
		parts->text = text_kind(layer->type);
		parts->is_mail =
			parts->is_open && strcmp(layer->type, "CL_TYPE_MAIL") == 0;
		return 0;
	}
	parts->has_more = true;
	return is_part(parts, layer, depth) ? add(parts, layer, hash, err) : 0;
}

bool parts_were_text(const struct parts *parts, unsigned kinds)
{
	return !parts->has_more && (parts->text & kinds);
}

int parts_find(
	const struct parts *parts, struct span bytes, bool *found_r, struct err *err)
{
	size_t size = bytes.len % PARTS_SIZES;
	struct hash hash;

	*found_r = false;
	if (!(parts->sizes[size / 64] & (uint64_t)1 << size % 64))
		return 0;
	if (hash_span(bytes, &hash, err) < 0)
		return -1;
	*found_r = seen_has(&parts->exact, &hash);
	return 0;
}

int parts_find_text(
	const struct parts *parts, struct span bytes, unsigned *kinds_r, struct err *err)
{
	struct hash text;
	unsigned kinds = 0;

	*kinds_r = 0;
	if (parts->texts[0].count + parts->texts[1].count + parts->texts[2].count == 0)
		return 0;
	if (hash_of_text(bytes, &text, err) < 0)
		return -1;
	for (unsigned i = 0; i < PARTS_TEXTS; i++)
		if (seen_has(&parts->texts[i], &text))
			kinds |= 1U << i;
	*kinds_r = kinds;
	return 0;
}

void parts_done(struct parts *parts)
{
	seen_done(&parts->exact);
	for (unsigned i = 0; i < PARTS_TEXTS; i++)
		seen_done(&parts->texts[i]);
	*parts = (struct parts){ 0 };
}
