/* SPDX-License-Identifier: ISC */
#include "mailfilter/wrapping.h"

#include <string.h>

enum {
	FILE_MAX = 1024,
	ENCODED_LINE = 57, /* bytes in a base64 line of 76 characters */
	UU_LINE = 45,
};

/* In two halves: together they are the virus that every scanner knows. */
static const char half_one[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-";
static const char half_two[] = "ANTIVIRUS-TEST-FILE!$H+H*";
static const char harmless[] =
	"Nothing to see here, but as long as the other one is, nearly.";

static int add_file(bool virus, struct buf *out, struct err *err)
{
	if (!virus)
		return buf_add_str(out, harmless, err);
	if (buf_add_str(out, half_one, err) < 0)
		return -1;
	return buf_add_str(out, half_two, err);
}

/* RFC 4648, in lines for mail. */
static int add_base64(struct span bytes, struct buf *out, struct err *err)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.len; i += 3) {
		struct span three = span_part(bytes, i, 3);
		uint32_t bits = (uint32_t)three.data[0] << 16;
		char text[] = { '=', '=', '=', '=' };

		bits |= three.len > 1 ? (uint32_t)three.data[1] << 8 : 0;
		bits |= three.len > 2 ? three.data[2] : 0;
		for (size_t digit = 0; digit <= three.len; digit++)
			text[digit] = digits[bits >> (18 - 6 * digit) & 63];
		if (buf_add(out, text, sizeof(text), err) < 0)
			return -1;
		if ((i + 3) % ENCODED_LINE == 0 && buf_add_str(out, "\r\n", err) < 0)
			return -1;
	}
	return buf_add_str(out, "\r\n", err);
}

static char uu_digit(uint32_t bits)
{
	return (char)((bits & 63) == 0 ? '`' : ' ' + (bits & 63));
}

static int add_uu_line(struct span line, struct buf *out, struct err *err)
{
	if (buf_printf(out, err, "%c", uu_digit((uint32_t)line.len)) < 0)
		return -1;
	for (size_t i = 0; i < line.len; i += 3) {
		struct span three = span_part(line, i, 3);
		uint32_t bits = (uint32_t)three.data[0] << 16;

		bits |= three.len > 1 ? (uint32_t)three.data[1] << 8 : 0;
		bits |= three.len > 2 ? three.data[2] : 0;
		if (buf_printf(out, err, "%c%c%c%c", uu_digit(bits >> 18),
			    uu_digit(bits >> 12), uu_digit(bits >> 6),
			    uu_digit(bits)) < 0)
			return -1;
	}
	return buf_add_str(out, "\r\n", err);
}

static int add_uu(struct span bytes, struct buf *out, struct err *err)
{
	if (buf_add_str(out, "begin 644 test.com\r\n", err) < 0)
		return -1;
	for (size_t i = 0; i < bytes.len; i += UU_LINE)
		if (add_uu_line(span_part(bytes, i, UU_LINE), out, err) < 0)
			return -1;
	return buf_add_str(out, "`\r\nend\r\n", err);
}

static uint32_t crc32(struct span bytes)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= bytes.data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320U & -(crc & 1));
	}
	return ~crc;
}

static int add_little(struct buf *out, uint32_t value, size_t len, struct err *err)
{
	uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8),
		(uint8_t)(value >> 16), (uint8_t)(value >> 24) };

	return buf_add(out, bytes, len, err);
}

/* What local header and directory entry share: from the version needed to the name's length. */
static int add_zip_entry(
	struct span file, size_t name_len, struct buf *out, struct err *err)
{
	if (add_little(out, 10, 2, err) < 0 ||             /* version */
		add_little(out, 0, 4, err) < 0 ||          /* flags, method: stored */
		add_little(out, 0x5a210000, 4, err) < 0 || /* time, date */
		add_little(out, crc32(file), 4, err) < 0 ||
		add_little(out, (uint32_t)file.len, 4, err) < 0 ||
		add_little(out, (uint32_t)file.len, 4, err) < 0)
		return -1;
	return add_little(out, (uint32_t)name_len, 2, err);
}

