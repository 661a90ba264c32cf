/* SPDX-License-Identifier: ISC */
#include "scanner/probe.h"

#include <string.h>

#include "scanner/crc.h"

#define TEXT "mailfilter-probe-2ZWESRU77HTB6EMEKFH2ZRWFZRJ4UXFG"
#define NAME "Mailfilter.Probe"

const char probe_name[] = NAME;
const char probe_signature[] =
	NAME ":0:*:"
	     "6d61696c66696c7465722d70726f62652d325a5745535255373748544236454d45"
	     "4b4648325a5257465a524a3455584647";

static const char harmless[] = "mailfilter-probe-without-its-random-part-is-clean";
_Static_assert(sizeof(harmless) == sizeof(TEXT), "both mails have one size");

enum {
	ZIP_MAX = 512
};

/* Little-endian, size bytes of it. */
static int put(struct buf *out, uint32_t value, size_t size, struct err *err)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		if (buf_add(out, &byte, 1, err) < 0)
			return -1;
	}
	return 0;
}

/* From "version needed" to the length of the extra field, alike in both headers of an entry. */
static int put_entry(struct buf *out, struct span text, const char *name, struct err *err)
{
	if (put(out, 10, 2, err) < 0 || put(out, 0, 2, err) < 0 || /* version, flags */
		put(out, 0, 2, err) < 0 ||                         /* stored */
		put(out, 0x5a210000, 4, err) < 0 ||                /* 2025-01-01 */
		put(out, crc_of(text), 4, err) < 0 ||
		put(out, (uint32_t)text.len, 4, err) < 0 ||
		put(out, (uint32_t)text.len, 4, err) < 0 ||
		put(out, (uint32_t)strlen(name), 2, err) < 0 || put(out, 0, 2, err) < 0)
		return -1;
	return 0;
}

/* One stored member (PKWARE APPNOTE 4.3). */
static int add_zip(struct span text, struct buf *out, struct err *err)
{
	static const char name[] = "probe.txt";
	uint32_t central, end;

	if (put(out, 0x04034b50, 4, err) < 0 || put_entry(out, text, name, err) < 0 ||
		buf_add_str(out, name, err) < 0 ||
		buf_add(out, text.data, text.len, err) < 0)
		return -1;
	central = (uint32_t)out->len;
	if (put(out, 0x02014b50, 4, err) < 0 || put(out, 20, 2, err) < 0 ||
		put_entry(out, text, name, err) < 0 ||
		put(out, 0, 4, err) < 0 ||                            /* comment, disk */
		put(out, 0, 2, err) < 0 || put(out, 0, 4, err) < 0 || /* attributes */
		put(out, 0, 4, err) < 0 || buf_add_str(out, name, err) < 0)
		return -1;
	end = (uint32_t)out->len;
	if (put(out, 0x06054b50, 4, err) < 0 || put(out, 0, 4, err) < 0 ||
		put(out, 0x00010001, 4, err) < 0 || /* entries here and in all */
		put(out, end - central, 4, err) < 0 || put(out, central, 4, err) < 0)
		return -1;
	return put(out, 0, 2, err);
}

static int add_base64(struct span bytes, struct buf *out, struct err *err)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.len; i += 3) {
		struct span three = span_part(bytes, i, 3);
		uint32_t bits = (uint32_t)three.data[0] << 16 |
				(three.len > 1 ? (uint32_t)three.data[1] << 8 : 0) |
				(three.len > 2 ? three.data[2] : 0);
		char four[] = { alphabet[bits >> 18], alphabet[bits >> 12 & 63], '=',
			'=' };

		if (three.len > 1)
			four[2] = alphabet[bits >> 6 & 63];
		if (three.len > 2)
			four[3] = alphabet[bits & 63];
		if (buf_add(out, four, sizeof(four), err) < 0)
			return -1;
		if (i % 57 == 54 && buf_add_str(out, "\r\n", err) < 0)
			return -1;
	}
	return 0;
}

int probe_mail(bool with_probe, struct buf *out, struct err *err)
{
	auto_buf struct buf zip;

	buf_init(&zip, ZIP_MAX);
	if (add_zip(span_str(with_probe ? TEXT : harmless), &zip, err) < 0)
		return -1;
	if (buf_add_str(out,
		    "From: probe@localhost\r\n"
		    "To: probe@localhost\r\n"
		    "Subject: probe\r\n"
		    "MIME-Version: 1.0\r\n"
		    "Content-Type: multipart/mixed; boundary=\"probe\"\r\n"
		    "\r\n"
		    "--probe\r\n"
		    "Content-Type: text/plain\r\n"
		    "\r\n"
		    "A probe.\r\n"
		    "--probe\r\n"
		    "Content-Type: application/zip; name=\"probe.zip\"\r\n"
		    "Content-Disposition: attachment; filename=\"probe.zip\"\r\n"
		    "Content-Transfer-Encoding: base64\r\n"
		    "\r\n",
		    err) < 0 ||
		add_base64(buf_span(&zip), out, err) < 0)
		return -1;
	return buf_add_str(out, "\r\n--probe--\r\n", err);
}
