/* SPDX-License-Identifier: ISC */
#include "common/pack.h"

#include <string.h>

void pack_init(struct pack *pack, struct buf *out, struct err *err)
{
	*pack = (struct pack){ .out = out, .err = err, .start = out->len };
}

void pack_bytes(struct pack *pack, const void *data, size_t len)
{
	if (!pack->failed && buf_add(pack->out, data, len, pack->err) < 0)
		pack->failed = true;
}

static void number(struct pack *pack, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
	pack_bytes(pack, bytes, size);
}

void pack_u8(struct pack *pack, uint8_t value)
{
	number(pack, value, 1);
}

void pack_u16(struct pack *pack, uint16_t value)
{
	number(pack, value, 2);
}

void pack_u32(struct pack *pack, uint32_t value)
{
	number(pack, value, 4);
}

void pack_u64(struct pack *pack, uint64_t value)
{
	number(pack, value, 8);
}

void pack_text(struct pack *pack, const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len >= size || len > UINT16_MAX) {
		pack_refuse(pack, "a text is too long");
		return;
	}
	pack_u16(pack, (uint16_t)len);
	pack_bytes(pack, text, len);
}

void pack_refuse(struct pack *pack, const char *what)
{
	if (!pack->failed)
		(void)err_set(pack->err, ERR_MESSAGE, "cannot encode: %s", what);
	pack->failed = true;
}

int pack_result(struct pack *pack)
{
	if (!pack->failed)
		return 0;
	pack->out->len = pack->start;
	return -1;
}

void unpack_expect(struct unpack *unpack, bool what, const char *wrong)
{
	if (what || unpack->wrong)
		return;
	unpack->wrong = wrong;
}

struct span unpack_span(struct unpack *unpack, size_t len)
{
	struct span taken;

	unpack_expect(unpack, len <= unpack->rest.len, "it is cut short");
	if (unpack->wrong)
		return (struct span){ NULL, 0 };
	taken = span_part(unpack->rest, 0, len);
	unpack->rest = span_part(unpack->rest, len, unpack->rest.len);
	return taken;
}

static uint64_t read_number(struct unpack *unpack, size_t size)
{
	struct span bytes = unpack_span(unpack, size);
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | bytes.data[i];
	return value;
}

uint8_t unpack_u8(struct unpack *unpack)
{
	return (uint8_t)read_number(unpack, 1);
}

uint16_t unpack_u16(struct unpack *unpack)
{
	return (uint16_t)read_number(unpack, 2);
}

uint32_t unpack_u32(struct unpack *unpack)
{
	return (uint32_t)read_number(unpack, 4);
}

uint64_t unpack_u64(struct unpack *unpack)
{
	return read_number(unpack, 8);
}

int64_t unpack_time(struct unpack *unpack, int64_t max_s, const char *wrong)
{
	const uint64_t time_s = unpack_u64(unpack);

	unpack_expect(unpack, time_s <= (uint64_t)max_s, wrong);
	return unpack->wrong ? 0 : (int64_t)time_s;
}

void unpack_bytes(struct unpack *unpack, void *data, size_t len)
{
	struct span bytes = unpack_span(unpack, len);

	memset(data, 0, len);
	if (bytes.len > 0)
		memcpy(data, bytes.data, bytes.len);
}

void unpack_text(struct unpack *unpack, char *text, size_t size)
{
	size_t len = unpack_u16(unpack);
	struct span bytes;

	text[0] = '\0';
	unpack_expect(unpack, len < size, "a text is too long");
	bytes = unpack_span(unpack, len);
	if (bytes.len == 0)
		return;
	unpack_expect(unpack, !memchr(bytes.data, 0, bytes.len), "a text holds a NUL");
	if (unpack->wrong)
		return;
	memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
}