/* APPNOTE.TXT 4.3: one stored file. */
static int add_zip(struct span file, struct buf *out, struct err *err)
{
	static const char name[] = "test.com";
	const size_t len = sizeof(name) - 1;
	uint32_t directory;

	if (buf_add_str(out, "PK\003\004", err) < 0 ||
		add_zip_entry(file, len, out, err) < 0 ||
		add_little(out, 0, 2, err) < 0 || buf_add(out, name, len, err) < 0 ||
		buf_add(out, file.data, file.len, err) < 0)
		return -1;
	directory = (uint32_t)out->len;
	if (buf_add_str(out, "PK\001\002", err) < 0 || add_little(out, 10, 2, err) < 0 ||
		add_zip_entry(file, len, out, err) < 0 ||
		add_little(out, 0, 4, err) < 0 || add_little(out, 0, 4, err) < 0 ||
		add_little(out, 0, 4, err) < 0 || add_little(out, 0, 4, err) < 0 ||
		buf_add(out, name, len, err) < 0)
		return -1;
	if (buf_add_str(out, "PK\005\006", err) < 0 || add_little(out, 0, 4, err) < 0 ||
		add_little(out, 0x10001, 4, err) < 0 ||
		add_little(out, (uint32_t)out->len - 12 - directory, 4, err) < 0 ||
		add_little(out, directory, 4, err) < 0)
		return -1;
	return add_little(out, 0, 2, err);
}

static int add_attachment(
	struct span file, const char *name, struct buf *out, struct err *err)
{
	if (buf_printf(out, err,
		    "MIME-Version: 1.0\r\n"
		    "Content-Type: multipart/mixed; boundary=\"part\"\r\n\r\n"
		    "--part\r\nContent-Type: text/plain\r\n\r\nA file for you.\r\n"
		    "--part\r\nContent-Type: application/octet-stream\r\n"
		    "Content-Transfer-Encoding: base64\r\n"
		    "Content-Disposition: attachment; filename=\"%s\"\r\n\r\n",
		    name) < 0 ||
		add_base64(file, out, err) < 0)
		return -1;
	return buf_add_str(out, "--part--\r\n", err);
}

static int add_nested(struct span file, struct buf *out, struct err *err)
{
	if (buf_add_str(out,
		    "MIME-Version: 1.0\r\n"
		    "Content-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n"
		    "--outer\r\nContent-Type: message/rfc822\r\n\r\n"
		    "From: inner@example.org\r\nSubject: inner\r\n",
		    err) < 0 ||
		add_attachment(file, "test.com", out, err) < 0)
		return -1;
	return buf_add_str(out, "--outer--\r\n", err);
}

static int add_body(
	enum wrapping wrapping, struct span file, struct buf *out, struct err *err)
{
	struct buf zip DEFER(buf_done);

	buf_init(&zip, FILE_MAX);
	switch (wrapping) {
	case WRAPPING_NONE:
	case WRAPPING_ATTACHMENT:
		return add_attachment(file, "test.com", out, err);
	case WRAPPING_ZIP:
		if (add_zip(file, &zip, err) < 0)
			return -1;
		return add_attachment(buf_span(&zip), "test.zip", out, err);
	case WRAPPING_NESTED:
		return add_nested(file, out, err);
	case WRAPPING_INLINE:
		return buf_printf(out, err, "Content-Type: text/plain\r\n\r\n%.*s\r\n",
			(int)file.len, (const char *)file.data);
	case WRAPPING_UUENCODE:
		if (buf_add_str(out, "Content-Type: text/plain\r\n\r\nA file:\r\n\r\n",
			    err) < 0)
			return -1;
		return add_uu(file, out, err);
	case WRAPPINGS:
		break;
	}
	return 0;
}

int wrapping_make(enum wrapping wrapping, struct buf *out, struct err *err)
{
	struct buf file DEFER(buf_done);

	buf_init(&file, FILE_MAX);
	if (add_file(wrapping != WRAPPING_NONE, &file, err) < 0 ||
		buf_printf(out, err,
			"From: self-test@example.org\r\nTo: self-test@example.org\r\n"
			"Subject: mailfilter self-test: %s\r\n",
			wrapping_name(wrapping)) < 0)
		return -1;
	return add_body(wrapping, buf_span(&file), out, err);
}

const char *wrapping_name(enum wrapping wrapping)
{
	switch (wrapping) {
	case WRAPPING_NONE:
		return "a harmless attachment";
	case WRAPPING_ATTACHMENT:
		return "EICAR in an attachment";
	case WRAPPING_ZIP:
		return "EICAR in a zip";
	case WRAPPING_NESTED:
		return "EICAR in a forwarded mail";
	case WRAPPING_INLINE:
		return "EICAR as the text";
	case WRAPPING_UUENCODE:
		return "EICAR uuencoded in the text";
	case WRAPPINGS:
		break;
	}
	return "";
}
